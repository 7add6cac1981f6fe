"""Pulses are counted, each once, whatever the node does meanwhile: the ready sensor `pulse`."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware import config
from firmware.last_good import ConfigError
from host_tests import deployed
from tools.lockstep import Bench
from tools.own import new
from tools.virtual_board.board import Board, flash_folder
from tools.virtual_board.runner import BOOT_MS

MINUTE_S = 60
DAY_S = 86400
SENSOR = new.ready()["pulse"].read_bytes()


class Meter:
    """A node without a module, with a contact at pin 33. course -- lines of seconds, volts"""

    def __init__(self, folder: Path, course: str, **given: Any) -> None:
        flash, virtual = folder / "flash", folder / "virtual"
        virtual.mkdir(parents=True)
        (virtual / "pin33.csv").write_text(course)
        deployed.put(flash)
        (flash / "sensors").mkdir()
        (flash / "sensors" / "pulse.py").write_bytes(SENSOR)
        given.setdefault("sensors", {"pulse": {"wakes": 1, **given.pop("pulse", {})}})
        config = {
            "id": "m",
            "mqtt": {"host": "h"},
            "pins": {"alarm": 33, **given.pop("pins", {})},
            "sample": {"period_s": MINUTE_S},
            "report": {"period_s": 7 * DAY_S},  # one try at the start
            **given,
        }
        (flash / "config.json").write_text(json.dumps(config))
        self.flash = flash
        self.bench = Bench(Board(flash_folder(flash), virtual=virtual))

    def records(self) -> list[dict[str, Any]]:
        """name -> value of each."""
        found = []
        for _, line in self.bench.console:
            if line.startswith("sampled "):
                pack = json.loads(line.removeprefix("sampled "))
                found.append({f["n"]: f.get("v", f.get("vs")) for f in pack})
        return found

    def counted(self, until_s: float) -> int:
        """All pulses by then."""
        self.bench.run(until=until_s)
        records = self.records()
        events = [record["event"] for record in records if "event" in record]
        assert not [text for text in events if "pulse" in text], events
        sums = [record["pulses_sum"] for record in records]
        assert sum(sums) == records[-1]["pulses"]
        return records[-1]["pulses"]


@pytest.fixture
def meter(tmp_path: Path) -> Iterator[Any]:
    made: list[Meter] = []

    def make(course: str, **given: Any) -> Meter:
        made.append(Meter(tmp_path / f"node{len(made)}", course, **given))
        return made[-1]

    yield make
    for each in made:
        each.bench.close()


def pulses(*at_s: float, long_s: float = 0.1, bounces: int = 0, high: float = 3.3) -> str:
    """A course: a closing at each of these moments, with bounces of a millisecond at both ends."""
    rows = {0.0: 0.0}
    for at in at_s:
        for n in range(bounces):
            rows |= {at + 0.002 * n: high, at + 0.002 * n + 0.001: 0}
            rows |= {at + long_s + 0.002 * n: 0, at + long_s + 0.002 * n + 0.001: high}
        rows |= {at + 0.002 * bounces: high, at + long_s + 0.002 * bounces: 0}
    return "".join(f"{at:.4f},{volts}\n" for at, volts in sorted(rows.items()))


EACH_10_S = [200 + 10 * n for n in range(30)]
ASLEEP_AT = 190  # the one try to report is over, the node sleeps between samples
COURSES = {
    "short": (pulses(*EACH_10_S), 30),
    "shorter than a boot by far": (pulses(*EACH_10_S, long_s=0.005), 30),
    "longer than a wake": (pulses(*EACH_10_S, long_s=4), 30),
    "closed over samples": (pulses(200, 400, long_s=150), 2),
    "closed for good": (pulses(200, long_s=1e6), 1),
    "closed from the start": ("0,3.3\n", 0),
    "closed from the start, then open": ("0,3.3\n200,0\n300,3.3\n301,0\n", 1),
    "bounces": (pulses(*EACH_10_S, bounces=5), 30),
    "bounces, and long": (pulses(*EACH_10_S, long_s=4, bounces=5), 30),
    "a second apart": (pulses(*(200 + n for n in range(60)), long_s=0.2), 60),
    "while it is awake": (pulses(*(1 + n / 4 for n in range(16)), long_s=0.1), 16),
    "awake, bounces": (pulses(*(1 + n / 4 for n in range(16)), long_s=0.12, bounces=5), 16),
    "at the samples": (pulses(*(60 * n for n in range(4, 9)), long_s=0.05), 5),
    "as the board boots for a sample": (pulses(*(60 * n + 0.2 for n in range(4, 9)), long_s=1), 5),
}


@pytest.mark.parametrize("course", list(COURSES))
def test_each_pulse_counts_once(meter, course):
    text, wanted = COURSES[course]
    assert meter(text).counted(600) == wanted


@pytest.mark.parametrize("seed", range(4))
def test_any_course_of_a_contact_counts_each_pulse_once(meter, seed):
    """Pulses of any length at any distance that is longer than a boot."""
    dice = random.Random(seed)
    at, rows, count = 1.0, {0.0: 0.0}, 0
    while at < 500:
        long_s = dice.choice((0.005, 0.05, 0.3, 2, 20)) * dice.uniform(0.5, 1.5)
        rows |= {at: 3.3, at + long_s: 0}
        count += 1
        at += long_s + BOOT_MS / 1000 + 0.05 + dice.expovariate(1 / dice.choice((0.1, 3, 40)))
    text = "".join(f"{at:.4f},{volts}\n" for at, volts in rows.items())
    assert meter(text).counted(600) == count


def test_a_contact_that_closes_to_ground(meter):
    text = pulses(*EACH_10_S).replace(",0.0", ",x").replace(",0\n", ",x\n")
    text = text.replace("3.3", "0").replace("x", "3.3")
    assert meter(text, pins={"alarm_active": 0}).counted(600) == 30


def test_units_are_exact_and_the_count_begins_again_at_its_end(meter):
    made = meter(pulses(*EACH_10_S), pulse={"per_unit": 64, "unit": "kWh", "name": "energy"})
    # As after a loss of supply.
    (made.flash / "pulse").write_text(f"{(1 << 30) - 7} {(1 << 30) - 7}")
    made.bench.run(until=600)
    records = made.records()
    assert records[-1]["energy"] == round(23 / 64, 4)
    assert sum(record["energy_sum"] for record in records) == pytest.approx(30 / 64, abs=0.0002)


def test_what_a_loss_of_supply_and_a_reset_cost(meter):
    made = meter(pulses(*EACH_10_S), pulse={"save_s": 60})
    made.bench.run(until=405.5)
    made.bench.press_reset()  # RTC memory is kept
    made.bench.run(until=455.5)
    made.bench.cut_power(10)
    made.bench.run(until=600)
    last = made.records()[-1]["pulses"]
    assert 30 - 2 - 60 / 10 <= last <= 30


def test_what_it_writes_to_flash_is_bounded(meter):
    course = pulses(*(20 * n for n in range(10, 90)))
    made = meter(course, sample={"period_s": 7200}, pulse={"save_s": 900})
    written = set()
    for until in range(300, 1800, 100):
        made.bench.run(until=until)
        written.add((made.flash / "pulse").read_bytes())
    assert len(written) == 2


def test_no_more_wakes_than_are_allowed(meter):
    made = meter(pulses(*EACH_10_S), pulse={"max_per_day": 10})
    made.bench.run(until=600)
    records = made.records()
    assert 5 <= records[-1]["pulses"] <= 10  # some had a wake when the contact opened, too
    assert len(made.bench.wakes) < 20
    events = [record["event"] for record in records if "max_per_day" in record.get("event", "")]
    assert events == ["pulse: max_per_day wakes: until tomorrow it counts only while awake"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "no pins.alarm is set"),
        ({"pins": {"alarm": 33}, "other": True}, "other has pins.alarm"),
        ({"pins": {"alarm": 33}, "wakes": 2}, "sensors.pulse.wakes: 2 is not allowed"),
    ],
)
def test_a_pin_that_nobody_or_somebody_else_has_is_refused(given, words):
    sensors = {"pulse": {"wakes": given.pop("wakes", 1)}}
    if given.pop("other", False):
        sensors["other"] = {"wakes": 1}
    given |= {"id": "n", "mqtt": {"host": "h"}, "sensors": sensors}
    with pytest.raises(ConfigError, match=words):
        config.check(given, config.SCHEMA, "config.json")


WRONG = {
    "def woken(node, settings, kept, rang):\n    raise OSError(5)\n": "sensor bad: OSError: ",
    "": "AttributeError",
    "def woken(node, settings, kept, rang):\n    while True: time.sleep(1)\n": "",
    "def woken(*_): pass\ndef before_sleep(*_):\n    while True: time.sleep(1)\n": "",
    "def woken(node, settings, kept, rang):\n    kept[1] = node\n": "sensor bad: ",
}


@pytest.mark.parametrize("code", list(WRONG))
def test_whatever_a_sensor_does_with_the_pin_the_node_lives(meter, code):
    made = meter("0,0\n", sensors={"bad": {"wakes": 1}}, watchdog_s=10)
    (made.flash / "sensors" / "pulse.py").unlink()
    (made.flash / "sensors" / "bad.py").write_text(
        "import time\ndef read(node):\n    return []\n" + code
    )
    made.bench.run(until=4500)
    records = made.records()
    assert len(records) >= 3
    assert WRONG[code] in str(records)
