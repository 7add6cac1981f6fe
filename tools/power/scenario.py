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
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tools.virtual_c1100 import Profile
from tools.virtual_c1100 import profile as profiles

HOUR_S = 3600
NODE = {
    "id": "simulated",
    "sample": {"period_s": 300},
    "report": {"period_s": 3600},
    "mqtt": {"host": "mqtt.simulated"},
    "pins": {"pwrkey": 4, "wake": 5, "status": 18, "battery": 34, "temperature": 35},
}


class Change(NamedTuple):
    """From `at_s` on: coverage level, and <rssi> of +CSQ."""

    at_s: float
    coverage: int
    rssi: int


@dataclass
class Scenario:
    """node -- what is in config.json; profile -- of the virtual module; changes -- by time
    frozen -- the board need not load its code from flash
    """

    title: str
    days: float = 1.0
    node: dict[str, Any] = field(default_factory=lambda: dict(NODE))
    profile: Profile = field(default_factory=Profile)
    changes: list[Change] = field(default_factory=list)
    frozen: bool = False


def load(path: Path) -> Scenario:
    """A scenario from its file. Raises ValueError that says what is wrong."""
    try:
        raw = tomllib.loads(path.read_text())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from error
    if unknown := raw.keys() - {"title", "days", "frozen", "node", "module", "change"}:
        raise ValueError(f"{path}: unknown table or key {min(unknown)!r}")
    profile = profiles.parse(raw.get("module", {}), f"{path}, [module]")
    changes = [_change(change, profile, str(path)) for change in raw.get("change", [])]
    return Scenario(
        raw.get("title", path.stem),
        float(raw.get("days", 1)),
        NODE | raw.get("node", {}),
        profile,
        sorted(changes),
        raw.get("frozen", False) is True,
    )


def _change(raw: dict[str, Any], profile: Profile, where: str) -> Change:
    if raw.keys() != {"hour", "coverage", "rssi"}:
        raise ValueError(f"{where}: a change has hour, coverage and rssi, not {', '.join(raw)}")
    if raw["coverage"] not in range(len(profile.radio.repetition)):
        raise ValueError(f"{where}: there is no coverage level {raw['coverage']!r}")
    return Change(raw["hour"] * HOUR_S, raw["coverage"], raw["rssi"])
