"""The module left in PSM between reports, and all that may disturb its sleep.

Whatever it is, the node is back in its rhythm afterwards: it wakes on its grid and for short, its
module sleeps in between, and every record has arrived, once and in order.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from firmware.scheduler import spread
from host_tests.node.conftest import PERIOD_S, Node
from host_tests.node.test_commands import KEY, Talk
from tools.demo.subscriber import Subscriber
from tools.virtual_board.board import Cause
from tools.virtual_c1100 import Profile
from tools.virtual_c1100.air import Grants
from tools.virtual_c1100.module import Power

YEAR_2000 = 946_684_800  # in Unix time: where the board's clock begins
NEAR_S = 3  # the clocks of board and module have whole seconds
SHORT_S = 10.0  # a wake out of PSM
ATTACH_S = 16.0  # a wake that has to attach
DAY_S = 86400
HOUR_S = 3600
COMMANDS = {"commands": {"key": KEY.hex()}}

ALL_PINS = {"pwrkey": 4, "wake": 5, "status": 18}
KEY_ALONE = {"pwrkey": 4}
WIRES = pytest.mark.parametrize("pins", [ALL_PINS, KEY_ALONE], ids=["all-pins", "key-alone"])


def lasting() -> Profile:
    """A network that keeps a connection for as long as it likes, whatever it is asked for."""
    return Profile(grants=Grants(release="ignored"))


@dataclass(frozen=True)
class Stay:
    """For how many seconds the module was in a state of its radio, and why."""

    seconds: float
    state: str
    cause: str


class Sleeper:
    """A node that leaves its module in PSM, and all that the module did."""

    def __init__(self, node: Node, subscriber: Subscriber, period_s: int) -> None:
        self.node = node
        self.bench = node.bench
        self.module = node.module
        self._subscriber = subscriber
        self._period_s = period_s
        self.states: list[tuple[float, str, str]] = []  # when, state, cause
        self.module.on_state = lambda state, cause: self.states.append((self.now, state, cause))

    @property
    def now(self) -> float:
        return self.bench.timeline.now_us / 1e6

    @property
    def wakes(self) -> int:
        return len(self.bench.wakes)

    def start(self, wake: int) -> float:
        """When a wake, counted from 1, began."""
        return self.bench.wakes[wake - 1].start_us / 1e6

    def until(self, condition: Callable[[], bool]) -> None:
        self.bench.run(until=condition, limit_s=self.now + 2 * self._period_s)

    def rest(self, seconds: float) -> None:
        self.bench.run(until=self.now + seconds)

    def live(self, wakes: int) -> None:
        """Until so many more wakes have ended in sleep."""
        for wake in range(self.wakes + 1, self.wakes + wakes + 1):
            self.until(lambda wake=wake: self.wakes >= wake and self.node.asleep)

    def for_one_night(self, fault: str, parameter: float) -> None:
        """A fault that is in force until the module has fallen asleep."""
        self.module.faults.add(fault, str(parameter))
        self.until(lambda: self.module.power is Power.PSM)
        self.module.faults.clear()

    def night(self, wake: int) -> list[Stay]:
        """What the module did from the end of a wake to the start of the next."""
        begin, end = (self.bench.wakes[wake - 1].end_us or 0) / 1e6, self.start(wake + 1)
        ends = [at for at, _, _ in self.states[1:]] + [self.now]
        return [
            Stay(min(until, end) - max(at, begin), state, cause)
            for (at, state, cause), until in zip(self.states, ends, strict=True)
            if at < end and until > begin
        ]

    def seconds(self, state: str, wake: int) -> float:
        """How long the module was in a state in the night after a wake."""
        return sum(stay.seconds for stay in self.night(wake) if stay.state == state)

    def share(self, state: str, wake: int) -> float:
        """The same as a part of the night."""
        return self.seconds(state, wake) / sum(stay.seconds for stay in self.night(wake))

    def woken(self, cause: str, wake: int) -> int:
        """How often something has ended PSM in the night after a wake."""
        return [(stay.state, stay.cause) for stay in self.night(wake)].count(("boot", cause))

    def is_in_rhythm(
        self, state: str = "psm", share: float = 0.9, short_s: float = SHORT_S
    ) -> None:
        """The next wakes are on the grid and short, the module is in `state` for at least that
        share of the nights between them, and each record has arrived once.
        """
        before, sampled = self.wakes, len(self.node.said("sampled"))
        self.live(3)
        for wake in range(before + 1, before + 4):
            clock = self.module.profile.start_s - YEAR_2000 + self.start(wake)
            late = (clock - spread("n1", self._period_s) + NEAR_S) % self._period_s - NEAR_S
            assert abs(late) <= NEAR_S
            assert self.node.asleep_by(wake) < short_s
        for wake in range(before + 1, before + 3):
            apart = self.start(wake + 1) - self.start(wake)
            assert apart == pytest.approx(self._period_s, abs=NEAR_S)
            assert self.share(state, wake) > share
        assert len(self.node.said("sampled")) == sampled + 3
        assert self.node.deliver(self._subscriber) == self.node.said("sampled")
        assert len(self._subscriber.records) == len(set(self._subscriber.records))


@pytest.fixture
def sleeper(node, broker) -> Iterator[Callable[..., Sleeper]]:
    """sleeper(period_s=..., tau_s=..., active_s=..., and what `node` takes) -> Sleeper"""
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:

        def make(
            profile: Profile | None = None,
            *,
            period_s: int = PERIOD_S,
            tau_s: int = DAY_S,
            active_s: int = 10,
            **settings,
        ) -> Sleeper:
            rhythm = {"period_s": period_s}
            sleep = {"module": "psm", "tau_s": tau_s, "active_s": active_s}
            made = node(profile, sample=rhythm, report=rhythm, sleep=sleep, **settings)
            return Sleeper(made, subscriber, period_s)

        yield make


# PSM cut short -------------------------------------------------------------------------------


@WIRES
@pytest.mark.parametrize(
    ("lead_s", "met"), [(600, "psm"), (24, "idle"), (12, "connected-tail"), (1.5, "boot")]
)
def test_psm_cut_short_by_a_downlink(sleeper, pins, lead_s, met):
    """So many seconds before the next report, which meets the module asleep again, or awake."""
    s = sleeper(pins=pins)
    s.live(4)
    s.for_one_night("psm-cut", s.seconds("psm", wake=3) - lead_s)
    s.live(1)
    assert s.woken("downlink", wake=4) == 1
    assert s.night(4)[-1].state == met
    s.is_in_rhythm()


def test_psm_cut_short_by_downlinks_all_night(sleeper):
    s = sleeper()
    s.live(2)
    s.module.faults.add("psm-cut", "20")
    s.live(2)
    assert s.woken("downlink", wake=3) > 10
    s.module.faults.clear()
    s.live(1)
    s.is_in_rhythm()


def test_psm_cut_short_by_t3412_more_than_once_a_night(sleeper):
    s = sleeper(tau_s=300)
    s.live(3)
    assert s.woken("t3412", wake=2) == 2
    s.is_in_rhythm()


@pytest.mark.parametrize("period_s", [890, 892, 894, 897, 900])
def test_t3412_about_the_start_of_a_report(sleeper, period_s):
    """T3412 begins with the release after a report. From one row to the next it expires earlier:
    while the node registers, while its module wakes, and just before.
    """
    s = sleeper(lasting(), period_s=period_s, tau_s=870)
    s.live(6)
    s.is_in_rhythm()
    updates = [at for at, _, cause in s.states if cause == "t3412"]
    starts = [s.start(wake) for wake in range(2, s.wakes + 1)]
    assert min(abs(at - start) for at in updates for start in starts) < 20


@pytest.mark.parametrize(("after_s", "held_s"), [(5, 60), (300, 60), (300, 2000)])
def test_psm_cut_short_by_somebody_at_the_wake_pin(sleeper, after_s, held_s):
    """Before the module sleeps, in its sleep, and over two reports of the node."""
    s = sleeper()
    s.live(3)
    s.rest(after_s)
    s.bench.hold("wake", True)
    s.rest(held_s)
    assert s.module.power is Power.ON
    s.bench.hold("wake", False)
    s.live(1)
    s.is_in_rhythm()


# PSM that does not come, or does not end -----------------------------------------------------


def test_a_module_that_never_enters_psm(sleeper):
    s = sleeper()
    s.live(2)
    s.module.faults.add("psm-never")
    s.live(3)
    assert [s.seconds("psm", wake) for wake in (2, 3, 4)] == [0, 0, 0]
    s.module.faults.clear()
    s.live(1)
    s.is_in_rhythm()


def test_a_module_that_never_enters_psm_is_switched_off_in_the_end(sleeper):
    """Idle all night it would empty the battery in months."""
    s = sleeper()
    s.live(2)
    s.module.faults.add("psm-never")
    s.live(10)
    assert s.seconds("psm", wake=3) == 0
    s.is_in_rhythm("off", short_s=ATTACH_S)


@pytest.mark.parametrize(
    ("pins", "pulses"),
    [(ALL_PINS, 1), (ALL_PINS, 3), (KEY_ALONE, 2), (ALL_PINS, 5)],
    ids=["pin", "pin-and-key", "key", "no-pulse-of-a-wake"],
)
def test_a_module_that_does_not_wake_at_the_first_pulse(sleeper, pins, pulses):
    s = sleeper(pins=pins)
    s.live(2)
    s.module.faults.add("psm-deaf", str(pulses))
    s.live(2)
    assert s.module.faults.active.deaf_pulses == 0
    s.is_in_rhythm()


@WIRES
def test_psm_entered_and_left_without_a_word(sleeper, pins):
    s = sleeper(Profile(faults=["psm-silent"]), pins=pins, tau_s=300)
    s.live(3)
    s.is_in_rhythm()
    heard = [event.detail for event in s.node.events if event.kind == "module"]
    assert any("^DATADISCONN" in line for line in heard)
    assert not any("PSMMODE" in line for line in heard)


# Deep sleep interrupted ----------------------------------------------------------------------


@pytest.mark.parametrize(("at_s", "records"), [(2, 3), (300, 3), (890, 4)])
def test_deep_sleep_interrupted_by_the_reset_button(sleeper, at_s, records):
    """While the module is still connected, in PSM, and just before a report."""
    s = sleeper()
    s.live(3)
    s.rest(at_s)
    s.bench.press_reset()
    s.live(1)
    assert s.bench.wakes[-1].cause is Cause.HARD_RESET
    assert len(s.node.said("sampled")) == records
    s.is_in_rhythm()


def test_deep_sleep_interrupted_by_the_reset_button_over_and_over(sleeper):
    s = sleeper()
    s.live(2)
    for _ in range(8):
        s.rest(60)
        s.bench.press_reset()
        s.live(1)
    assert len(s.node.said("sampled")) == 2
    s.is_in_rhythm()


@pytest.mark.parametrize("module_too", [False, True])
def test_deep_sleep_interrupted_by_a_loss_of_supply(sleeper, module_too):
    """The board has forgotten that its module sleeps, the network has not."""
    s = sleeper()
    s.live(3)
    s.rest(300)
    assert s.module.power is Power.PSM
    s.bench.cut_power(40)
    if module_too:
        s.module.power_cycle()
    s.live(1)
    assert s.bench.wakes[-1].cause is Cause.POWER_ON
    assert any(cause == "attach" and at > s.start(4) for at, _, cause in s.states) is module_too
    s.is_in_rhythm()


# What the network grants ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("granted", "state", "share"),
    [
        ("00100010,00111001", "psm", 0.8),  # two minutes and 25 hours
        ("00000000,00100001", "psm", 0.9),  # no active time at all
        ("00000101,10001010", "psm", 0.9),  # an update every five minutes
        ("00100010,", "psm", 0.8),
        (",00100001", "off", 0.9),
        ("00110000,00100001", "off", 0.9),  # active for longer than the night
    ],
)
def test_other_timers_than_asked_for(sleeper, granted, state, share):
    s = sleeper(Profile(faults=[f"psm-other:{granted}"]))
    s.live(3)
    if state == "psm":
        assert s.module.network.timers == tuple(granted.split(","))
    s.is_in_rhythm(state, share, SHORT_S if state == "psm" else ATTACH_S)


def test_a_network_that_stops_granting_psm_is_asked_again_a_day_later(sleeper):
    """It says so at an update in the night, after which the module stays awake."""
    s = sleeper(period_s=6 * HOUR_S, tau_s=5 * HOUR_S)
    s.live(2)
    s.module.faults.add("psm-refused")
    s.live(1)
    assert s.night(2)[-1].state == "idle"
    s.live(1)
    assert s.share("off", wake=3) > 0.9
    s.module.faults.clear()
    s.live(5)
    s.is_in_rhythm(share=0.8)


def test_a_network_that_was_not_there_when_psm_was_asked_for_has_not_refused_it(sleeper):
    profile = Profile()
    profile.cell.covered = False
    s = sleeper(profile, register_s=30)
    s.live(1)
    assert s.node.said("wake failed: NotRegistered")
    s.module.network.restore()
    s.live(3)
    s.is_in_rhythm()


# While the module is awake -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("talking", "state"), [(True, "connected-tail"), (False, "connected-tail"), (False, "idle")]
)
def test_a_downlink_before_the_module_sleeps(sleeper, talking, state):
    """While the node talks, and after it, in the connection and in the active time."""
    s = sleeper(lasting())
    s.live(2)
    s.until(lambda: s.node.asleep is not talking and s.module.radio.state == state)
    s.module.radio.receive(100, "downlink", lambda: None)
    s.live(1)
    assert any((state, cause) == ("connected-rx", "downlink") for _, state, cause in s.states)
    s.is_in_rhythm()


@pytest.mark.parametrize(
    ("pins", "lead_s", "longest_s"), [(ALL_PINS, 31.6, 30), (KEY_ALONE, 32.7, 100)]
)
def test_a_report_that_begins_while_the_module_falls_asleep(sleeper, pins, lead_s, longest_s):
    """It was awake for a downlink, still answers, and is gone in the middle of the session. With
    the wake pin it comes back by itself and says so; else only its silence tells.
    """
    profile = lasting()
    profile.latency.psm_entry = 3.0
    s = sleeper(profile, pins=pins)
    s.live(5)
    s.for_one_night("psm-cut", s.seconds("psm", wake=4) - lead_s)
    s.live(1)
    end = s.start(6) + s.node.asleep_by(6)
    assert any(state == "psm" and s.start(6) < at < end for at, state, _ in s.states)
    s.is_in_rhythm()
    assert s.node.asleep_by(6) < longest_s


def test_a_command_is_heard_in_a_wake_out_of_psm(sleeper, broker):
    talk = Talk(broker)
    s = sleeper(secrets=COMMANDS, commands={"listen_s": 1})
    s.live(2)
    talk.order("p1", do="ping")
    s.live(1)
    assert talk.result("p1")["wake"] == 3
    s.is_in_rhythm()
    talk.close()


def test_a_module_that_falls_asleep_while_the_node_listens(sleeper):
    """Nothing but the wake pin would keep it awake, and here it is not wired."""
    profile = Profile()
    profile.latency.psm_entry = 0.02
    s = sleeper(profile, pins=KEY_ALONE, secrets=COMMANDS, commands={"listen_s": 60})
    s.live(3)
    assert s.share("psm", wake=2) > 0.99
    assert s.node.said("wake failed") == []
    assert s.node.said("module stays on") == []
    s.is_in_rhythm(short_s=45)
