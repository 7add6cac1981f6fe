"""How well the module hears its cell: the method C1100.signal."""

from collections import namedtuple

from micropython import const

from . import at, dialect

_NEVER = const(3)
_HINTS = const(0)  # for those who check types: a board compiles none of it


class Signal(namedtuple("Signal", ("rssi", "ber"))):
    """RSSI in dBm and the bit error class (RXQUAL, 0 to 7), and what else the module tells of its
    cell; None where it does not.

    rsrp, rsrq, sinr -- in dBm, dB, dB, of a cell that has them; band -- its number
    what -- which of them tells how well it is heard: "RSRP", else "RSSI"; dbm -- that one
    """

    cell: list = [None] * 5  # as cell.read() has it

    if _HINTS:
        rsrp: int | None
        rsrq: int | None
        sinr: int | None
        band: int | None
        what: str | None
        dbm: int | None
    else:

        def __getattr__(self, name: str):
            rsrp, rsrq, sinr, _, band = self.cell
            has = rsrp is not None
            if name == "what":
                return "RSRP" if has else None if self.rssi is None else "RSSI"
            known = {"rsrp": rsrp, "rsrq": rsrq, "sinr": sinr, "band": band}
            known["dbm"] = rsrp if has else self.rssi
            if name not in known:
                raise AttributeError(name)
            return known[name]


async def signal(modem, cell: bool = False) -> Signal:
    """Signal strength and bit error class (manual 3.1 step 4, TS 27.007 8.5).

    cell -- RSRP, RSRQ and SINR too, where the module tells them: to be asked once it is in the
            network. Signal.what says which one there is.

    A module that refuses AT+LSCELLINFO is asked for it once; one that answers with nothing of
    use, or not at all, three times in a row.
    """
    found = Signal.cell
    if cell and modem.silent_cell < _NEVER:
        from .cell import read

        found = await read(modem)
    rssi = found[3]
    ber = None
    if rssi is None:
        try:
            rssi, ber = (await modem._channel.ask(dialect.SIGNAL))[:2]
            rssi = 2 * rssi - 113 if 0 <= rssi <= 31 else None
            ber = ber if ber is not None and 0 <= ber <= 7 else None
        except at.CommandError:
            if found[0] is None:
                raise
    made = Signal(rssi, ber)
    made.cell = found
    return made
