"""What a node tells of its start and its sensors: each thing once, whatever becomes of wakes."""

import json

from firmware import failing, state, telemetry, version
from firmware.telemetry import Fixed
from host_tests.support import node_life
from host_tests.support.node_life import Life
from host_tests.support.ram_files import RamFiles

DAY_S = 86400
NAN = float("nan")
INF = float("inf")


class Sensor:
    """gives -- what read() returns, or an error that it raises"""

    def __init__(self, name, gives):
        self.__name__ = "firmware.sensors." + name
        self._gives = gives

    async def read(self, node):
        if isinstance(self._gives, BaseException):
            raise self._gives
        return self._gives


class Rig:
    """A node without a module, on flash and RTC memory of its own."""

    def __init__(self, **config):
        self.flash = RamFiles()
        node_life.begin(self.flash.files.__setitem__)
        given = json.loads(self.flash.files["config.json"])
        given.update(config)
        self.flash.files["config.json"] = json.dumps(given).encode()
        self.life = Life()

    def wake(self, cause="deepsleep", rtc=True, sensors=None):
        """One wake that samples. Returns the samples of what it has delivered: [(name, value)]."""
        life = self.life
        life.cause = cause
        if not rtc:
            life.memory = b""
        if sensors is not None:
            life.sensors = sensors
        before = len(life.delivered)
        with self.flash.under(*node_life.MODULES):
            assert life.wake()
        assert not life.crashes, life.crashes
        return _samples(life.delivered[before:])

    def events(self, cause="deepsleep", rtc=True, sensors=None):
        return [value for name, value in self.wake(cause, rtc, sensors) if name == "event"]


def _samples(delivered):
    found = []
    for _, record in delivered:
        fields = json.loads(record[record.index(b"[") :].decode())
        found += [(f["n"], f.get("v", f.get("vs", f.get("vb")))) for f in fields]
    return found


def reporting(**config):
    """A node whose every wake samples and reports."""
    return Rig(sample={"period_s": 900}, report={"period_s": 900}, **config)


def told(samples):
    return [(name, value) for name, value in samples if name in ("reset", "version", "driver")]


NEWS = [("version", version.VERSION)]

# The start ---------------------------------------------------------------------------------------


def test_a_reset_is_told_in_the_first_record_after_it_and_never_again():
    for cause in ("power", "reset", "watchdog", "soft", "unknown 77"):
        for rtc in (False, True):
            rig = reporting()
            rig.wake("power", rtc=False)
            rig.life.now += 900
            want = [("reset", cause.split(" ")[0])] + NEWS
            # Its memory is kept, and nothing is due: the next wake tells.
            samples = rig.wake(cause, rtc)
            assert told(samples) == want, (cause, rtc)
            assert samples[0][0] == "seq"
            for _ in range(3):
                assert told(rig.wake()) == [], (cause, rtc)


def test_waking_from_deep_sleep_is_no_reset_but_a_start_where_memory_is_lost():
    rig = reporting()
    assert told(rig.wake(rtc=False)) == NEWS
    assert told(rig.wake()) == []
    assert told(rig.wake(rtc=False)) == NEWS


def test_a_reset_before_anything_is_due_waits_for_the_first_record():
    for cause in ("reset", "watchdog", "soft"):
        rig = reporting()
        rig.wake("power", rtc=False)
        rig.life.now -= 800  # within the period
        assert rig.wake(cause) == []
        rig.life.now += 900
        assert told(rig.wake()) == [("reset", cause)] + NEWS
        assert told(rig.wake()) == []


def test_after_light_sleep_nothing_is_told_again():
    rig = Rig(sample={"period_s": 10}, report={"period_s": 10})
    rig.life.light_sleeps = 5
    samples = rig.wake("watchdog", rtc=False)
    assert len([name for name, _ in samples if name == "wake"]) > 3
    assert told(samples) == [("reset", "watchdog")] + NEWS
    assert told(rig.wake("deepsleep")) == []


def test_reports_that_fail_lose_no_reset_and_repeat_none():
    for cause in ("power", "reset", "watchdog", "soft"):
        for records in (1, 4):
            rig = reporting()
            rig.wake("power", rtc=False)
            rig.life.network = False
            assert rig.wake(cause, rtc=cause != "power") == []
            for _ in range(records):
                assert rig.wake() == []
            rig.life.network = True
            rig.life.now += 40000
            samples = rig.wake()
            assert len([name for name, _ in samples if name == "wake"]) > records
            assert told(samples) == [("reset", cause)] + NEWS


def test_each_of_several_resets_is_told():
    rig = reporting()
    rig.life.network = False
    for cause in ("power", "watchdog", "watchdog", "soft"):
        rig.wake(cause)
        rig.life.now += 40000
    rig.life.network = True
    samples = rig.wake()
    causes = [value for name, value in samples if name == "reset"]
    assert causes == ["power", "watchdog", "watchdog", "soft"]


def test_the_state_keeps_cause_and_module_in_one_byte():
    for cause in range(len(state.CAUSES)):
        for module in range(len(state.MODULE)):
            again = state.unpack(state.State(cause=cause, module=module).pack())
            assert (again.cause, again.module) == (cause, module)
    again = state.unpack(state.State(cause=15, module=15).pack())
    assert (again.cause, again.module) == (0, 0)


def test_a_driver_of_another_version_is_named():
    import c1100

    ours = c1100.__version__
    assert version.versions() == [("version", None, ours)]
    assert version.text() == "firmware " + ours
    try:
        c1100.__version__ = "9.8"
        assert version.versions()[1:] == [("driver", None, "9.8")]
        assert version.text() == "firmware %s with driver 9.8" % ours
        del c1100.__version__
        assert version.versions()[1:] == [("driver", None, "unknown")]
    finally:
        c1100.__version__ = ours


# Sensors -----------------------------------------------------------------------------------------

GOOD = [
    ("good", "V", 1.5),
    ("text", None, "x"),
    ("flag", None, True),
    ("fixed", "m", Fixed(15, 1)),
]
# What a sensor does, and what is told of it.
BROKEN = (
    (ValueError("hunter22"), "ValueError"),
    (OSError(5, "x"), "OSError 5"),
    (MemoryError(), "MemoryError"),
    (ImportError("no module"), "ImportError"),
    (None, "NoneType instead of a list"),
    (3.3, "float instead of a list"),
    ("3.3", "str instead of a list"),
    ({"bad": 3.3}, "dict instead of a list"),
    (("bad", "V", 3.3), "tuple instead of a list"),
    ([3.3], "float instead of (name, unit, value)"),
    ([None], "NoneType instead of (name, unit, value)"),
    (["abc"], "str instead of (name, unit, value)"),
    ([("bad", 3.3)], "tuple instead of (name, unit, value)"),
    ([("bad", "V", 3.3, 4)], "tuple instead of (name, unit, value)"),
    ([(3, "V", 3.3)], "tuple instead of (name, unit, value)"),
    ([("bad", 3, 3.3)], "bad is no value, or too long"),
    ([("", "V", 3.3)], "? is no value, or too long"),
    ([("bad", "V", None)], "bad is no value, or too long"),
    ([("bad", "V", NAN)], "bad is no value, or too long"),
    ([("bad", "V", INF)], "bad is no value, or too long"),
    ([("bad", "V", -INF)], "bad is no value, or too long"),
    ([("bad", "V", Fixed(NAN, 2))], "bad is no value, or too long"),
    ([("bad", "V", Fixed(1, None))], "bad is no value, or too long"),
    ([("bad", "V", [3.3])], "bad is no value, or too long"),
    ([("bad", "V", b"3.3")], "bad is no value, or too long"),
    ([("bad", "V", {})], "bad is no value, or too long"),
    ([("bad", "V", "x" * 600)], "bad is no value, or too long"),
    ([("bad", "V", 10**600)], "bad is no value, or too long"),
    ([("b" * 600, "V", 1)], "b" * 32 + " is no value, or too long"),
    ([("bad", "V" * 600, 1)], "bad is no value, or too long"),
)


def test_a_sensor_that_fails_is_told_once_and_once_when_it_is_back():
    for wrong, why in BROKEN:
        good = Sensor("fine", GOOD)
        rig = reporting()
        rig.wake(rtc=False, sensors=(Sensor("odd", [("odd", "V", 1)]), good))
        for at in range(3):
            samples = rig.wake(sensors=(Sensor("odd", wrong), good))
            values = dict(samples)
            assert (values["good"], values["text"], values["flag"]) == (1.5, "x", True)
            assert values["fixed"] == 1.5 and "bad" not in values and "odd" not in values
            want = ["sensor odd failed: " + why] if at == 0 else []
            assert [value for name, value in samples if name == "event"] == want, wrong
        for at in range(3):
            samples = rig.wake(sensors=(Sensor("odd", [("odd", "V", 1)]), good))
            assert dict(samples)["odd"] == 1
            want = ["sensor odd is back"] if at == 0 else []
            assert [value for name, value in samples if name == "event"] == want, wrong


def test_a_sensor_that_has_never_worked_is_told_in_the_first_record():
    rig = reporting()
    assert rig.events("power", rtc=False, sensors=(Sensor("odd", None),)) == [
        "sensor odd failed: NoneType instead of a list"
    ]
    assert rig.events() == []


def test_good_values_of_a_sensor_count_whatever_the_others_are():
    rig = reporting()
    some = Sensor("some", [("a", "V", 1), ("bad", "V", NAN), ("c", "V", 3)])
    samples = rig.wake(rtc=False, sensors=(some,))
    assert [pair for pair in samples if pair[0] in ("a", "c")] == [("a", 1), ("c", 3)]
    assert ("event", "sensor some failed: bad is no value, or too long") in samples


def test_no_restart_makes_it_news_again():
    rig = reporting()
    broken = (Sensor("odd", None), Sensor("fine", GOOD))
    assert len(rig.events(rtc=False, sensors=broken)) == 1
    for cause, rtc in (("watchdog", True), ("power", False), ("deepsleep", True), ("soft", True)):
        assert rig.events(cause, rtc) == [], cause
    fine = (Sensor("odd", GOOD), Sensor("fine", GOOD))
    assert rig.events("power", False, fine) == ["sensor odd is back"]
    assert rig.events("power", False) == []


def test_it_is_told_although_the_report_failed():
    rig = reporting()
    rig.wake(rtc=False)
    rig.life.network = False
    for given in ([None, GOOD], [GOOD, GOOD]):
        for turn in given:
            assert rig.events(sensors=(Sensor("odd", turn),)) == []
            rig.life.now += 40000
    rig.life.network = True
    assert rig.events() == [
        "sensor odd failed: NoneType instead of a list",
        "sensor odd is back",
    ]


def test_a_sensor_with_nothing_to_say_neither_fails_nor_is_back():
    rig = reporting()
    assert rig.events(rtc=False, sensors=(Sensor("odd", []),)) == []
    assert len(rig.events(sensors=(Sensor("odd", None),))) == 1
    assert rig.events(sensors=(Sensor("odd", []),)) == []
    assert rig.events(sensors=(Sensor("odd", GOOD),)) == ["sensor odd is back"]


def test_what_comes_and_goes_is_told_four_times_a_day():
    rig = reporting()
    found = []
    wakes = 0
    begin = rig.life.now
    while rig.life.now < begin + 3 * DAY_S:
        wakes += 1
        found += rig.events(sensors=(Sensor("odd", GOOD if wakes % 2 else None),))
        if rig.life.now < begin + DAY_S - 900:
            assert len(found) <= 4
    assert found[:4] == [
        "sensor odd failed: NoneType instead of a list",
        "sensor odd is back",
        "sensor odd failed: NoneType instead of a list",
        "sensor odd comes and goes: told again in a day",
    ]
    assert 8 <= len(found) <= 16 and wakes > 250
    # And once it stands still, what it is.
    rest = []
    for _ in range(2 * DAY_S // 900):
        rest += rig.events(sensors=(Sensor("odd", GOOD),))
    assert rest == ["sensor odd is back"]
    assert "failing" not in rig.flash.files


def test_flash_is_written_for_news_only():
    rig = reporting()
    writes = []

    def meet(what, path):
        if what == "rename to" and path == "failing":
            writes.append(path)

    rig.flash.fault = meet
    for _ in range(2 * DAY_S // 900):
        rig.wake(sensors=(Sensor("odd", None), Sensor("fine", GOOD)))
    assert len(writes) == 1
    rig.wake(sensors=(Sensor("odd", GOOD),))
    assert len(writes) == 2


def test_a_flash_that_takes_nothing_makes_no_flood():
    rig = reporting()

    def meet(what, path):
        if what == "open" and path[:7] == "failing":
            raise OSError(28, "as told")

    rig.flash.fault = meet
    found = []
    for _ in range(20):
        found += rig.events(sensors=(Sensor("odd", None),))
    assert found.count("sensor odd failed: NoneType instead of a list") == 1, found
    assert len(found) <= 3, found


def test_damage_of_what_is_remembered_tells_once_more_at_the_most():
    for damage in (b"", b"\xff\xfe", b"odd", b"odd 1", b"odd x y z\n", b"odd 9 9 9\n", b"\n" * 99):
        rig = reporting()
        rig.wake(rtc=False, sensors=(Sensor("odd", None),))
        rig.flash.files["failing"] = damage
        assert len(rig.events() + rig.events() + rig.events()) <= 1, damage


def test_sensors_at_random_are_told_as_they_are():
    import random

    random.seed(11)
    for _ in range(20):
        kept = b""
        last = {}
        now = 1000
        count = {}
        for _ in range(200):
            now += random.randrange(1, 4000)
            sensed = {name: random.choice(("", "", "x")) for name in "abc"}
            texts, kept = failing.news(kept, sensed, now, lambda text: False)
            for name in "abc":
                about = [text for text in texts if text.split(" ")[1] == name]
                assert len(about) <= 1
                for text in about:
                    times = [t for t in count.get(name, []) if t > now - DAY_S] + [now]
                    count[name] = times
                    assert len(times) <= 8
                    if "failed" in text:
                        assert sensed[name] and last.get(name) != "failed"
                        last[name] = "failed"
                    elif "back" in text:
                        assert not sensed[name] and last.get(name) != "back"
                        last[name] = "back"
                    else:
                        last[name] = "both"
                if last.get(name, "back") == ("back" if sensed[name] else "failed"):
                    raise AssertionError("not told: " + name)


def test_what_can_be_sent_is_told_from_what_cannot():
    for sample in GOOD:
        assert telemetry.are_samples([sample]), sample
    assert telemetry.are_samples([]) and telemetry.are_samples(GOOD)
    for wrong, _ in BROKEN:
        if not isinstance(wrong, Exception):
            assert not telemetry.are_samples(wrong), wrong
