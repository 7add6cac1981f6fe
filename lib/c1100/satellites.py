"""How strong satellites are, as GSV sentences tell: whether a search has any hope.

Sans-IO. ``$GPGSV,3,1,11,10,63,137,17,...``: behind three counts each satellite has its number,
elevation, azimuth, and its C/N0 in dB-Hz, which is empty while nothing is received of it.
"""

from micropython import const

from .nmea import scaled

_SOME_MS = const(5000)  # the sentences of a second come one after another
_MOST_DB = const(60)  # no receiver sees more: it is no C/N0


def strongest(fields: list) -> int | None:
    """The greatest C/N0 in a GSV sentence in dB-Hz, 0 when nothing is received; None: it does not
    tell.
    """
    counts = [scaled(text, 0) for text in fields[1:4]]
    if len(counts) < 3 or None in counts:
        return None
    found = 0
    for n in range(7, len(fields), 4):
        value = scaled(fields[n], 0) if fields[n] else 0
        if value is None or not 0 <= value <= _MOST_DB:
            return None
        found = max(found, value)
    return found


class Hope:
    """Of one search. patience -- C1100's; weak_s -- for so long no satellite had least_db"""

    def __init__(self, patience, weak_s: int, least_db: int) -> None:
        self._patience = patience
        self._weak_ms = weak_s * 1000
        self._least_db = least_db
        self._since = None  # sentences tell that none is strong

    @property
    def is_weak(self) -> bool:
        """Whether for some time sentences have told of satellites, and of none that is strong."""
        return self._since is not None and self._patience.since(self._since) >= _SOME_MS

    def is_lost(self, fields: list) -> bool:
        """A GSV sentence: whether it is time to give up. Who does not tell is not weak."""
        found = strongest(fields)
        if found is None or found >= self._least_db:
            self._since = None
            return False
        if self._since is None:
            self._since = self._patience.mark()
        return self._patience.since(self._since) >= self._weak_ms
