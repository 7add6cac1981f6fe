"""The tail of a session: a connection that nobody uses any more, until the network releases it.

The module is asked for its release (c1100.power), and whether that helps is watched. Loaded for
the end of a session, and before it, when the driver is not there yet. What was found is kept in a
file, written when it changes, some times a week at most:

    verdict, since when, ms until a release that was asked for, and one that was not (0: not
    measured), module, times in a row that it was asked for in vain
"""

from binascii import crc32

from micropython import const

from . import files, log

_FILE = "release"
_WEEK_S = const(604800)
_DAY_S = const(86400)
_PATIENCE_S = const(3)  # a release that was heard needs no more, be the signal poor
_OWN_S = const(90)  # and one that comes by itself
_OWN_MS = const(1000 * _OWN_S)  # it takes longer than that, or is never told of
_GAIN_MS = const(1000)  # below that nothing is gained
_WATCHED = const(8)  # one session of so many waits for the word of a release that is honoured
_MISSES = const(2)  # in a row: the word of one may be lost

UNKNOWN = const(0)
HONOURED = const(1)
IGNORED = const(2)  # by module or network
REFUSED = const(3)  # by the module
_WORDS = ("", "honoured", "ignored", "refused")


class Release:
    """node -- app.Node; modem -- the C1100
    last_s -- when the last session was, 0: not known
    """

    def __init__(self, node, modem, last_s: int = 0) -> None:
        self._node = node
        self._modem = modem
        self._last_s = last_s
        self._kept = _load()
        self.verdict, self._since, self._asked_ms, self._own_ms, self._module = self._kept[:5]
        self._misses = self._kept[5]

    # What the scheduler counts with -----------------------------------------------------------

    @property
    def asks(self) -> bool:
        """Whether the release is asked for, or may be again."""
        return self.verdict <= HONOURED or self._is_over

    @property
    def tail_s(self) -> float:
        """Seconds from the last byte to the release, as far as is known."""
        return max(self._asked_ms, 500) / 1000 if self.asks else self.own_s

    @property
    def own_s(self) -> float:
        """The same where nobody asks."""
        return self._seen_s or self._node.settings["sleep.release_s"]

    @property
    def lingers_s(self) -> float:
        """Seconds for which a connection that nobody ends may live on; for ever where that has
        not been seen yet.
        """
        if self.verdict == HONOURED and not self._misses:
            return self.tail_s
        return self._seen_s or float("inf")

    @property
    def _seen_s(self) -> float:
        """After how many seconds one was seen to end by itself; 0: not seen."""
        return self._own_ms % _OWN_MS / 1000

    @property
    def _is_over(self) -> bool:
        """What was found is too old."""
        return abs(self._node.now() - self._since) >= _WEEK_S

    # In a session -----------------------------------------------------------------------------

    async def end(self) -> bool:
        """The last byte has gone. Returns whether the connection has ended by now."""
        from c1100 import C1100Error

        try:
            if self.verdict and self._is_over and not self._own_ms and await self._measure():
                return True
            if not self.asks:
                return False
            if await self._ask():
                return True
            if self._own_ms or self.verdict <= HONOURED:
                return False
            return await self._measure(_PATIENCE_S if self.verdict == IGNORED else 0)
        except C1100Error as error:
            log.warning("no release: %s", error)
            return False
        finally:
            await self._keep()

    async def _measure(self, waited_s: int = 0) -> bool:
        """Once: what it would cost without asking, and how long what nobody ends lives on."""
        took = await self._modem.power.release(_OWN_S, ask=False)
        if took is None:
            self._own_ms = _OWN_MS
            log.info("not released in %d s without being asked", _OWN_S)
            return False
        if not took:  # it had ended before
            return True
        self._own_ms = min(int((waited_s + took) * 1000), _OWN_MS - 1)
        log.info("released after %d ms without being asked", self._own_ms)
        if self.verdict == HONOURED and self._own_ms < self._asked_ms + _GAIN_MS:
            self._conclude(IGNORED)
        return True

    async def _ask(self) -> bool:
        from c1100 import C1100Error

        if self.verdict > HONOURED:
            self.verdict = UNKNOWN  # a week is over
        watches = True
        if self.verdict:
            self._modem.power.knows_release = True
            watches = self._misses or not crc32(b"%d" % self._node.state.wakes) % _WATCHED
        try:
            took = await self._modem.power.release(_PATIENCE_S if watches else 0)
        except C1100Error as error:
            from c1100 import NotSupported  # with all other errors that are rare

            if not isinstance(error, NotSupported):
                raise
            log.info("%s", error)
            self._conclude(REFUSED)
            return False
        if not watches:
            return True
        if took is not None:
            log.info("released in %d ms", int(took * 1000))
            self._misses = 0
            if not self.verdict and took:
                self._asked_ms = int(took * 1000)
                self._conclude(HONOURED)
            return True
        self._misses += 1
        log.info("not released in %d s", _PATIENCE_S)
        if self._misses >= _MISSES:
            self._misses = 0
            self._conclude(IGNORED)
        return False

    def _conclude(self, verdict: int) -> None:
        self.verdict = verdict
        self._since = self._node.now()
        log.info("release: %s", _WORDS[verdict])

    async def look(self) -> None:
        """Forget everything if this is another module, or has another firmware. Asked for after a
        start, and in the first session of a day.
        """
        state, last_s = self._node.state, self._last_s
        is_new = not last_s or state.wakes == 1 or last_s // _DAY_S != self._node.now() // _DAY_S
        if not self.verdict or not is_new:
            return
        module = await self._name()
        if module != self._module:
            self.verdict, self._since, self._asked_ms, self._own_ms = _NOTHING[:4]
            self._module = module
            self._misses = 0
            log.info("another module, or another firmware in it")

    async def _name(self) -> int:
        """What tells modules and their firmwares apart; 1 where they do not tell."""
        from c1100 import C1100Error

        try:
            imei = await self._modem.imei()
            revision = await self._modem.command("+CGMR")
        except C1100Error as error:
            log.debug("module without a name: %s", error)
            return 1
        return crc32((imei + "".join(revision)).encode()) or 1

    async def _keep(self) -> None:
        """Write down what has changed."""
        if self.verdict and not self._module:
            self._module = await self._name()
        found = (self.verdict, self._since, self._asked_ms, self._own_ms)
        found += (self._module, self._misses)
        if found == self._kept:
            return
        try:
            files.replace(_FILE, b"%d %d %d %d %d %d" % found)
            self._kept = found
        except OSError as error:  # it is found again
            log.tell("%s cannot be written: %s", _FILE, error)


_NOTHING = (UNKNOWN, 0, 0, 0, 0, 0)


def _load() -> tuple:
    """What is in the file; nothing if there is none, or it is damaged."""
    try:
        found = tuple([int(word) for word in (files.read(_FILE) or b"").split()])
    except (OSError, ValueError):
        return _NOTHING
    if len(found) != len(_NOTHING) or min(found) < 0:
        return _NOTHING
    if found[0] > REFUSED or found[2] > _PATIENCE_S * 1000 or found[3] > _OWN_MS:
        return _NOTHING
    return found
