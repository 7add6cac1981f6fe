"""The published cases: TOML files in `data`, each of one publication, and tables beside them.

[source]  text = "author, title, year", url = "..."
[model]                      # what the cases have in common, see values.Spec
[[case]]
what, value, unit, kind      # what was published; kind: see KINDS
where = "table 3"            # place and conditions in the publication
calibrated = "idle-floor"    # optional: the parameter that was set with this figure
reason = "..."               # optional: why the model misses it by more than LIMIT
note = "..."                 # optional: anything else to know
model = { ... }              # its own part of the Spec
low, high                    # optional: what 10 % do not reach, and 10 % exceed

[[table]]                    # a case per row of a CSV file in the same folder
file, group, what, value, unit, kind, where, note, model
only = { column = "test", texts = ["16 B"] }    # optional: these rows; low, high are columns too
columns = { lasts_s = "latency_s" }             # fields of the Spec from columns, if not empty
lists = { up = "bytes" }                        # likewise, as lists of one whole number
events = { column = "test", "16 B" = { ... } }  # more of the Spec, by the text in a column
reasons = [{ column = "mean_mA", above = 200, text = "..." }]
"""

import csv
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.power.published.values import Spec, spread, value

FOLDER = Path(__file__).parent / "data"
LIMIT = 0.15  # deviation from the publication that counts as met
KINDS = {
    "model": "times, states and currents of the model",
    "current": "a current of a profile beside another measurement",
    "arithmetic": "the publication's own event energy or current: checks account and battery only",
}
UNITS = {
    "mJ": 1e-3, "uWh": 3.6e-3, "mWh": 3.6, "uA": 1e-6, "mA": 1e-3,
    "s": 1.0, "years": 1.0, "days": 1 / 365.25, "h": 1.0,
}  # fmt: skip
_TEXTS = {"where", "note", "reason", "calibrated"}
_SPREAD = {"low", "high"}


@dataclass(frozen=True)
class Case:
    """One published figure.

    source -- of the file; group -- of the table that it comes from, "" for a single case
    reason -- why the model does not meet it; "" when it has to
    calibrated -- what in the model was set with it: then it is no evidence
    spread -- what 10 % of what was measured do not reach, and 10 % exceed, where that is known
    """

    source: str
    what: str
    published: float
    unit: str
    kind: str
    spec: Spec
    group: str = ""
    where: str = ""
    note: str = ""
    reason: str = ""
    calibrated: str = ""
    spread: tuple[float, float] | None = None

    @cached_property
    def modelled(self) -> float:
        """The model's figure, in the unit of the publication."""
        return value(self.spec) / UNITS[self.unit]

    @property
    def modelled_spread(self) -> tuple[float, float] | None:
        """The model's spread, where it has one."""
        found = spread(self.spec)
        return found and (found[0] / UNITS[self.unit], found[1] / UNITS[self.unit])

    @property
    def deviation(self) -> float:
        """Of the model from the publication, as a share of the latter."""
        return self.modelled / self.published - 1

    @property
    def met(self) -> bool:
        """Within LIMIT."""
        return abs(self.deviation) <= LIMIT


def load(folder: Path = FOLDER) -> list[Case]:
    """All cases. ValueError that names the file for one that is not complete."""
    found: list[Case] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            found += _file(tomllib.loads(path.read_text()), folder)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path.name}: {error}") from error
    return found


def _file(raw: dict[str, Any], folder: Path) -> Iterator[Case]:
    source, common = raw["source"]["text"], raw.get("model", {})
    for one in raw.get("case", []):
        yield _case(source, one, common)
    for table in raw.get("table", []):
        columns, events = table.get("columns", {}), dict(table.get("events", {}))
        lists, only = table.get("lists", {}), table.get("only")
        key = events.pop("column", None)
        with (folder / table["file"]).open(newline="") as file:
            for row in csv.DictReader(file):
                if only and row[only["column"]] not in only["texts"]:
                    continue
                spec = {name: _number(row[c]) for name, c in columns.items() if row[c]}
                spec |= {name: [int(row[column])] for name, column in lists.items()}
                spec |= events[row[key]] if key else {}
                one = {name: table[name] for name in ("unit", "kind", "group")}
                one |= {name: table[name] for name in _TEXTS & table.keys()}
                one |= {name: float(row[table[name]]) for name in _SPREAD & table.keys()}
                one |= {
                    "what": table["what"].format(**row),
                    "value": float(row[table["value"]]),
                    "reason": _reason(table.get("reasons", []), row),
                    "model": table.get("model", {}) | spec,
                }
                yield _case(source, one, common)


def _reason(reasons: list[dict[str, Any]], row: dict[str, str]) -> str:
    """The first that holds for a row."""
    for one in reasons:
        if one.get("above", float("-inf")) < float(row[one["column"]]) <= one.get("to", 9e9):
            return one["text"]
    return ""


def _case(source: str, raw: dict[str, Any], common: dict[str, Any]) -> Case:
    if unknown := raw.keys() - {
        "what",
        "value",
        "unit",
        "kind",
        "group",
        "model",
        *_TEXTS,
        *_SPREAD,
    }:
        raise ValueError(f"{raw.get('what')}: unknown key {min(unknown)!r}")
    if raw["kind"] not in KINDS or raw["unit"] not in UNITS:
        raise ValueError(f"{raw['what']}: kind {raw['kind']!r} or unit {raw['unit']!r}")
    spec = {name: _frozen(given) for name, given in (common | raw["model"]).items()}
    texts = {name: raw.get(name, "") for name in ("group", *_TEXTS)}
    between = (float(raw["low"]), float(raw["high"])) if raw.keys() >= _SPREAD else None
    return Case(source, raw["what"], float(raw["value"]), raw["unit"], raw["kind"],
                Spec(**spec), **texts, spread=between)  # fmt: skip


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)


def _frozen(given: Any) -> Any:
    """Lists as tuples: a Spec does not change."""
    return tuple(_frozen(one) for one in given) if isinstance(given, list) else given
