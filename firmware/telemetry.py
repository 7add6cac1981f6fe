"""Samples to payload: SenML JSON (RFC 8428)."""

import json


def senml(node: str, samples: list, at: int | None = None) -> str:
    """One SenML pack as compact JSON.

    node    -- the node's id; base name of all records
    samples -- (name, unit of the SenML registry or None, value) of one moment; a value of None
               (not measured) is left out, text is given as such
    at      -- Unix time of that moment; without it RFC 8428 4.5.3 reads "roughly now"
    """
    base = '"bn":%s,' % json.dumps(node + ":")
    if at is not None:
        base += '"bt":%d,' % at
    pack = []
    for name, unit, value in samples:
        if value is None:
            continue
        # Written field by field, because MicroPython's dict keeps no order.
        unit = '"u":%s,' % json.dumps(unit) if unit else ""
        kind = "vs" if isinstance(value, str) else "v"
        field = '{%s"n":%s,%s"%s":%s}'
        pack.append(field % (base, json.dumps(name), unit, kind, json.dumps(value)))
        base = ""
    return "[" + ",".join(pack) + "]"
