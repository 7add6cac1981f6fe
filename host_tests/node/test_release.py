"""The connection's end: asked for, watched, remembered, and given up for a week."""

import pytest

from host_tests.node.test_sleep import DAY_S, Sleeper, sleeper  # noqa: F401 -- a fixture
from tools import installed
from tools.virtual_c1100 import Profile
from tools.virtual_c1100.air import Grants

WEEK = 7


def commands(s: Sleeper, start: str) -> list[int]:
    """In which wakes the node has sent this command, from 1."""
    begins = [wake.start_us for wake in s.bench.wakes]
    return [
        sum(begin <= event.at_us for begin in begins)
        for event in s.node.events
        if event.kind == "board" and event.detail.startswith(start + "\\r")
    ]


def kept(s: Sleeper) -> list[int]:
    return [int(word) for word in (s.node.flash / "release").read_text().split()]


def with_release(release: str, **values) -> Profile:
    return Profile(grants=Grants(release=release), **values)


@pytest.mark.parametrize("coverage", [0, 1])
def test_it_is_honoured(sleeper, coverage):  # noqa: F811
    profile = with_release("honoured")
    profile.radio.coverage = coverage
    s = sleeper(profile, period_s=DAY_S)
    s.live(4)
    assert commands(s, "AT+CNMPSD=?") == [1]
    assert commands(s, "AT+CNMPSD") == [1, 2, 3, 4]
    assert s.node.said("release: ") == ["honoured"]
    verdict, _, asked_ms, own_ms, *_ = kept(s)
    assert (verdict, own_ms) == (1, 0)
    assert 100 <= asked_ms < 1000
    for wake in (1, 2, 3):
        assert s.seconds("connected-tail", wake) < 0.1
    # The broker needs no goodbye, once it is known how the connection ends.
    assert commands(s, "AT+LSMQTTCLOSE=1") == [1]
    s.is_in_rhythm()


def test_after_a_week_it_is_measured_what_it_gains(sleeper):  # noqa: F811
    s = sleeper(with_release("honoured"), period_s=DAY_S)
    s.live(WEEK + 3)
    # Once without asking, in the first report that is a week later: the first was off the grid.
    assert {*range(1, WEEK + 4)} - {*commands(s, "AT+CNMPSD")} == {WEEK + 2}
    verdict, _, _, own_ms, *_ = kept(s)
    assert verdict == 1
    assert 14_000 < own_ms < 15_100
    assert s.node.said("released after")


def test_a_network_that_releases_at_once_is_not_asked(sleeper):  # noqa: F811
    profile = with_release("honoured")
    profile.radio.inactivity = 0.5
    s = sleeper(profile, period_s=DAY_S)
    s.live(WEEK + 3)
    assert commands(s, "AT+CNMPSD") == list(range(1, WEEK + 2))
    assert kept(s)[0] == 2
    s.is_in_rhythm()


def test_it_is_ignored_and_tried_again_after_a_week(sleeper):  # noqa: F811
    s = sleeper(with_release("ignored"), period_s=DAY_S)
    s.live(2)
    assert s.node.said("release: ") == ["ignored"]
    s.live(WEEK)
    assert commands(s, "AT+CNMPSD") == [1, 2]  # in vain, and not for a week
    assert len(s.node.said("released after")) == 1
    assert 14_000 < kept(s)[3] < 15_100
    s.live(1)
    s.module.profile.grants.release = "honoured"
    s.live(2)
    assert commands(s, "AT+CNMPSD") == [1, 2, WEEK + 3, WEEK + 4, WEEK + 5]
    assert s.node.said("release: ") == ["ignored", "honoured"]
    s.is_in_rhythm()


def test_the_module_refuses_it(sleeper):  # noqa: F811
    s = sleeper(with_release("refused"), period_s=DAY_S)
    s.live(3)
    s.is_in_rhythm()
    assert commands(s, "AT+CNMPSD=?") == [1]
    assert commands(s, "AT+CNMPSD") == []
    assert s.node.said("release: ") == ["refused"]


def test_what_was_honoured_may_be_so_no_more(sleeper):  # noqa: F811
    s = sleeper(with_release("honoured"))
    s.live(2)
    s.module.profile.grants.release = "refused"
    s.live(3)
    assert s.node.said("release: ") == ["honoured", "refused"]
    s.is_in_rhythm()


@pytest.mark.parametrize("change", [{"imei": "866207050000019"}, {"revision": "C1100_V2.0.0"}])
def test_another_module_is_asked_anew(sleeper, change):  # noqa: F811
    s = sleeper(with_release("refused"), period_s=DAY_S)
    s.live(2)
    for name, value in change.items():
        setattr(s.module.profile, name, value)
    s.module.profile.grants.release = "honoured"
    s.live(2)
    assert s.node.said("release: ") == ["refused", "honoured"]


@pytest.mark.parametrize(
    "content", [b"", b"x", b"1 2 3", b"9 9 9 9 9", b"1 -1 0 0 0", b"\xff" * 90]
)
def test_a_damaged_memory_is_none(sleeper, content):  # noqa: F811
    s = sleeper(with_release("honoured"))
    s.live(1)
    (s.node.flash / "release").write_bytes(content)
    s.live(1)
    assert s.node.said("release: ") == ["honoured", "honoured"]
    assert kept(s)[0] == 1


@pytest.mark.parametrize(
    ("release", "is_told", "tail_s"),
    [("honoured", True, 120.0), ("honoured", False, 15.0), ("refused", False, 15.0),
     ("refused", True, 120.0), ("ignored", True, 120.0)],
)  # fmt: skip
def test_a_connection_that_is_never_seen_to_end_is_waited_for_once(
    sleeper, release, is_told, tail_s  # noqa: F811
):  # fmt: skip
    """Longer than a week: what was measured in vain is not measured again."""
    profile = with_release(release)
    profile.radio.inactivity = tail_s
    if not is_told:
        profile.faults = ["urc-lost:^DATADISCONN"]
    s = sleeper(profile, period_s=DAY_S)
    s.live(2 * WEEK + 2)
    long = [wake for wake in range(1, s.wakes) if s.node.asleep_by(wake) > 60]
    assert len(long) <= 1
    assert kept(s)[3] == 90_000
    asked = commands(s, "AT+CNMPSD")
    if release == "honoured" and is_told:
        assert asked == list(range(1, 2 * WEEK + 3))
    s.is_in_rhythm()


@pytest.mark.parametrize(
    ("release", "tail_s", "active_s", "keepalive_s"),
    [("refused", 15, 10, 30), ("refused", 15, 10, 20), ("ignored", 15, 50, 60),
     ("refused", 115, 10, 120), ("ignored", 80, 10, 120), ("honoured", 115, 10, 20)],
)  # fmt: skip
def test_pings_keep_no_module_awake(
    sleeper, broker, release, tail_s, active_s, keepalive_s  # noqa: F811
):  # fmt: skip
    """It is awake for the connection's tail and its active time: if its client has to ping before
    that is over, the connection lives on, and so does the next ping's.
    """
    profile = with_release(release)
    profile.radio.inactivity = float(tail_s)
    at = {"host": broker.host, "port": broker.port, "keepalive_s": keepalive_s}
    s = sleeper(profile, period_s=DAY_S, active_s=active_s, mqtt=at)
    s.live(9)
    for wake in range(1, 9):
        awake = sum(s.seconds(name, wake) for name in ("connected-tail", "idle"))
        assert awake < 300, wake


@pytest.mark.parametrize("mqtt", [{"qos": 0}, {"keepalive_s": 0}, {"keepalive_s": 5}])
def test_a_broker_that_would_not_find_out_is_told(sleeper, broker, mqtt):  # noqa: F811
    if mqtt.get("keepalive_s") == 0:
        installed.require("mosquitto")  # the embedded broker refuses a session without pings
    at = {"host": broker.host, "port": broker.port}
    s = sleeper(with_release("honoured"), mqtt=at | mqtt)
    s.live(3)
    assert commands(s, "AT+LSMQTTCLOSE=1") == [1, 2, 3]
    s.is_in_rhythm()
