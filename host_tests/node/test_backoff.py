"""A network that refuses: what the node does, for how long, at what charge (docs/energy.md)."""

import re
from collections.abc import Callable, Iterator

import pytest

from c1100 import causes
from host_tests.docs.markdown import ROOT, Document
from host_tests.node.conftest import Node
from host_tests.unit.test_causes import ROWS
from tools.power.account import NAUS_PER_MAH
from tools.power.meter import Meter
from tools.power.profiles import load
from tools.power.watch import Watch
from tools.virtual_c1100 import Profile
from tools.virtual_c1100.measured import fitting
from tools.virtual_c1100.module import Power

HOUR_S = 3600
DAY_S = 86400
UNKNOWN = 77  # in no table
TABLE = Document(ROOT / "docs/energy.md")
DOMAINS = {"EMM": "denied_cause", "ESM": "denied_context"}


class Life:
    """A node in a network that refuses. tries -- when the network was asked, and refused or not"""

    def __init__(self, node: Node, watch: Watch) -> None:
        self.node, self.watch = node, watch
        self.bench, self.module = node.bench, node.module
        self.cell = self.module.profile.cell
        self.boots: list[float] = []
        self.tries: list[float] = []
        self.last = "off"  # state of the module
        metered = self.module.on_state

        def state(name: str, cause: str) -> None:
            metered(name, cause)
            if name == "boot" and self.last == "off":  # not out of PSM
                self.boots.append(self.now)
            self.last = name
            if (name, cause) in (("connected-rx", "attach"), ("connected-tx", "pdp")):
                self.tries.append(self.now)

        self.module.on_state = state

    @property
    def now(self) -> float:
        return self.bench.timeline.now_us / 1e6

    def refuse(self, domain: str, number: int) -> None:
        self.cell.denied_cause = self.cell.denied_context = None
        setattr(self.cell, DOMAINS[domain], number)

    def again(self) -> None:
        """Board and module without supply: what they knew is gone."""
        self.bench.cut_power(1)
        self.module.power_cycle()
        self.boots.clear()
        self.tries.clear()

    def until(self, condition: Callable[[], bool], hours: float = 2) -> None:
        self.bench.run(until=condition, limit_s=self.now + hours * HOUR_S)

    def rest(self, seconds: float) -> None:
        self.bench.run(until=self.now + seconds)

    def said(self, text: str) -> list[str]:
        return [line for _, line in self.bench.console if line.startswith(text)]

    def held(self) -> list[str]:
        return self.said("no try for ")

    def fail(self) -> str:
        """Until the next wake that fails has ended; returns what it said of that."""
        count = len(self.said("wake failed"))
        self.until(lambda: len(self.said("wake failed")) > count and self.node.asleep)
        return self.said("wake failed")[-1]

    def deliver(self, hours: float = 2) -> None:
        count = len(self.node.said("delivered"))
        self.until(lambda: len(self.node.said("delivered")) > count and self.node.asleep, hours)


@pytest.fixture
def refused(node) -> Iterator[Callable[..., Life]]:
    """refused(domain, number, period_s, ...) -> Life"""

    def make(domain: str = "", number: int = 0, period_s: int = HOUR_S, **config) -> Life:
        profile = fitting(Profile(network="measured"))
        backoff_s = config.pop("backoff_s", 0)
        profile.cell.backoff_s = backoff_s
        if domain:
            setattr(profile.cell, DOMAINS[domain], number)
        watch = Watch(Meter(load("mdm9206", "module"), load("esp32", "board"), keep=False))
        rhythm = {"sample": {"period_s": period_s}, "report": {"period_s": period_s}}
        return Life(node(profile, watch=watch, **(rhythm | config)), watch)

    yield make


# Each cause ----------------------------------------------------------------------------------


def test_each_cause_in_a_life_of_its_own(refused):
    """The first refusal, and ten minutes, in which no timer has run out: no try, no restart."""
    life = refused(register_s=15)
    life.deliver()
    for row in ROWS:
        life.refuse(row.domain, row.number)
        life.again()
        failed = life.fail()
        where = (row, failed)
        assert f"{row.number}, {row.words}" in failed or row.domain == "ESM", where
        tries, boots = len(life.tries), len(life.boots)
        assert boots == 1, where
        assert life.node.said("recovery") == [], where
        told = (life.held() or [""])[-1]
        if row.help == causes.ELSEWHERE:
            assert row.words not in told, where
            life.until(lambda: life.module.power is Power.OFF)
            continue
        assert f"({row.domain} cause {row.number}, {row.clause})" in told, where
        life.rest(600)
        assert (len(life.tries), len(life.boots)) == (tries, boots), where
        if row.help == causes.FINAL:
            assert told.startswith("no try for a day: the operator must " + row.do), where
            assert len(told) <= 120, where
            assert life.module.power is Power.OFF, where
        else:
            held_s = int(re.findall(r"no try for (\d+) s", told)[0])
            assert row.wait_s < held_s < row.wait_s + 100, where
            asleep = Power.PSM if row.domain == "ESM" else Power.ON  # by itself, in the network
            assert life.module.power in (Power.ON, asleep), where


@pytest.mark.parametrize(("domain", "number"), [("EMM", 17), ("EMM", 22), ("ESM", 26)])
def test_a_timer_is_waited_out_and_the_node_is_back(refused, domain, number):
    """In a network that begins its timer anew whenever it is tried too early."""
    wait_s = causes.find(domain, number).wait_s
    life = refused(domain, number, period_s=900, backoff_s=wait_s)
    life.deliver()
    assert len(life.boots) == 1
    assert wait_s < life.now < wait_s + 300
    life.deliver()
    assert life.node.said("recovery") == []
    assert len(life.held()) == 1


def test_a_module_that_does_not_try_by_itself_is_told_to_once_the_timer_has_run_out(refused):
    life = refused("EMM", 22, period_s=900)
    life.fail()
    life.cell.denied_cause = None  # of this the module hears when it tries
    life.deliver()
    assert len(life.boots) == 1
    assert 1800 < life.now < 2100


def test_a_module_in_a_back_off_is_left_alone_whatever_restarts(refused):
    """Deep sleep and the reset button end no wait; a loss of the board's supply does."""
    life = refused("EMM", 22, period_s=900)
    life.fail()
    tries = len(life.tries)
    for _ in range(3):
        life.rest(200)
        life.bench.press_reset()
        life.until(lambda: life.node.asleep)
    assert (len(life.tries), len(life.boots)) == (tries, 1)
    life.module.network.allow()
    life.bench.cut_power(1)
    life.deliver(hours=0.1)
    assert len(life.boots) == 1


def test_what_is_final_is_tried_once_a_day_and_told_when_it_is_over(refused):
    life = refused("EMM", 8, period_s=2 * HOUR_S)
    life.fail()
    life.rest(DAY_S - 600)
    assert (len(life.tries), len(life.boots)) == (1, 1)
    life.cell.denied_cause = None
    life.deliver(hours=3)
    assert len(life.boots) == 2
    events = [text for text in life.node.said("sampled") if "no try for a day" in text]
    assert len(events) == 1
    assert "the operator must enable this SIM" in events[0]


def test_a_new_sim_is_taken_when_the_board_is_switched_on(refused):
    life = refused("EMM", 3)
    life.fail()
    life.cell.denied_cause = None
    life.again()
    life.deliver(hours=0.1)


@pytest.mark.parametrize("variant", ["MGGT", "NGGT"])
def test_another_network_is_looked_for_in_the_same_wake(refused, variant):
    life = refused("EMM", 13)
    life.module.profile.variant = variant
    life.until(lambda: life.now > 60)
    assert not life.node.asleep
    life.module.network.allow()
    life.deliver(hours=0.1)


def test_who_is_refused_for_a_day_is_off_for_a_day(refused):
    life = refused("EMM", 17, period_s=6 * HOUR_S)
    life.until(lambda: life.said("no try for a day") != [], hours=40)
    assert len(life.boots) == 1
    assert DAY_S < life.now < 1.5 * DAY_S
    life.until(lambda: life.module.power is Power.OFF)
    off = life.now
    life.until(lambda: len(life.boots) == 2, hours=30)
    assert life.now - off > DAY_S - 60
    life.fail()
    assert life.held()[-1].startswith("no try for 7")  # and from the beginning


@pytest.mark.parametrize(("first", "then"), [("mqtt", "tcp"), ("tcp", "mqtt")])
def test_a_second_uplink_is_no_second_try(refused, lines, first, then):
    config = {"uplink": {"first": first, "then": then}}
    config["tcp"] = {"host": lines.host, "port": lines.port}
    life = refused("ESM", 33, **config)
    life.fail()
    assert lines.records == []
    assert len(life.held()) == 1
    assert len(life.tries) == 2  # attach and context


# What it costs -------------------------------------------------------------------------------

HOURS = 6
# as in docs/energy.md
CLASSES = {
    "T3402": ("EMM", 17),
    "T3346": ("EMM", 22),
    "T3396": ("ESM", 26),
    "final": ("EMM", 3),
    "elsewhere": ("EMM", 13),
    "not told, or not known": ("EMM", UNKNOWN),
}


def kind(row) -> str:
    if row.help != causes.WAIT:
        return row.help
    return "T3396" if row.domain == "ESM" else {720: "T3402", 1800: "T3346"}[row.wait_s]


def numbers(name: str) -> str:
    rows = sorted([row for row in ROWS if kind(row) == name], key=lambda row: row.number)
    return f"{rows[0].domain} {', '.join(str(row.number) for row in rows)}" if rows else ""


@pytest.mark.parametrize("name", CLASSES)
def test_what_it_costs_is_what_the_document_says(refused, name, capsys):
    life = refused(*CLASSES[name], period_s=HOUR_S)
    life.rest(HOURS * HOUR_S)
    life.watch.finish("", battery="ls26500")
    mah = life.watch.meter.account.total.charge / NAUS_PER_MAH
    attempts = len(life.tries) - (CLASSES[name][0] == "ESM")
    with capsys.disabled():
        print(f"| {name} | {numbers(name)} | {attempts} | {len(life.boots) - 1} | {mah:.2f} |")
    (shown,) = [row for table in TABLE.tables for row in table if row[0].strip("`") == name]
    assert shown[1] == numbers(name) or not numbers(name)
    assert (int(shown[2]), int(shown[3])) == (attempts, len(life.boots) - 1)
    assert float(shown[4]) == pytest.approx(mah, rel=0.05)
    if name in ("T3402", "T3346", "T3396", "final"):
        assert len(life.boots) == 1
