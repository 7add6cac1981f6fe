"""Wrong settings of sensors, rules, fences, dead bands are refused by their key: on the host, on
the node, and as a command; what is right is on trial, and taken back when no report comes through.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from host_tests.patience import LIMIT_S
from tools.deploy import DeployError, project, settings
from tools.own.folder import Folder

SOIL = """
SETTINGS = {
    "dry_v": (2.8, float, 0, 5),
    "pin": (None, int, 0, 255),
    "way": ("a", ("a", "b")),
    "name": ("x", str, 1, 8),
}

def read(node):
    return []
"""
GOOD = {
    "id": "n1",
    "mqtt": {"host": "h"},
    "sensors": {"soil": {"pin": 34}},
    "rules": {"dry": {"of": "moisture", "below": 0.2}},
    "fences": {"yard": {"circle": [31.2, 121.4, 200]}},
    "dead_bands": {"moisture": 0.1},
}
HUGE = [[1, 2]] * 33

# Key as a command has it: values of which each is refused.
WRONG: dict[str, tuple[Any, ...]] = {
    "rules": (7, [], "x", True),
    "rules.a": (7, [], None, {}, {"of": "t"}, {"of": "t", "above": 1, "below": 2}),
    "rules.a b": ({"of": "t", "above": 1},),
    "rules.-a": ({"of": "t", "above": 1},),
    "rules." + "n" * 25: ({"of": "t", "above": 1},),
    "rules.dry.below": (True, "1", [1], {}, 2e12),
    "rules.dry.above": (1,),  # beside below
    "rules.dry.of": ("", 7, [], "a b", "o" * 65),
    "rules.dry.hysteresis": (-1, True, "1", [], 2e12),
    "rules.dry.for_s": (-1, 1.5, "1", True, 604801),
    "rules.dry.gap_s": (-1, 0.5, 86401, []),
    "rules.dry.max_per_day": (0, 1441, 1.0, "3"),
    "rules.dry.do": ("shout", "", 1, ["report"], {}),
    "rules.dry.frequency": (1,),
    "rules.c": ({"of": "t", "change": 0}, {"of": "t", "change": -1}, {"of": "t", "rate": 0},
                {"of": "t", "change": 1, "hysteresis": 1}),
    "fences": (7, [], "x", False),
    "fences.f": (7, [], None, {}, {"circle": [1, 2, 3], "polygon": [[1, 2], [3, 4], [5, 6]]}),
    "fences.f g": ({"circle": [1, 2, 3]},),
    "fences.yard.circle": (
        None, 7, [], {}, [1, 2], [1, 2, 3, 4], [91, 2, 3], [1, 181, 3], [1, 2, 0], [1, 2, 50001],
        ["1", 2, 3], [1, 2, True], [1, None, 3], "1,2,3",
    ),
    "fences.yard.polygon": ([[1, 2], [3, 4], [5, 6]],),  # beside a circle
    "fences.p": tuple(
        {"polygon": corners}
        for corners in (
            None, 7, {}, [], [[1, 2], [3, 4]], [[1, 2], [3, 4], [5]], [[1, 2], [3, 4], [5, 181]],
            [[1, 2], [3, 4], [5, 6, 7]], [[1, 2], [3, 4], ["5", 6]], [[1, 2], [3, 4], 5], HUGE,
        )
    ),
    "fences.yard.dwell_s": (-1, 86401, "x", 1.5, True),
    "fences.yard.do": ("shout", 1, []),
    "fences.yard.colour": ("red",),
    "dead_bands": (7, [], "x"),
    "dead_bands.t": (-1, "1", True, [], {}, 2e12),
    "dead_bands.a b": (1,),
    "sensors": (7, [], "x", {"soil": {}}),  # a pin it must have
    "sensors.soil": (7, [], None, {"dry_v": 3}),
    "sensors.a b": ({},),
    "sensors.soil.dry_v": (-0.1, 5.1, "3", True, [], {}),
    "sensors.soil.pin": (None, -1, 256, 3.5, "34", True),
    "sensors.soil.way": ("c", "", 1, ["a"]),
    "sensors.soil.name": ("", "a b", 'a"', 7, "n" * 9, "\u00e4"),
    "sensors.soil.gain": (1,),
    "sensors.soil.over": ("median", "", 7, [], ["mean", "x"], [["mean"]], {"mean": 1}, None),
    "sensors.soil.period_s": (-1, 604801, 1.5, "60", True),
    "sensors.soil.limit_s": (0, 121, 1.5, "60"),
    "sensors.battery.gain": (1,),
    "sensors.battery.over": ("median",),
}  # fmt: skip
# What is refused although each of them could be.
MANY = {
    section: {f"n{n}": entry for n in range(33)}
    for section, entry in (
        ("rules", {"of": "t", "above": 1}), ("fences", {"circle": [1, 2, 3]}), ("dead_bands", 1),
    )
}  # fmt: skip
RIGHT = {
    "rules.dry.below": 0.3,
    "rules.new": {"of": "t", "rate": 2},
    "rules": {},
    "fences.yard.circle": [31.2, 121.4, 50000],
    "fences.new": {"polygon": [[1, 2], [3, 4], [5, 6]], "do": "event"},
    "dead_bands.moisture": 0,
    "dead_bands.t": 5,
    "sensors.soil.dry_v": 3,
    "sensors.soil.way": "b",
    "sensors.soil.over": ["min", "max"],
    "sensors.soil.limit_s": 120,
    "sensors.battery.over": "mean",
    "position.weak_s": 0,
}
NODE = """
import json, os, sys
sys.path[:] = [{root!r}, {root!r} + "/lib", "", ".frozen"]
os.chdir({folder!r})
from firmware import config, checking, files, last_good, trial
out = []
for key, value in json.load(open("cases")):
    said = []
    try:
        config.load("", (key, value))
    except config.ConfigError as error:
        said.append(str(error))
    try:
        trial.start("c 1", key, value)
    except config.ConfigError as error:
        said.append(str(error))
    said.append(files.is_there("config.trial"))
    files.remove("config.trial")
    out.append(said)
for key, value in json.load(open("right")):
    trial.start("c 1", key, value)
    section = key.split(".")[0]
    found, problem = last_good.settings("", True)
    before = files.read("config.json")
    inner = found[key] if key in found else found[section]
    for part in key.split(".")[1:] if key not in found else ():
        inner = inner[part]
    for _ in range(3):
        assert trial.change() is not None and trial.count()
    after, problem = last_good.settings("", True)
    outcome = trial.outcome()
    out.append([inner, problem, after == config.load(), outcome["state"], outcome["key"],
                before == files.read("config.json")])
    trial.forget()
print("RESULT" + json.dumps(out))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("node")
    (made / "sensors").mkdir()
    (made / "sensors" / "soil.py").write_text(SOIL)
    (made / "config.json").write_text(json.dumps(GOOD))
    return made


def cases() -> list[tuple[str, Any]]:
    return [(key, value) for key, values in WRONG.items() for value in values] + list(MANY.items())


def on_the_node(folder: Path, wrong: list[Any], right: dict[str, Any]) -> list[list[Any]]:
    """What its firmware says: to each that is wrong when it is loaded, and when it is put on
    trial; what becomes of each that is right.
    """
    (folder / "cases").write_text(json.dumps(wrong))
    (folder / "right").write_text(json.dumps(list(right.items())))
    code = NODE.format(root=str(project.ROOT), folder=str(folder))
    done = subprocess.run(
        [settings.micropython(), "-X", "heapsize=16M", "-c", code],
        capture_output=True, text=True, check=False, timeout=LIMIT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return json.loads(done.stdout.partition("RESULT")[2])


def on_the_host(folder: Path, key: str, value: Any) -> str:
    own = Folder.at(folder)
    try:
        settings.checked(own.config, None, own.tables(), (key, value))
    except DeployError as error:
        return str(error)
    return ""


def is_named(key: str, text: str) -> bool:
    """By itself, as the name of what may have none, or as what needs one of its fields."""
    above, _, name = key.rpartition(".")
    return any(f"config.json: {words}" in text for words in (
        key, f"there is no setting {key}", f"{above}: {name} is no name", f"{above} needs",
    ))  # fmt: skip


def test_what_is_wrong_is_refused_by_its_key_wherever_it_is_said(folder):
    wrong = cases()
    found = on_the_node(folder, wrong, RIGHT)
    for (key, value), said in zip(wrong, found, strict=False):
        loaded, tried, is_on_trial = said
        assert is_named(key, loaded), (key, value, loaded)
        assert tried == loaded, (key, value)
        assert not is_on_trial, (key, value)
    first = [[key for key, _ in wrong].index(key) for key in WRONG]  # each takes a process
    for at in first:
        assert on_the_host(folder, *wrong[at]) == found[at][0], wrong[at]
    for (key, value), said in zip(RIGHT.items(), found[len(wrong) :], strict=True):
        assert said == [value, "", True, "taken back", key, True]


@pytest.mark.parametrize("change", [("sensors.ghost.gain", 1), ("sensors", {"ghost": {}})])
def test_a_sensor_that_is_not_there_has_no_settings(folder, change):
    said = on_the_node(folder, [change], {})[0]
    assert said == ["sensors.ghost: no file sensors/ghost.py", False]
    assert on_the_host(folder, *change) == "config.json: sensors.ghost: no file sensors/ghost.py"
