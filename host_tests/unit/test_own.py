"""A node's own sensors, rules and fences in its wakes: firmware/own."""

import json

from firmware import config
from firmware.last_good import ConfigError
from firmware.own import fences, has_passed, over, rules, stepped
from firmware.own import sensors as own
from firmware.telemetry import Fixed
from host_tests.support import node_life, raises
from host_tests.unit.test_sensing import Rig as Plain

NAN = float("nan")


class Own:
    """A file of sensors/. gives -- what read() returns, an error it raises, or a callable"""

    def __init__(self, gives, **attributes):
        self.gives = gives
        self.reads = 0
        for name in attributes:
            setattr(self, name, attributes[name])

    def read(self, node):
        self.reads += 1
        if isinstance(self.gives, BaseException):
            raise self.gives
        return self.gives() if callable(self.gives) else self.gives


class Rig(Plain):
    """own -- name: Own, or an error that its import raises; room -- bytes of RTC memory for it"""

    def __init__(self, own=None, room=0, **config):
        super().__init__(**config)
        self.own = own or {}
        self.room = room
        if own is not None:
            self.flash.folders.add("sensors")

    def _load(self, name):
        found = self.own[name]
        if isinstance(found, BaseException):
            raise found
        return found

    def wake(self, cause="deepsleep", rtc=True, sensors=None):
        before = own.names, own.load, node_life.Board
        room = self.room

        class Board(node_life.Board):
            memo_bytes = room

            def store(self, data):
                assert len(data) <= 68 + room
                self._life.memory = bytes(data)

        own.names = lambda: sorted(self.own)
        own.load = self._load
        node_life.Board = Board
        try:
            return super().wake(cause, rtc, sensors)
        finally:
            own.names, own.load, node_life.Board = before

    def live(self, wakes):
        """[(n-th wake, its samples)] of those that delivered something."""
        found = []
        for n in range(wakes):
            samples = self.wake()
            if samples:
                found.append((n, samples))
        return found


def values(samples, name):
    return [value for known, value in samples if known == name]


def flags(samples):
    return values(samples, "event")


ALWAYS = {"sample": {"period_s": 900}, "report": {"period_s": 900}}
MINUTELY = {"sample": {"period_s": 60}, "report": {"period_s": 3600}}

# Sensors -----------------------------------------------------------------------------------------


def test_a_file_in_the_folder_is_read_without_being_named():
    for room in (0, 1900):
        rig = Rig({"soil": Own([("moisture", "/", 0.5)])}, room, **ALWAYS)
        assert values(rig.wake("power", rtc=False), "moisture") == [0.5]
        assert values(rig.wake(), "moisture") == [0.5]


def test_a_coroutine_is_awaited_and_warm_up_comes_before():
    order = []

    class Slow:
        warm_up_ms = 2500

        def setup(self, node, settings):
            order.append("setup")

        async def read(self, node):
            order.append("read")
            return [("slow", None, 1)]

    rig = Rig({"slow": Slow()}, **ALWAYS)
    assert values(rig.wake("power", rtc=False), "slow") == [1]
    assert order == ["setup", "read"]


def test_settings_are_given_complete():
    given = []
    sensor = Own(
        [("m", None, 1)],
        SETTINGS={
            "dry_v": (2.8, float, 0, 5),
            "way": ("a", ("a", "b")),
            "pin": (-1, "pin", -1, 255),
        },
        setup=lambda node, settings: given.append(settings),
    )
    rig = Rig({"soil": sensor}, sensors={"soil": {"dry_v": 3}}, **ALWAYS)
    rig.wake("power", rtc=False)
    assert given == [{"dry_v": 3.0, "way": "a", "pin": -1}]


def test_each_is_read_in_its_own_period():
    for room in (0, 1900):
        seldom, often = Own([("a", None, 1)], period_s=3600), Own([("b", None, 1)])
        rig = Rig({"seldom": seldom, "often": often}, room, **ALWAYS)
        rig.wake("power", rtc=False)
        for _ in range(16):
            rig.wake()
        assert often.reads == 17
        assert seldom.reads == 5, room


def test_a_period_in_the_configuration_comes_before_the_files():
    sensor = Own([("a", None, 1)], period_s=60)
    rig = Rig({"s": sensor}, sensors={"s": {"period_s": 1800}}, **ALWAYS)
    rig.wake("power", rtc=False)
    rig.live(8)
    assert sensor.reads == 5


WRONG = (
    ValueError("broken"),
    OSError(19),
    None,
    7,
    "text",
    [None],
    [("only", 1)],
    [(1, 2, 3)],
    [("n", None, NAN)],
    [("n", None, "x" * 10000)],
    [("v%d" % n, None, n) for n in range(500)],
    [("n", None, object())],
)


def test_what_a_sensor_does_costs_its_own_values_only():
    for wrong in WRONG:
        fine = Own([("fine", None, 1)])
        rig = Rig({"bad": Own(wrong), "fine": fine}, **ALWAYS)
        told = 0
        for n in range(20):
            samples = rig.wake("power" if not n else "deepsleep", rtc=bool(n))
            assert values(samples, "fine") == [1], wrong
            told += len([text for text in flags(samples) if text.startswith("sensor bad failed")])
        assert told == 1, wrong


def test_a_sensor_that_cannot_be_imported_or_set_up_is_told():
    def setup(node, settings):
        raise OSError(5)

    for bad in (ImportError("no module"), SyntaxError("x"), MemoryError(), Own([], setup=setup)):
        rig = Rig({"bad": bad, "fine": Own([("fine", None, 1)])}, **ALWAYS)
        samples = rig.wake("power", rtc=False)
        assert values(samples, "fine") == [1]
        assert len(flags(samples)) == 1
        rig.own["bad"] = Own([("bad", None, 2)])
        samples = rig.wake()
        assert flags(samples) == ["sensor bad is back"]
        assert values(samples, "bad") == [2]


def test_a_sensor_whose_file_is_gone_is_told_once():
    rig = Rig({}, sensors={"gone": {"period_s": 60}}, **ALWAYS)
    assert flags(rig.wake("power", rtc=False)) == ["sensor gone failed: no file sensors/gone.py"]
    assert flags(rig.wake()) == []


class Hangs(KeyboardInterrupt):
    """The watchdog bites: of what can be raised only this ends the program."""


def test_a_sensor_that_keeps_the_processor_is_found_and_left_out():
    for rtc in (False, True):
        for where in ("read", "setup"):

            def hang(*_):
                raise Hangs

            bad = Own(hang) if where == "read" else Own([], setup=hang)
            rig = Rig(
                {"a": Own([("a", None, 1)]), "bad": bad, "c": Own([("c", None, 3)])}, **ALWAYS
            )
            bites = 0
            for n in range(10):
                try:
                    samples = rig.wake("watchdog" if n else "power", rtc)
                except Hangs:
                    bites += 1
                    continue
                break
            assert bites == 2, (rtc, where)
            assert values(samples, "a") == [1]
            assert values(samples, "c") == [3]
            assert [text for text in flags(samples) if "watchdog bit" in text]
            for _ in range(5):
                assert values(rig.wake(), "c") == [3]


# Several readings --------------------------------------------------------------------------------


def counting(*numbers):
    left = list(numbers)
    return lambda: [("level", "m", left.pop(0) if left else numbers[-1])]


def test_a_record_a_report_holds_all_readings():
    for room in (0, 1900):
        level = Own(counting(1, 2, 6))
        rig = Rig(
            {"tank": level, "door": Own([("door", None, "shut")])},
            room,
            sample={"period_s": 300, "record": "report"},
            report={"period_s": 900},
            sensors={"tank": {"over": ["min", "mean", "max", "last"]}},
        )
        rig.wake("power", rtc=False)
        reports = rig.live(12)
        assert len(reports) == 3
        for _, samples in reports:
            assert len(values(samples, "seq")) == 1
            assert values(samples, "door") == ["shut"]
        assert values(reports[0][1], "level.max") == [6]
        assert values(reports[-1][1], "level.min") == [6]
        assert level.reads == 13


def test_folding_follows_its_words():
    kept = {}
    for value in (1, 4, 2.5):
        over.fold(kept, [("x", "V", value), ("t", None, "word"), ("b", None, True)], "mean")
    kept = json.loads(json.dumps(kept))
    found = {name: value for name, _, value in over.folded(kept)}
    assert found == {"x": 2.5, "t": "word", "b": True}
    for how, want in (("min", 1), ("max", 4), ("last", 2.5)):
        kept = {}
        for value in (1, 4, 2.5):
            over.fold(kept, [("x", "V", value)], how)
        assert over.folded(kept) == [("x", "V", want)]
    kept = {}
    over.fold(kept, [("lat", "lat", Fixed(1214736670, 7))], "last")
    assert over.folded(json.loads(json.dumps(kept))) == [("lat", "lat", Fixed(1214736670, 7))]


# Rules -------------------------------------------------------------------------------------------


def course(rule, numbers, step_s=60):
    """What a rule does at each of these values of "t": "!" acts, "." nothing, "-" is over."""
    kept = {}
    shown = ""
    for n, value in enumerate(numbers):
        samples = [] if value is None else [("t", None, value)]
        texts, record, report = rules.judge({"r": rule}, kept, samples, 1000000 + n * step_s)
        kept = json.loads(json.dumps(kept))
        over_ = [text for text in texts if text.endswith("is over")]
        assert report == (record and not over_ and rule.get("do", "report") == "report")
        shown += "-" if over_ else "!" if record else "."
    return shown


def test_rules_act_once_until_they_are_over():
    for rule, numbers, want in (
        ({"above": 5}, (4, 5, 6, 7, 6, 5, 6), "..!..-!"),
        ({"below": 5}, (6, 5, 4, 3, 5, 4), "..!.-!"),
        ({"above": 5, "hysteresis": 2}, (6, 4.9, 5.1, 3.1, 3, 6), "!...-!"),
        ({"below": 5, "hysteresis": 2}, (4, 5.1, 6.9, 7, 4), "!..-!"),
        ({"above": 5, "for_s": 120}, (6, 6, 6, 6, 4, 6, 4, 6, 6, 6), "..!.-....!"),
        ({"change": 2}, (10, 11, 12, 13, 14, 11), "..!.!!"),
        ({"rate": 60}, (0, 1, 2, 4, 4, 4), "...!-."),
        ({"above": 5, "gap_s": 180}, (6, 4, 6, 4, 6, 6), "!-..!."),
        ({"above": 5, "max_per_day": 2}, (6, 4, 6, 4, 6, 4), "!-!-.."),
        ({"above": 5, "do": "event"}, (6, 4), "!-"),
        ({"above": 5, "do": "record"}, (6, 4), "!."),
        ({"above": 5}, (6, None, 6, 4), "!..-"),
        ({"above": -1}, (0, -2, 0), "!-!"),
    ):
        rule = dict(rule)
        rule["of"] = "t"
        assert course(rule, numbers) == want, rule


def test_a_value_that_trembles_costs_no_more_than_the_rule_says():
    for rule in ({"above": 5}, {"below": 5}, {"change": 0.5}, {"rate": 1}):
        for most in (1, 3, 24):
            rule = dict(rule)
            rule.update({"of": "t", "max_per_day": most})
            shown = course(rule, [4.5 + n % 2 for n in range(1440)])
            assert 1 <= shown.count("!") <= 2 * most, (rule, most)  # of two calendar days


def test_a_clock_that_is_set_leaves_no_rule_dead():
    rule = {"of": "t", "above": 5, "for_s": 60, "gap_s": 600}
    for step in (-1000000, 1000000):
        kept = {}
        now = 5000000
        for value in (6, 6, 4):
            rules.judge({"r": rule}, kept, [("t", None, value)], now)
            now += 60
        now += step
        acts = 0
        for _ in range(20):
            acts += rules.judge({"r": rule}, kept, [("t", None, 6)], now)[2]
            now += 60
        assert acts == 1, step


def test_what_was_kept_of_rules_may_be_anything():
    rule = {"of": "t", "above": 5}
    for kept in (None, 7, [], [1], "x", {}):
        assert rules.judge({"r": rule}, {"r": kept}, [("t", None, 6)], 100)[2]


def test_a_rule_reports_at_once():
    level = Own(counting(1, 1, 1, 9, 9, 9, 1))
    rig = Rig(
        {"tank": level}, rules={"full": {"of": "level", "above": 5, "hysteresis": 1}}, **MINUTELY
    )
    rig.wake("power", rtc=False)
    reports = rig.live(8)
    events = [(n, flags(samples)) for n, samples in reports if flags(samples)]
    assert events == [(3, ["rule full: level 9 above 5"])], reports


def test_records_only_when_something_has_changed():
    for room in (0, 1900):
        rig = Rig(
            {"tank": Own(counting(1, 1.1, 1.2, 1.6, 1.6, 1.6))},
            room,
            sample={"period_s": 60, "at_least_s": 600},
            report={"period_s": 60},
            dead_bands={"level": 0.5},
        )
        found = values(rig.wake("power", rtc=False), "level")
        for _ in range(24):
            found += values(rig.wake(), "level")
        assert found[0] == 1, room


def test_so_many_records_are_reported():
    rig = Rig(sample={"period_s": 60}, report={"period_s": 86400, "records": 5})
    rig.wake("power", rtc=False)
    counts = [len(values(samples, "seq")) for _, samples in rig.live(30)]
    assert counts and set(counts) == {5}, counts


# Fences ------------------------------------------------------------------------------------------

YARD = {"circle": [31.0, 121.0, 200]}
SQUARE = {"polygon": [[0, 0], [0, 1], [1, 1], [1, 0]]}
BEND = {"polygon": [[0, 0], [0, 2], [2, 2], [2, 0], [1, 1]]}
DATE_LINE = {"polygon": [[-1, 179], [-1, -179], [1, -179], [1, 179]]}


def test_what_is_inside():
    for fence, here, want in (
        (YARD, (31.0, 121.0), True),
        (YARD, (31.0017, 121.0), True),
        (YARD, (31.0019, 121.0), False),
        (YARD, (31.0, 121.002), True),
        (YARD, (31.0, 121.0022), False),
        (SQUARE, (0.5, 0.5), True),
        (SQUARE, (1.5, 0.5), False),
        (SQUARE, (0.5, -0.1), False),
        (SQUARE, (-0.1, 0.5), False),
        (BEND, (1, 0.5), False),
        (BEND, (1, 1.5), True),
        (DATE_LINE, (0, 179.5), True),
        (DATE_LINE, (0, -179.5), True),
        (DATE_LINE, (0, 178), False),
        (DATE_LINE, (0, 0), False),
    ):
        assert fences.is_inside(fence, here) == want, (fence, here)


def crossings(fence, way):
    kept = {}
    shown = ""
    for n, (lat, lon) in enumerate(way):
        found = fences.judge(
            {"f": fence}, kept, [("lat", "lat", lat), ("lon", "lon", lon)], n * 60
        )
        kept = json.loads(json.dumps(kept))
        texts = found[0]
        shown += "." if not texts else "i" if texts[0] == "fence f: inside" else "o"
    return shown


def test_a_fence_tells_of_what_crosses_it():
    out, in_ = (5, 5), (0.5, 0.5)
    assert crossings(SQUARE, (out, out, in_, in_, out, in_)) == "..i.oi"
    assert crossings(SQUARE, (in_, in_, out)) == "..o"
    slow = {"polygon": SQUARE["polygon"], "dwell_s": 120}
    assert crossings(slow, (out, in_, out, in_, in_, in_, in_, out)) == ".....i.."


# Times -------------------------------------------------------------------------------------------

EARLY_OR_LATE = [(first, then) for first in (-1, 0, 1) for then in (-1, 0, 1)]
PERIODS = (10, 60, 600, 900, 3600)


def test_a_time_of_so_many_periods_has_passed_at_that_sample_and_not_before():
    for period_s in PERIODS:
        for count in (1, 2, 7):
            for first, then in EARLY_OR_LATE:
                since = 800000000 + first
                for n in range(1, count + 2):
                    now = 800000000 + n * period_s + then
                    found = has_passed(since, now, count * period_s)
                    assert found == (n >= count), (period_s, count, first, then, n)
    for flex_s in (5, 30, 29):  # samples of a minute
        for first, then in EARLY_OR_LATE:
            for n in (1, 2, 3):
                now = 1000 + n * 60 + then + (flex_s if n == 1 else -flex_s) // 2
                assert has_passed(1000 + first + flex_s // 2, now, 120, flex_s) == (n >= 2)


def test_no_time_has_passed_at_once_and_none_lasts_for_ever():
    for wanted_s in (1, 2, 3, 5, 60):
        assert not has_passed(100, 100, wanted_s, 86400), wanted_s
        assert has_passed(100, 100 + wanted_s, wanted_s)
        assert has_passed(100, 99, wanted_s)  # the clock was set back
    assert has_passed(100, 100, 0)


def jittered(count, step_s, first, then):
    """Moments of samples: the first ones early or late, the last one otherwise."""
    return [1000000 + n * step_s + (first if n < count - 1 else then) for n in range(count)]


def test_what_waits_for_so_long_acts_at_the_sample_of_then():
    for step_s in PERIODS:
        for first, then in EARLY_OR_LATE:
            at = jittered(4, step_s, first, then)  # the fourth is three periods later
            wait_s = 3 * step_s
            kept, acts = {}, []
            for now in at:
                rule = {"r": {"of": "t", "above": 5, "for_s": wait_s}}
                acts.append(rules.judge(rule, kept, [("t", None, 6)], now)[2])
            assert acts == [False, False, False, True], (step_s, first, then)
            kept, acts = {}, []
            for now in at:
                rule = {"r": {"of": "t", "change": 1, "gap_s": wait_s}}
                value = 1 if not acts else 9 + len(acts)
                acts.append(rules.judge(rule, kept, [("t", None, value)], now - 1)[2])
                if len(acts) == 1:
                    kept["r"][4] = now - 1  # it did something then
            assert acts == [False, False, False, True], (step_s, first, then)
            fence = {"f": dict(YARD, dwell_s=wait_s)}
            kept, told = {"f": [True, None]}, []
            for now in at:
                there = [("lat", "lat", 5.0), ("lon", "lon", 5.0)]
                told.append(bool(fences.judge(fence, kept, there, now)[0]))
            assert told == [False, False, False, True], (step_s, first, then)


class Uneven(Rig):
    """Each second wake comes a second late, as a clock of whole seconds has it."""

    def wake(self, *args, **more):
        self.life.now += (self.life.wakes + 1) % 2
        return super().wake(*args, **more)


def test_uneven_wakes_put_nothing_off():
    for room in (0, 1900):
        seldom = Own([("a", None, 1)], period_s=2700)
        rig = Uneven({"seldom": seldom, "tank": Own([("level", "m", 1)])}, room, **ALWAYS)
        rig.wake("power", rtc=False)
        rig.live(18)
        assert seldom.reads == 7, room
        rig = Uneven(
            {"tank": Own([("level", "m", 1)])},
            room,
            sample={"period_s": 900, "at_least_s": 2700},
            report={"period_s": 86400, "records": 2},
            dead_bands={"level": 0.5},
            rules={"no": {"of": "level", "above": 9}},
        )
        rig.wake("power", rtc=False)
        reports = [n for n, _ in rig.live(40)]
        gaps = {reports[n + 1] - reports[n] for n in range(1, len(reports) - 1)}
        assert gaps and gaps <= {6, 7, 8}, reports  # a report is a wake more


class Remembers:
    """A node, for what is remembered."""

    memo_bytes = 1900

    def __init__(self, own):
        self.own = own
        self.state = self.board = self

    def pack(self):
        return b""

    def store(self, data):
        pass


def test_a_clock_that_is_set_makes_no_time_pass():
    for step in (753315200, 30, -30, -100000):
        node = Remembers({})
        own_ = node.own
        rule, fence = {"r": {"of": "t", "above": 5, "for_s": 600}}, {"f": dict(YARD, dwell_s=600)}
        there = [("lat", "lat", 5.0), ("lon", "lon", 5.0)]
        own_.update({"rules": {}, "fences": {"f": [True, None]}, "read": {"s": 1000}})
        own_.update({"record": 1000, "fixed": 1000, "alarm": [1000, 0, 1], "hung": {"h": 1000}})
        acts = []
        for n in range(12):
            now = 1000 + 60 * n + (step if n > 1 else 0)
            if n == 2:
                stepped.shift(node, step)
            acts.append(rules.judge(rule, own_["rules"], [("t", None, 6)], now)[2])
            acts.append(bool(fences.judge(fence, own_["fences"], there, now)[0]))
        assert acts == [False] * 20 + [True, True, False, False], step
        moments = [own_["read"]["s"], own_["record"], own_["fixed"], own_["alarm"][0]]
        assert moments + [own_["hung"]["h"]] == [1000 + step] * 5
    for strange in (
        {},
        {"rules": {"r": 7}, "fences": {"f": []}},
        {"read": {"s": "x"}},
        {"alarm": 1},
    ):
        stepped.shift(Remembers(strange), 5)


# The configuration -------------------------------------------------------------------------------


def refused(**given):
    given.update({"id": "n", "mqtt": {"host": "h"}})
    with raises(ConfigError) as caught:
        config.check(given, config.SCHEMA, "config.json")
    return str(caught.error)


def test_what_cannot_be_used_is_refused_by_its_key():
    for key, given in (
        ("rules", {"rules": 7}),
        ("rules.a", {"rules": {"a": 7}}),
        ("rules.a", {"rules": {"a": {"of": "t"}}}),
        ("rules.a", {"rules": {"a": {"of": "t", "above": 1, "below": 2}}}),
        ("rules.a.of", {"rules": {"a": {"above": 1}}}),
        ("rules.a.above", {"rules": {"a": {"of": "t", "above": "1"}}}),
        ("rules.a.do", {"rules": {"a": {"of": "t", "above": 1, "do": "shout"}}}),
        ("rules.a.for_s", {"rules": {"a": {"of": "t", "above": 1, "for_s": -1}}}),
        ("rules.a.max_per_day", {"rules": {"a": {"of": "t", "above": 1, "max_per_day": 0}}}),
        ("rules.a.frequency", {"rules": {"a": {"of": "t", "above": 1, "frequency": 0}}}),
        ("rules.a.hysteresis", {"rules": {"a": {"of": "t", "change": 1, "hysteresis": 1}}}),
        ("rules: a b", {"rules": {"a b": {"of": "t", "above": 1}}}),
        ("fences.f", {"fences": {"f": {}}}),
        ("fences.f", {"fences": {"f": {"circle": [1, 2, 3], "polygon": []}}}),
        ("fences.f.circle", {"fences": {"f": {"circle": [1, 2]}}}),
        ("fences.f.circle", {"fences": {"f": {"circle": [91, 2, 3]}}}),
        ("fences.f.circle", {"fences": {"f": {"circle": 7}}}),
        ("fences.f.polygon", {"fences": {"f": {"polygon": [[1, 2], [3, 4]]}}}),
        ("fences.f.polygon", {"fences": {"f": {"polygon": [[1, 2], [3, 4], [5, 181]]}}}),
        ("fences.f.dwell_s", {"fences": {"f": {"circle": [1, 2, 3], "dwell_s": "x"}}}),
        ("dead_bands.t", {"dead_bands": {"t": -1}}),
        ("sensors.battery.over", {"sensors": {"battery": {"over": "median"}}}),
        ("sensors.battery.period_s", {"sensors": {"battery": {"period_s": -1}}}),
        ("sensors.battery.gain", {"sensors": {"battery": {"gain": 1}}}),
        ("sensors.battery", {"sensors": {"battery": 1}}),
    ):
        said = refused(**given)
        assert said.startswith("config.json: ") and key in said, said


def test_a_sensors_own_settings_are_checked_by_its_table():
    before = own.load
    own.load = lambda name: Own([], SETTINGS={"dry_v": (2.8, float, 0, 5)})
    try:
        good = {"id": "n", "mqtt": {"host": "h"}, "sensors": {"soil": {"dry_v": 3}}}
        assert config.check(good, config.SCHEMA, "c")["sensors"] == {"soil": {"dry_v": 3}}
        assert "sensors.soil.dry_v: 9" in refused(sensors={"soil": {"dry_v": 9}})
        assert "sensors.soil.wet_v" in refused(sensors={"soil": {"wet_v": 1}})
    finally:
        own.load = before


def test_one_of_them_may_be_put():
    given = {"rules": {"a": {"of": "t", "above": 1}}}
    config.put(given, "rules.a.above", 2)
    config.put(given, "sensors.soil.dry_v", 3)
    assert given == {"rules": {"a": {"of": "t", "above": 2}}, "sensors": {"soil": {"dry_v": 3}}}
    with raises(ConfigError):
        config.put(given, "soil.dry_v", 3)
