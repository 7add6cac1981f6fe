"""Did every sampled record arrive, byte for byte, with the values that the sensors gave?"""

import json
from collections import Counter
from dataclasses import dataclass, field

from tools.demo.subscriber import as_sampled
from tools.lockstep import Bench
from tools.power.wording import count
from tools.virtual_board.runner import Awake
from tools.virtual_board.sensors import Reading

SAMPLED = "sampled "
# Half a unit of the last digit that the firmware reports, and a little for binary fractions.
TOLERANCE = {"battery": 0.0005 + 1e-9, "temperature": 0.05 + 1e-9}


@dataclass
class Report:
    """One wake of the node as the bench saw it."""

    wake: int
    payload: bytes | None
    readings: list[Reading]
    lines: list[str] = field(default_factory=list)


def reports(bench: Bench, wakes: list[Awake]) -> list[Report]:
    """What the node did in each of `wakes` that has ended."""
    found = []
    for number, wake in enumerate(wakes, 1):
        if wake.end_us is None:
            continue
        end_us = wake.end_us
        lines = [text for at, text in bench.console if wake.start_us <= at <= end_us]
        sampled = [line.removeprefix(SAMPLED) for line in lines if line.startswith(SAMPLED)]
        readings = [r for r in bench.readings if wake.start_us <= r.at_us <= end_us]
        payload = sampled[0].encode() if sampled else None
        found.append(Report(number, payload, readings, lines))
    return found


def problems(made: list[Report], arrived: list[bytes], wanted: int) -> list[str]:
    """What is wrong, one sentence each; nothing when all is well.

    A record that arrived twice is no problem: QoS 1 allows it.
    """
    found = []
    if len(made) < wanted:
        found.append(f"expected {count(wanted, 'wake')}, the node made {len(made)}")
    sampled = {report.payload for report in made if report.payload is not None}
    left = Counter(as_sampled(record, sampled) for record in arrived)
    for report in made:
        if report.payload is None:
            end = " / ".join(report.lines[-3:]) or "it printed nothing"
            found.append(f"wake {report.wake} sampled nothing; its console ends: {end}")
            continue
        if report.payload in left:
            del left[report.payload]
        else:
            found.append(
                f"record of wake {report.wake} did not arrive: expected {report.payload!r}"
            )
        found += _wrong_values(report)
    found += [f"arrived, but was never sampled: got {payload!r}" for payload in left]
    return found


def _wrong_values(report: Report) -> list[str]:
    """Compare the record with what the sensors were read as in this wake."""
    assert report.payload is not None
    try:
        values = {record["n"]: record.get("v") for record in json.loads(report.payload)}
    except (ValueError, TypeError, KeyError):
        return [f"record of wake {report.wake} is not SenML: {report.payload!r}"]
    found = []
    for name, tolerance in TOLERANCE.items():
        read = [r.value for r in report.readings if r.name == name]
        got = values.get(name)
        if not read:
            found.append(f"wake {report.wake} never read the {name} sensor")
        elif not isinstance(got, int | float):
            found.append(f"record of wake {report.wake} has no {name}: expected {read[-1]:.4f}")
        elif all(abs(got - value) > tolerance for value in read):
            found.append(
                f"record of wake {report.wake}: {name} expected {read[-1]:.4f}, got {got}"
            )
    return found
