"""Where no satellite is strong enough: what the searches of a day cost, and when one is tried."""

from tools.power import scenario, simulate
from tools.virtual_c1100 import Profile

HOUR_S = 3600
POSITION = {"period_s": 900, "limit_s": 40, "weak_s": 15}
NODE = scenario.NODE | {"sample": {"period_s": HOUR_S}, "report": {"period_s": 6 * HOUR_S}}
CELLAR = ((0.0, 15.0),)
FULL_S = 40


def lived(days: float, cn0=CELLAR, gsv: bool = True, cold_s: float = 32, **position: int):
    profile = Profile()
    profile.track.cn0 = cn0
    profile.quirks.gsv = gsv
    profile.latency.fix_cold = cold_s
    node = NODE | {"position": POSITION | position}
    return simulate.simulate(scenario.Scenario("", days=days, node=node, profile=profile))


def searches(life) -> list[tuple[float, float]]:
    """When the receiver looked for satellites, and for how long, in seconds."""
    on = [part for part in life.run.intervals if part.load == "gnss" and part.state == "on"]
    return [(part.start_us / 1e6, (part.end_us - part.start_us) / 1e6) for part in on]


def test_searches_without_hope_are_short_and_become_rare():
    life, whole = lived(0.09), lived(0.09, weak_s=0)
    at_s, long_s = zip(*searches(life), strict=True)
    assert [round(at / 900) for at in at_s] == [0, 1, 3, 7]
    assert [round(s / 10) for s in long_s] == [2, 2, 2, 4]  # the fourth has all of its time
    assert life.said("sensor failed:")[0] == "TooWeak: no satellite of 20 dB-Hz in 15 s (position)"
    assert [text for text in life.said("sampled") if "sensor position failed: TooWeak" in text]
    assert len(searches(whole)) == 9
    assert all(s >= FULL_S for _, s in searches(whole))
    assert life.mah_per_day < 0.55 * whole.mah_per_day


def test_a_sky_that_is_back_is_found_and_nothing_is_put_off_then():
    life = lived(0.06, cn0=((0.0, 15.0), (1500.0, 40.0)))
    found = searches(life)
    assert [round(at / 900) for at, _ in found] == [0, 1, 3, 4, 5]
    assert 30 < found[2][1] < 40  # a cold start
    assert all(s < 10 for _, s in found[3:])


def test_a_module_that_tells_nothing_of_satellites_is_waited_for():
    for how in ({"gsv": False}, {"cn0": ((0.0, 40.0),), "cold_s": 9999}):  # or of strong ones
        life = lived(0.025, **how)
        assert [round(at / 900) for at, _ in searches(life)] == [0, 1, 2]
        assert all(s >= FULL_S for _, s in searches(life))


def test_who_has_found_a_position_without_strong_satellites_is_not_asked_again():
    life = lived(0.1, cn0=((0.0, 40.0),), weak_db=50)
    found = searches(life)
    assert [round(at / 900) for at, _ in found] == [0, 1, 3, 7, 8, 9]
    assert [round(s / 10) for _, s in found[:3]] == [2, 2, 2]
    assert len([text for text in life.said("sampled") if '"lat"' in text]) == 3
