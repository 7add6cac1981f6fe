"""Samples to payload: SenML JSON (RFC 8428)."""

import json

# What a sensor gives: (name, unit of the SenML registry or None, value)


def senml(node: str, samples: list) -> str:
    """One SenML pack as compact JSON.

    node    -- the node's id; base name of all records
    samples -- (name, unit or None, value) of one moment; value None (not measured) is left out

    No time is given: RFC 8428 4.5.3 reads that as "roughly now".
    """
    pack = []
    for name, unit, value in samples:
        if value is None:
            continue
        record = {"n": name, "v": value}
        if unit:
            record["u"] = unit
        pack.append(record)
    if pack:
        pack[0]["bn"] = node + ":"
    # Separators are given because MicroPython and CPython differ in their default.
    return json.dumps(pack, separators=(",", ":"))
