"""Switching the module off, whatever it makes of being told so."""

import time

from c1100 import C1100, C1100Error, NotSupported
from host_tests.support import fails
from host_tests.support.answering import REGISTERED, SILENCE, Answering

COMMAND = "AT$QCPWRDN"
OK, ERROR = b"0\r", b"4\r"
CME = b"+CME ERROR: 3\r\n"


class Module(Answering):
    """Goes off when it is told, or when its key is pressed for long enough."""

    def __init__(self, answer, obeys, hears):
        super().__init__(REGISTERED)
        self.answers[COMMAND] = answer
        self.obeys = obeys
        self.hears = hears
        self.is_on = True
        self.presses = 0
        self._since = None

    def write(self, data):
        n = super().write(data)
        if COMMAND.encode() in bytes(data) and self.obeys:
            self.is_on = False
        return n

    def value(self):
        """Of the status pin."""
        return int(self.is_on)

    def on(self):
        self._since = time.ticks_ms()

    def off(self):
        """The key is let go."""
        self.presses += 1
        if self.hears and time.ticks_diff(time.ticks_ms(), self._since) >= 2000:
            self.is_on = not self.is_on


# what it answers, whether it obeys, whether it hears its key; wired: key, status;
# how many presses, whether it is off, whether an error is told
CASES = (
    (OK, True, True, "key status", 0, True, False),
    (OK, True, True, "key", 0, True, False),
    (OK, True, True, "status", 0, True, False),
    (OK, True, True, "", 0, True, False),
    (OK, False, True, "key status", 1, True, False),
    (OK, False, False, "key status", 3, False, True),
    (OK, False, True, "status", 0, False, True),
    (OK, False, True, "key", 0, False, False),  # nothing tells
    (ERROR, False, True, "key status", 1, True, False),
    (CME, False, True, "key status", 1, True, False),
    (ERROR, False, True, "key", 1, True, False),
    (ERROR, False, True, "status", 0, False, True),
    (ERROR, False, True, "", 0, False, True),
    (ERROR, False, False, "key status", 3, False, True),
    (SILENCE, False, True, "key status", 1, True, False),
    (SILENCE, False, False, "key status", 3, False, True),
    (SILENCE, False, True, "key", 0, False, True),  # it may be off
    (SILENCE, False, True, "status", 0, False, True),
    (SILENCE, True, True, "key status", 0, True, False),
)


async def test_off_by_command_or_by_key():
    for case in CASES:
        answer, obeys, hears, wires, presses, off, error = case
        module = Module(answer, obeys, hears)
        modem = C1100(
            module,
            pwrkey=module if "key" in wires else None,
            status=module if "status" in wires else None,
        )
        await modem.signal()
        begin = time.ticks_ms()
        if error:
            await fails(C1100Error, modem.power_off(force=True))
        else:
            await modem.power_off(force=True)
        assert (module.presses, not module.is_on) == (presses, off), case
        assert time.ticks_diff(time.ticks_ms(), begin) < 55000, case
        modem.close()


async def test_never_off_without_a_way_back():
    for wires in ("", "status", "wake", "status wake"):
        module = Module(OK, True, True)
        modem = C1100(
            module,
            wake=module if "wake" in wires else None,
            status=module if "status" in wires else None,
        )
        await modem.signal()
        await fails(NotSupported, modem.power_off())
        assert module.is_on, wires
        await modem.signal()
        modem.close()
