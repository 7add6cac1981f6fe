"""How well the module hears its cell. Loads of the driver what it needs, and only for that."""

from micropython import const

from ..state import RSRP

_DAY_S = const(86400)


async def read(node) -> list:
    """RSSI as "signal", and "rsrp", "rsrq", "sinr" of a module that tells them; what it does not
    know is left out. The state has RSRP, or else RSSI, from now on.

    A module that has told RSRP, or nothing as yet, is asked for it, any other once a day.
    """
    state = node.state
    found: list = [None] * 4
    if state.signal >= 0 or state.reported // _DAY_S != node.now() // _DAY_S:
        from c1100.cell import read as cell

        found = await cell(node.modem)
        del cell
        node.modem.forget("cell")
    if found[3] is None:
        found[3] = (await node.modem.signal()).rssi
    if found[0] is not None:
        state.signal = found[0] + RSRP
    elif found[3] is not None:
        state.signal = found[3]
    rsrp, rsrq, sinr, rssi = found[:4]
    samples = (
        ("signal", "dBm", rssi),
        ("rsrp", "dBm", rsrp),
        ("rsrq", "dB", rsrq),
        ("sinr", "dB", sinr),
    )
    return [sample for sample in samples if sample[2] is not None]
