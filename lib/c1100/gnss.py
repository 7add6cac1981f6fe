"""GNSS: GPS, BeiDou and GLONASS (manual 3.4). Sentences come on the same UART as everything else.

await modem.gnss.start()
fix = await modem.gnss.fix(60)
await modem.gnss.stop()
"""

import asyncio
from collections import namedtuple

from micropython import const

from . import at, dialect

_LOOK_MS = const(1000)  # between looks at the sentences where the board dozes

# time      (year, month, day, hour, minute, second) in UTC
# position  latitude, longitude in degrees, north and east positive
# altitude  m above mean sea level, speed in m/s, course in degrees; None where unknown
Fix = namedtuple(
    "Fix", ("time", "latitude", "longitude", "altitude", "speed", "course", "satellites", "hdop")
)


class Gnss:
    """modem.gnss"""

    def __init__(self, channel, explain, doze=None) -> None:
        self._channel = channel
        self._explain = explain  # modem.C1100.explain
        self._doze = doze  # likewise; None where the board stays awake
        self.last = None  # the latest Fix
        self.bad = 0  # sentences whose checksum was wrong
        self._still = False  # the module was told not to send them unasked
        self._gga = self._rmc = None
        self._fixed = asyncio.Event()

    async def start(
        self,
        mode: int = 1,
        accuracy_m: int = 20,
        timeout_s: int = 180,
        fixes: int = 9999999,
        interval_s: int = 1,
    ) -> None:
        """Switch the receiver on. Defaults are the manual's example.

        timeout_s -- seconds after which the module gives up its search
        fixes     -- after so many the module stops by itself

        What the arguments mean to the module is inferred from their order. Raises NotSupported
        where the variant has no receiver, CommandError, BadArgument.
        """
        self._gga = self._rmc = None
        self._channel.sinks["$"] = self._sentence
        run = self._channel.run
        try:
            await run(dialect.GNSS_MODE, mode)
            await run(dialect.GNSS_CONFIG, accuracy_m, timeout_s, fixes, interval_s)
            await run(dialect.GNSS_START)
        except at.CommandError as error:
            self._channel.sinks.pop("$", None)
            await self._explain(error, "gnss")

    async def fix(self, timeout_s: float) -> Fix:
        """Wait for the next position. Raises Timeout when there is none in so many seconds."""
        self._fixed.clear()
        if self._doze is not None and await self._holds_its_tongue():
            await self._look(self._doze, timeout_s)
        else:
            try:
                await asyncio.wait_for_ms(self._fixed.wait(), int(timeout_s * 1000))
            except asyncio.TimeoutError:
                pass  # told below
        if self.last is None or not self._fixed.is_set():
            raise at.Timeout("no position in %d s: can it see the sky?" % timeout_s)
        return self.last

    async def _holds_its_tongue(self) -> bool:
        """Whether the module can be told not to send sentences unasked."""
        try:
            await self._channel.run(dialect.GNSS_FLOW, 0)
            self._still = True
        except at.CommandError:
            self._still = False
        return self._still

    async def _look(self, doze, timeout_s: float) -> None:
        """Ask for the latest sentences now and then, and let the board sleep in between."""
        for _ in range(int(timeout_s * 1000 / _LOOK_MS) + 1):
            await doze(_LOOK_MS)
            try:
                lines = await self._channel.run(dialect.GNSS_LAST)
            except at.CommandError:
                continue  # there are none yet
            # The first stands behind the answer's prefix; the others have come to _sentence().
            for line in lines:
                self._sentence(line[line.find("$") :])
            if self._fixed.is_set():
                return

    async def stop(self) -> None:
        """Switch the receiver off."""
        if self._still:
            await self._channel.run(dialect.GNSS_FLOW, 1)
            self._still = False
        await self._channel.run(dialect.GNSS_STOP)
        self._channel.sinks.pop("$", None)

    def _sentence(self, line: str) -> None:
        fields = sentence(line)
        if fields is None:
            self.bad += 1
            return
        kind = fields[0][-3:]
        if kind == "GGA":
            self._gga = fields
        elif kind == "RMC":
            self._rmc = fields
        else:
            return
        # Which of the two comes first differs between receivers.
        found = combine(self._gga, self._rmc)
        if found is not None:
            self._gga = self._rmc = None
            self.last = found
            self._fixed.set()


def sentence(line: str) -> list | None:
    """The fields of an NMEA 0183 sentence, ``GNGGA`` first; None if its checksum is wrong."""
    star = line.rfind("*")
    if line[:1] != "$" or star < 0:
        return None
    total = 0
    for c in line[1:star]:
        total ^= ord(c)
    try:
        if int(line[star + 1 : star + 3], 16) != total:
            return None
    except ValueError:
        return None
    return line[1:star].split(",")


def combine(gga: list | None, rmc: list | None) -> Fix | None:
    """A Fix from the GGA and RMC sentences of one moment; None unless both are valid."""
    try:
        if gga is None or rmc is None or gga[1] != rmc[1] or rmc[2] != "A" or gga[6] in ("", "0"):
            return None
        clock, date = rmc[1], rmc[9]
        moment = (
            2000 + int(date[4:6]),
            int(date[2:4]),
            int(date[0:2]),
            int(clock[0:2]),
            int(clock[2:4]),
            int(clock[4:6]),
        )
        speed = _number(rmc[7])
        return Fix(
            moment,
            _degrees(rmc[3], rmc[4] == "S"),
            _degrees(rmc[5], rmc[6] == "W"),
            _number(gga[9]),
            None if speed is None else speed * 0.514444,
            _number(rmc[8]),
            int(gga[7] or 0),
            _number(gga[8]),
        )
    except (ValueError, IndexError):  # a sentence that is not of the standard's form
        return None


def _degrees(text: str, negative: bool) -> float:
    """``ddmm.mmmm`` or ``dddmm.mmmm``"""
    dot = text.find(".")
    split = (dot if dot >= 0 else len(text)) - 2
    value = int(text[:split]) + float(text[split:]) / 60
    return -value if negative else value


def _number(text: str) -> float | None:
    return float(text) if text else None
