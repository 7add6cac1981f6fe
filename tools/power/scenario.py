"""A node, its network and how that changes: what `simulate` lets live. TOML:

title = "Poor signal by day"
days = 2
frozen = true         # the code is frozen into the board's MicroPython (manifest.py)
[node]                # as config.json
report = { period_s = 3600 }
[module]              # as a profile of the virtual module
radio = { inactivity = 20 }
[[change]]
hour = 8.0            # of the virtual time
coverage = 1          # level, 0 to 2
rssi = 3              # of +CSQ
rsrp = -118           # in dBm; left out: as follows from rssi
"""

import json
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tools.deploy.project import ROOT
from tools.own.folder import Folder
from tools.virtual_c1100 import Profile
from tools.virtual_c1100 import profile as profiles
from tools.virtual_c1100.profile import NO_RSSI, Cell

HOUR_S = 3600
MOST_RSSI = 31  # of +CSQ (27.007 clause 8.5)
RSRP_DBM = range(-156, -43)  # of NB-IoT (36.133 clause 9.1.22.9)
NODE = {
    "id": "simulated",
    "sample": {"period_s": 300},
    "report": {"period_s": 3600},
    "mqtt": {"host": "mqtt.simulated"},
    "pins": {"pwrkey": 4, "wake": 5, "status": 18, "battery": 34, "temperature": 35},
}


class Change(NamedTuple):
    """From `at_s` on: coverage level, and <rssi> of +CSQ; RSRP in dBm where it is given."""

    at_s: float
    coverage: int
    rssi: int
    rsrp: int | None = None

    @property
    def rsrp_dbm(self) -> int | None:
        """As the module sees it."""
        return Cell(rssi=self.rssi, rsrp=self.rsrp).rsrp_dbm


@dataclass
class Scenario:
    """node -- what is in config.json; profile -- of the virtual module; changes -- by time
    frozen -- the board need not load its code from flash
    where -- `node` is from, for messages
    own -- the node's folder, if it has one
    """

    title: str
    days: float = 1.0
    node: dict[str, Any] = field(default_factory=lambda: dict(NODE))
    profile: Profile = field(default_factory=Profile)
    changes: list[Change] = field(default_factory=list)
    frozen: bool = False
    where: str = "config.json"
    own: Folder | None = None


def node(path: Path) -> dict[str, Any]:
    """A node's config.json. Raises ValueError that names the file and the place."""
    try:
        found = json.loads(path.read_text())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"{path} is not valid JSON: {place}: {error.msg}") from error
    except (ValueError, RecursionError) as error:  # no UTF-8, or nested without end
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} must hold one JSON object")
    return found


def module(path: Path) -> Profile:
    """A profile of the virtual module. Raises ValueError that says what is wrong."""
    return profiles.parse(_toml(path), str(path))


def found(path: Path) -> Path:
    """The file; one of the project's own is found from every folder."""
    ours = ROOT / path
    return ours if ours.is_file() and not path.exists() else path


def load(path: Path) -> Scenario:
    """A scenario from its file. Raises ValueError that says what is wrong."""
    raw = _toml(path)
    for key, value in raw.items():
        kind, words = KINDS.get(key, (object, ""))
        if kind is object:
            raise ValueError(f"{path}: unknown table or key {key!r}; there are {', '.join(KINDS)}")
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"{path}: {key} is {words}, not {value!r}")
    days = float(raw.get("days", 1))
    if not (math.isfinite(days) and days > 0):
        raise ValueError(f"{path}: days is a number above 0, not {days:g}")
    given = raw.get("node", {})
    try:
        json.dumps(given)
    except TypeError as error:  # a date is nothing for config.json
        raise ValueError(f"{path}, [node]: {error}") from error
    profile = profiles.parse(raw.get("module", {}), f"{path}, [module]")
    changes = [_change(change, profile, str(path)) for change in raw.get("change", [])]
    return Scenario(
        raw.get("title", path.stem),
        days,
        NODE | given,
        profile,
        sorted(changes),
        raw.get("frozen", False),
        f"{path}, [node]",
    )


# key: its type, and that in words
KINDS: dict[str, tuple[Any, str]] = {
    "title": (str, "text"),
    "days": ((int, float), "a number above 0"),
    "frozen": (bool, "true or false"),
    "node": (dict, "a table, [node]"),
    "module": (dict, "a table, [module]"),
    "change": (list, "a list of tables, [[change]]"),
}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from error


def _change(raw: Any, profile: Profile, where: str) -> Change:
    if not isinstance(raw, dict) or raw.keys() - {"rsrp"} != {"hour", "coverage", "rssi"}:
        there = ", ".join(raw) if isinstance(raw, dict) else repr(raw)
        raise ValueError(f"{where}: a change has hour, coverage and rssi, not {there}")
    hour, coverage, rssi = raw["hour"], raw["coverage"], raw["rssi"]
    rsrp = raw.get("rsrp")
    if rsrp is not None and (type(rsrp) is not int or rsrp not in RSRP_DBM):
        raise ValueError(f"{where}: rsrp is {RSRP_DBM[0]} to {RSRP_DBM[-1]} dBm, not {rsrp!r}")
    if not isinstance(hour, int | float) or not 0 <= hour < math.inf:
        raise ValueError(f"{where}: the hour of a change is a number of at least 0, not {hour!r}")
    if type(coverage) is not int or coverage not in range(len(profile.radio.repetition)):
        raise ValueError(f"{where}: there is no coverage level {coverage!r}")
    if type(rssi) is not int or not (0 <= rssi <= MOST_RSSI or rssi == NO_RSSI):
        raise ValueError(
            f"{where}: rssi is 0 to {MOST_RSSI}, or {NO_RSSI} for unknown, not {rssi!r}"
        )
    return Change(hour * HOUR_S, coverage, rssi, rsrp)
