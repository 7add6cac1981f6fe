"""How a network refuses: registrations by EMM cause, contexts by ESM cause (24.301 9.9)."""

from tools.virtual_c1100.commands import CME_WORDS
from tools.virtual_c1100.core import Core

# EMM causes behind which T3402 or T3346 runs (24.301 5.5.1.2.6, 5.3.7a), and the module tries by
# itself once it has run out.
TIMED = {2, 16, 17, 18, 19, 22, 95, 96, 97, 99, 111}
# 27.007 9.2.2.2: 100 more than the ESM cause, but for these.
CME_OF_ESM = {8: 177, 38: 190}
UNSPECIFIED = 148  # of the others


def cme(esm: int) -> int:
    """The number of +CME ERROR for a context that was refused."""
    code = CME_OF_ESM.get(esm, 100 + esm)
    return code if code in CME_WORDS else UNSPECIFIED


class Refusal:
    """Whether the network refuses what is asked for. It goes on until it was not asked for
    `Cell.backoff_s`; 0: for ever.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._last_us: int | None = None

    def holds(self, cause: int | None) -> bool:
        """It is asked now, and would refuse for this cause; None: it would not."""
        if cause is None:
            self._last_us = None
            return False
        now, last = self._core.timeline.now_us, self._last_us
        wait_us = self._core.profile.cell.backoff_s * 1e6
        if wait_us and last is not None and now - last >= wait_us:
            return False
        self._last_us = now
        return True
