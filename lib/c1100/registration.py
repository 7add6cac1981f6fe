"""Registration: what the network says of this node (manual 3.1); search.py waits for it."""

from micropython import const

from . import at, dialect

_DENIED = const(3)
_SEARCHING = const(2)
# 9 and 10 are 1 and 5 of a network that would rather not take calls. Not: SMS only (6, 7),
# emergency calls only (8).
_REGISTERED = (1, 5, 9, 10)
_ROAMING = (5, 7, 10)


class Registration:
    """What the network says of this node (TS 27.007 10.1.22).

    stat -- 0 not registered, 1 home, 2 searching, 3 denied, 4 unknown, 5 roaming, 6 and 7 SMS only
            (home, roaming), 8 emergency only, 9 and 10 as 1 and 5
    tac, cell -- as hexadecimal text, act -- <AcT>; None where the module was not asked to tell
    sleep -- active time and T3412 that the network has granted, as bits; [] likewise
    registered -- data can be sent; roaming, denied, searching -- as their names say
    """

    def __init__(self, values: list) -> None:
        values = values + [None] * (4 - len(values))
        self.stat = values[0]
        self.tac = values[1]
        self.cell = values[2]
        self.act = values[3]
        self.sleep = values[6:8]
        self.registered = self.stat in _REGISTERED
        self.roaming = self.stat in _ROAMING
        self.denied = self.stat == _DENIED
        self.searching = self.stat == _SEARCHING


async def domains(channel) -> tuple:
    """What EPS and GPRS say, up to the one that is registered, and the last error: a module of one
    radio refuses to be asked for the other.
    """
    found = []
    failed = None
    for form in (dialect.EPS_STATE, dialect.GPRS_STATE):
        try:
            found.append(Registration((await channel.ask(form))[1:]))
        except at.NoModule:
            raise
        except (at.CommandError, at.BadAnswer, at.Timeout) as error:
            failed = error
            continue
        if found[-1].registered:
            break
    return found, failed
