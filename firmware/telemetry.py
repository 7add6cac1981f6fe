"""Samples to payload: SenML JSON (RFC 8428)."""

import json


def senml(node: str, samples: list) -> str:
    """One SenML pack as compact JSON.

    node    -- the node's id; base name of all records
    samples -- (name, unit of the SenML registry or None, value) of one moment; a value of None
               (not measured) is left out

    No time is given: RFC 8428 4.5.3 reads that as "roughly now".
    """
    base = '"bn":%s,' % json.dumps(node + ":")
    pack = []
    for name, unit, value in samples:
        if value is None:
            continue
        # Written field by field, because MicroPython's dict keeps no order.
        unit = '"u":%s,' % json.dumps(unit) if unit else ""
        pack.append('{%s"n":%s,%s"v":%s}' % (base, json.dumps(name), unit, json.dumps(value)))
        base = ""
    return "[" + ",".join(pack) + "]"
