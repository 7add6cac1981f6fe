"""Power profiles of modules, boards and batteries: TOML files whose every figure names its source.

    module = load("mdm9206", "module")          # or the path of a file of your own
    module.figures["psm"].value, .unit, .source, .inferred

A figure has either `source`, the key of a text in the file's [sources], or `inferred`, the reason
for a value that nobody has published. Whoever measures it edits the file. Where many were
measured, `value` is the median, `low` and `high` what 10 % do not reach and 10 % exceed.

A module may have [[place]] tables: currents by coverage level, and RSRP within it. `network` names
the times of the virtual network that were measured with its currents (tools/virtual_c1100).
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.virtual_c1100.measured import Spread
from tools.virtual_c1100.profile import NETWORKS

FOLDER = Path(__file__).parent / "profiles"
RATS = ("lte-m", "nb-iot", "gsm")
AMPERES = {"uA": 1e-6, "mA": 1e-3}
UNITS = {"uA": "A", "mA": "A", "uC": "C", "V": "V", "mAh": "mAh", "share": "share", "dBm": "dBm",
         "us": "s", "us/B": "s/B"}  # fmt: skip

# kind: figure -> what it measures. "?" may be missing. A module's RATs are optional as a whole.
_RAT = {"rx": "A", "tail": "A", "page": "C"}
PLACE = ("boot", "search", "open", "answer", "tail")
_KEYS = {"value", "low", "high", "unit", "source", "inferred"}
FIGURES: dict[str, dict[str, str]] = {
    "module": {
        "supply": "V", "off": "A", "psm": "A", "boot": "A", "awake": "A", "search": "A",
        "idle-floor": "A", "gnss": "A",
    },
    "board": {"supply": "V", "active": "A", "light-sleep": "A", "deep-sleep": "A",
              "regulator": "A", "instruction": "s", "load": "s/B"},
    "battery": {"voltage": "V", "capacity": "mAh", "usable": "share", "self-discharge": "share"},
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One number. `source` is the text of the source, or the reason of an inferred value.

    low, high -- where many were measured
    """

    value: float
    unit: str
    source: str
    inferred: bool
    low: float
    high: float

    @property
    def amperes(self) -> float:
        """A current, in amperes. KeyError for a figure of another kind."""
        return self.value * AMPERES[self.unit]

    def at(self, share: float) -> float:
        """A current in amperes that so great a share of what was measured does not exceed."""
        return Spread(self.low, self.value, self.high).at(share) * AMPERES[self.unit]

    def __str__(self) -> str:
        spread = f" ({self.low:g} to {self.high:g})" if self.low < self.high else ""
        return f"{self.value:g} {self.unit}{spread}"


@dataclass(frozen=True)
class Place:
    """Currents of an NB-IoT session, by what it does, at a coverage level and an RSRP in dBm from,
    to; None: at any.
    """

    level: int
    rsrp: tuple[int, int] | None
    figures: dict[str, Figure]

    def __str__(self) -> str:
        where = f" {self.rsrp[0]} to {self.rsrp[1]} dBm" if self.rsrp else ""
        return f"level {self.level}{where}"


@dataclass(frozen=True)
class Profile:
    """A module, a board or a battery.

    figures -- by name; those of a radio access technology as "lte-m.rx"
    tx -- of a module: for each technology the pairs (dBm, figure) in ascending order
    places -- of a module that was measured at several
    network -- of its times
    """

    kind: str
    name: str
    title: str
    figures: dict[str, Figure]
    tx: dict[str, tuple[tuple[float, Figure], ...]]
    places: tuple[Place, ...] = ()
    network: str = NETWORKS[1]

    def amperes(self, figure: str) -> float:
        """The current `figure`, in amperes. KeyError when the profile does not have it."""
        return self.figures[figure].amperes

    def all_figures(self) -> list[tuple[str, Figure]]:
        """Every figure with its name, for a table."""
        sent = [
            (f"{rat}.tx {dbm:g} dBm", figure)
            for rat, points in self.tx.items()
            for dbm, figure in points
        ]
        places = [(f"{p}: {name}", f) for p in self.places for name, f in p.figures.items()]
        return [*self.figures.items(), *sent, *places]


def names(kind: str) -> list[str]:
    """The profiles that come with the project."""
    return sorted(p.stem.removeprefix(f"{kind}-") for p in FOLDER.glob(f"{kind}-*.toml"))


def load(name: str | Path, kind: str) -> Profile:
    """A profile of the project by its name, or any file by its path.

    Raises ValueError that says what is wrong with which figure.
    """
    path = FOLDER / f"{kind}-{name}.toml"
    if not path.exists():
        path = Path(name)
    if not path.is_file():
        raise ValueError(f"no {kind} profile {name}: there are {', '.join(names(kind))}")
    try:
        raw = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from error
    return parse(raw, kind, path.stem.removeprefix(f"{kind}-"), str(path))


def parse(raw: dict[str, Any], kind: str, name: str, where: str) -> Profile:
    """Check the contents of a file. Raises ValueError; `where` names it in the message."""
    if unknown := raw.keys() - {
        "kind", "title", "sources", "figures", "place", "network", *RATS,
    }:  # fmt: skip
        raise ValueError(f"{where}: unknown table or key {min(unknown)!r}")
    if raw.get("kind") != kind:
        raise ValueError(f"{where}: its kind is {raw.get('kind')!r}, expected {kind!r}")
    if not isinstance(raw.get("title"), str):
        raise ValueError(f"{where}: no title")
    if raw.get("network", NETWORKS[1]) not in NETWORKS[1:]:
        raise ValueError(f"{where}: network is none of {', '.join(NETWORKS[1:])}")
    sources = raw.get("sources", {})
    given = dict(raw.get("figures", {}))
    expected = dict(FIGURES[kind])
    tx = {}
    for rat in (rat for rat in RATS if rat in raw):
        if kind != "module":
            raise ValueError(f"{where}: a {kind} has no [{rat}]")
        own = dict(raw[rat])
        tx[rat] = _sent(own.pop("tx", []), sources, f"{where}, [{rat}] tx")
        given.update({f"{rat}.{key}": value for key, value in own.items()})
        expected.update({f"{rat}.{key}": quantity for key, quantity in _RAT.items()})
    if kind == "module" and not tx:
        raise ValueError(f"{where}: none of the tables {', '.join(f'[{rat}]' for rat in RATS)}")
    if missing := expected.keys() - given.keys():
        raise ValueError(f"{where}: no figure {min(missing)!r}")
    if unknown := given.keys() - expected.keys():
        raise ValueError(f"{where}: unknown figure {min(unknown)!r}")
    figures = {
        key: _figure(given[key], quantity, sources, f"{where}, {key}")
        for key, quantity in expected.items()
    }
    places = tuple(_place(one, sources, f"{where}, [[place]]") for one in raw.get("place", []))
    network = raw.get("network", NETWORKS[1])
    return Profile(kind, name, raw["title"], figures, tx, places, network)


def _place(raw: Any, sources: dict[str, str], where: str) -> Place:
    given = dict(raw)
    level, rsrp = given.pop("level", None), given.pop("rsrp", None)
    if type(level) is not int or level < 0:
        raise ValueError(f"{where}: {level!r} is no coverage level")
    if rsrp is not None and (len(rsrp) != 2 or not rsrp[0] <= rsrp[1]):
        raise ValueError(f"{where}: rsrp is from, to, not {rsrp!r}")
    if given.keys() != set(PLACE):
        raise ValueError(f"{where}: it has not just {', '.join(PLACE)}")
    figures = {key: _figure(given[key], "A", sources, f"{where}, {key}") for key in PLACE}
    return Place(level, rsrp and (rsrp[0], rsrp[1]), figures)


def _sent(
    points: list[dict[str, Any]], sources: dict[str, str], where: str
) -> tuple[tuple[float, Figure], ...]:
    """Currents while transmitting, each at its output power."""
    found = []
    for point in points:
        rest = dict(point)
        dbm = rest.pop("dbm", None)
        if not isinstance(dbm, int | float):
            raise ValueError(f"{where}: a point without dbm")
        found.append((float(dbm), _figure(rest, "A", sources, f"{where} at {dbm} dBm")))
    if not found:
        raise ValueError(f"{where}: no point")
    return tuple(sorted(found, key=lambda pair: pair[0]))


def _figure(raw: Any, quantity: str, sources: dict[str, str], where: str) -> Figure:
    if not isinstance(raw, dict) or not raw.keys() <= _KEYS:
        raise ValueError(f"{where}: expected value, unit, and source or inferred, got {raw!r}")
    value, unit = raw.get("value"), raw.get("unit", "")
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{where}: {value!r} is not a number of at least 0")
    low, high = raw.get("low", value), raw.get("high", value)
    if not all(isinstance(v, int | float) for v in (low, high)) or not 0 <= low <= value <= high:
        raise ValueError(f"{where}: {low!r} and {high!r} are not below and above {value!r}")
    if UNITS.get(unit) != quantity:
        fitting = [name for name, measured in UNITS.items() if measured == quantity]
        raise ValueError(f"{where}: unit {unit!r}, expected {' or '.join(fitting)}")
    if ("source" in raw) == ("inferred" in raw):
        raise ValueError(f"{where}: needs either a source, or the reason why it is inferred")
    text = raw.get("inferred") if "inferred" in raw else sources.get(raw["source"])
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{where}: [sources] has no text for {raw.get('source')!r}")
    spread = float(low), float(high)
    return Figure(float(value), unit, text.strip(), "inferred" in raw, *spread)
