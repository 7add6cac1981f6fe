"""The network as it was measured: where a session lies among those, and what it is drawn from."""

import statistics
from dataclasses import replace

import pytest

from host_tests.virtual_c1100.rig import Rig
from tools.power.currents import Link, module_amperes
from tools.power.profiles import load, parse
from tools.virtual_c1100 import Profile, measured
from tools.virtual_c1100.measured import PLACES, Luck, Spread, nearest
from tools.virtual_c1100.profile import NB_IOT, Cell, Latency

MODULE = load("mdm9206", "module")
STATES = {"boot": "boot", "search": "search", "open": "connected-open",
          "answer": "connected-answer", "tail": "connected-tail"}  # fmt: skip


@pytest.mark.parametrize(
    ("level", "rsrp", "found"),
    [
        (0, None, None), (1, None, None), (2, None, None),
        (0, -44, (-105, -70)), (0, -70, (-105, -70)), (0, -105, (-105, -70)),
        (0, -106, (-115, -106)), (0, -115, (-115, -106)), (0, -116, (-120, -116)),
        (0, -156, (-120, -116)),
        (1, -80, (-125, -116)), (1, -125, (-125, -116)), (1, -126, (-130, -126)),
        (2, -90, (-130, -121)), (2, -130, (-130, -121)), (2, -131, (-137, -131)),
        (2, -156, (-137, -131)),
    ],
)  # fmt: skip
def test_a_signal_belongs_to_the_place_that_has_it_or_is_nearest(level, rsrp, found):
    for places in (PLACES, MODULE.places):
        place = nearest(places, level, rsrp)
        assert (place.level, place.rsrp) == (level, found)


def test_what_was_measured_nowhere_is_an_error():
    with pytest.raises(ValueError, match="level 3"):
        nearest(PLACES, 3, -100)


def test_times_and_currents_have_the_same_places():
    assert [(p.level, p.rsrp) for p in PLACES] == [(p.level, p.rsrp) for p in MODULE.places]


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_session_connects_for_as_long_and_draws_as_much_as_its_luck_says(place):
    rsrp = place.rsrp and place.rsrp[1]
    for share, at in ((0.1, 0), (0.5, 1), (0.9, 2)):
        luck = Luck(*[share] * len(Luck._fields))
        factor = measured.connect_factor(place.level, rsrp, luck)
        assert factor * measured.USUAL_S == pytest.approx(place.connect_s[at])
        link = Link("nb-iot", level=place.level, rsrp=rsrp, luck=(luck,))
        for name, state in STATES.items():
            figure = nearest(MODULE.places, place.level, rsrp).figures[name]
            wanted = (figure.low, figure.value, figure.high)[at] * 1e-3
            assert module_amperes(MODULE, state, link) == pytest.approx(wanted)


def test_no_luck_leads_out_of_what_can_be():
    for place in PLACES:
        assert 0 < place.connect_s.at(0) < place.connect_s.low
        assert place.connect_s.high < place.connect_s.at(1) < 1.5 * place.connect_s.high
    assert [Spread(1, 2, 4).at(share) for share in (0.1, 0.3, 0.5, 0.7, 0.9)] == [1, 1.5, 2, 3, 4]


def test_the_mean_of_sessions_is_that_of_their_charges():
    """Who connects at a higher current may do so for longer."""
    lucks = Luck(search=0.1, search_s=0.9), Luck(search=0.9, search_s=0.1)
    link = Link(None, level=1, luck=lucks)
    each = [module_amperes(MODULE, "search", replace(link, luck=(one,))) for one in lucks]
    times = [measured.connect_factor(1, None, one) for one in lucks]
    wanted = sum(a * s for a, s in zip(each, times, strict=True)) / sum(times)
    assert module_amperes(MODULE, "search", link) == pytest.approx(wanted)


def sessions(seed: int, count: int) -> list[tuple[float, Luck]]:
    """Seconds from the radio's start to registration, and the luck of so many starts."""
    profile = measured.applied(Profile(seed=seed, cell=Cell(rssi=22)))
    rig = Rig(profile)
    found = []
    for _ in range(count):
        states: list[tuple[float, str]] = []
        rig.module.on_state = lambda state, cause, into=states: into.append((rig.now, state))
        rig.module.reboot()
        rig.wait(60)
        at = {state: when for when, state in reversed(states)}
        found.append((at["connected-tail"] - at["search"], rig.module.radio.luck))
    assert [luck for _, luck in rig.module.radio.drawn][-count:] == [luck for _, luck in found]
    return found


def test_the_same_seed_draws_the_same_sessions_and_they_spread_as_measured():
    found = sessions(3, 120)
    assert found[:20] == sessions(3, 20)
    assert found[:20] != sessions(4, 20)
    times = sorted(seconds for seconds, _ in found)
    low, middle, high = nearest(PLACES, 0, -89).connect_s
    assert times[12] == pytest.approx(low, rel=0.25)
    assert statistics.median(times) == pytest.approx(middle, rel=0.15)
    assert times[-12] == pytest.approx(high, rel=0.15)


def test_what_a_user_has_set_stays_and_the_rest_is_measured():
    mine = Profile(latency=Latency(registration=30.0), cell=Cell(acts=(NB_IOT,), rssi=9))
    found = measured.applied(mine)
    assert found.latency.registration == 30.0 and found.cell.rssi == 9
    assert found.latency.boot + found.latency.sim_ready == 6.6
    assert found.latency.pdp + found.latency.connect == 2.6
    assert found.radio.repetition != mine.radio.repetition
    assert measured.fitting(mine) is mine
    assert measured.fitting(mine, "measured") == found
    assert measured.fitting(Profile(network="assumed"), "measured") == Profile(network="assumed")
    with pytest.raises(ValueError, match="assumed, measured"):
        Profile(network="dreamt")


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ({"level": -1}, "coverage level"), ({"level": True}, "coverage level"),
        ({}, "coverage level"), ({"level": 0, "rsrp": [-70, -105]}, "from, to"),
        ({"level": 0, "rsrp": [-70]}, "from, to"), ({"level": 0}, "it has not just boot"),
        ({"level": 0, "colour": {}}, "it has not just boot"),
    ],
)  # fmt: skip
def test_a_place_that_is_wrong_is_said(place, says):
    with pytest.raises(ValueError, match=says):
        parse(_raw(place=[place]), "module", "x", "x.toml")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"low": 8}, "not below and above"), ({"high": 6}, "not below and above"),
        ({"low": -1}, "not below and above"), ({"low": "x"}, "not below and above"),
    ],
)  # fmt: skip
def test_a_spread_that_is_none_is_said(change, says):
    with pytest.raises(ValueError, match=says):
        parse(_raw(off=change), "module", "x", "x.toml")


def test_a_network_that_there_is_not_is_said():
    with pytest.raises(ValueError, match="assumed, measured"):
        parse(_raw(network="dreamt"), "module", "x", "x.toml")


def _raw(off: dict | None = None, **more: object) -> dict:
    """A profile of a module in which everything is 7 uA."""
    one = {"value": 7, "unit": "uA", "source": "s"}
    names = ("psm", "boot", "awake", "search", "idle-floor", "gnss")
    figures = {"supply": one | {"unit": "V"}, "off": one | (off or {})}
    figures |= dict.fromkeys(names, one)
    rat = {"rx": one, "tail": one, "page": one | {"unit": "uC"}, "tx": [one | {"dbm": 23}]}
    return {"kind": "module", "title": "t", "sources": {"s": "somebody"}, "figures": figures,
            "nb-iot": rat, **more}  # fmt: skip
