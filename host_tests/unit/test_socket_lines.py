"""Sockets over a module each of whose lines is damaged in each way: every wait has its end, in an
error of the driver's own or as it should, no byte is missing without one, and the next connection
works.
"""

import sys
import time

from c1100 import C1100, at
from c1100.channel import COMMAND
from host_tests.support.lsip import Lsip

LONGEST_MS = 400000  # of one whole flow: a wait for the far end's close may take 300 s

STEP = 1 if sys.implementation.name == "cpython" else 5  # some of them tell as much there
SENT = bytes([i * 7 % 256 for i in range(90)])
DAMAGE = (
    lambda field: b"",
    lambda field: b" ",
    lambda field: b'"' + field + b'"',
    lambda field: field[:1] + b"x" + field[1:],
    lambda field: b"o" + field[1:],
    lambda field: b"99999999999999999999",
    lambda field: b"-" + field,
    lambda field: b"-1",
    lambda field: b"\xff" + field,
    lambda field: field + b"0",
    lambda field: field[:-1],
    lambda field: b"0",
    lambda field: b"2",
    lambda field: b'"',
    lambda field: None,  # the field and its comma
    lambda field: field + b",7",
)


def damaged(line):
    """A line damaged: its fields and its prefix in each way, each of its bytes lost or noise."""
    end = line[len(line.rstrip()) :]
    body = line.rstrip()
    cut = 0
    while cut < len(body) and body[cut : cut + 1] not in (b":", b"="):
        cut += 1
    head, fields = body[: cut + 1], body[cut + 1 :].split(b",")
    if not head.startswith(b"+"):
        head, fields = b"", [body]
    for i in range(len(fields)):
        for way in DAMAGE:
            new = way(fields[i])
            changed = fields[:i] + ([] if new is None else [new]) + fields[i + 1 :]
            yield head + b",".join(changed) + end
    for prefix in (head[:-1], head[1:], head[:3] + head[4:], head[:-1] + b";", head + head[-1:]):
        yield prefix + b",".join(fields) + end
    yield b" " + head + b" , ".join(fields) + b" " + end
    yield body[: len(body) // 2] + end
    yield body + body + end
    yield b""
    for i in range(min(len(line), 40)):  # the rest is data
        yield line[:i] + line[i + 1 :]
        yield line[:i] + b"\xff" + line[i + 1 :]


class Change:
    """Damages the nth line of a kind, once: in the way with that number."""

    def __init__(self, kind, number, nth):
        self.kind = kind
        self.number = number
        self.nth = nth
        self.done = None

    def __call__(self, kind, line):
        if kind != self.kind or self.done is not None:
            return line
        if self.nth:
            self.nth -= 1
            return line
        ways = list(damaged(line))
        if self.number >= len(ways):
            return line
        self.done = ways[self.number]
        return self.done


def start(module):
    modem = C1100(module)
    modem._channel.mode = COMMAND
    modem._channel.settings_lost = False
    return modem


async def use(module, modem, kind, own_end=False):
    """A connection from call to hang-up, which the far end closes or, own_end, the board.
    Returns what was read.
    """
    got = b""
    async with modem.pdp("CMNET"):
        sock = await (modem.udp if kind else modem.tcp)("a.example", 7)
        number = sock.number
        try:
            await sock.sendall(SENT[:60])
            await sock.sendall(SENT[60:])
            assert module.arrived[number] == SENT, "what was sent has not arrived"
            while len(got) < len(SENT):
                got += await sock.recv(len(SENT), 5)
            if number in module.sockets and kind == 0 and not own_end:
                module.hang_up(number)
                assert await sock.recv(10) == b""
        finally:
            sock.close()
            await sock.wait_closed()
    return got


async def flow(kind, change):
    module = Lsip()
    module.piece = 40
    modem = start(module)
    module.change = change
    begin = time.ticks_ms()
    error = None
    try:
        got = await use(module, modem, kind, change.kind == "CLOSE")
        if change.done is None:
            return False
        assert got == SENT, "read %d bytes, not what was sent" % len(got)
    except at.C1100Error as raised:
        error = raised
    finally:
        if change.done is None:
            modem.close()
    took = time.ticks_diff(time.ticks_ms(), begin)
    assert took < LONGEST_MS, "%d ms" % took
    # Whatever that was: once the line is good, all is well.
    module.change = None
    try:
        assert await use(module, modem, kind) == SENT
    except at.C1100Error as raised:
        raise AssertionError("%r, and then %r" % (error, raised))
    assert not modem._sockets._open
    assert not modem._channel.stats["faults"]
    modem.close()
    return True


def damage(kind, name):
    """A test of all lines of a kind, over a connection of a kind."""

    async def test():
        for nth in range(9):
            number = nth % STEP
            while True:
                change = Change(name, number, nth)
                try:
                    if not await flow(kind, change):
                        break
                except Exception as error:
                    said = (change.done or b"")[:60]
                    raise AssertionError("%s %d as %r: %r" % (name, nth, said, error))
                number += STEP
            if number == nth % STEP:
                break
        assert nth, "no such line"

    return test


test_tcp_with_any_call = damage(0, "CALL")
test_tcp_with_any_state = damage(0, "STATE")
test_tcp_with_any_open = damage(0, "OPEN")
test_tcp_with_any_free = damage(0, "FREE")
test_tcp_with_any_send = damage(0, "SEND")
test_tcp_with_any_verdict = damage(0, "VERDICT")
test_tcp_with_any_data = damage(0, "DATA")
test_tcp_with_any_close = damage(0, "CLOSE")
test_tcp_with_any_closed = damage(0, "CLOSED")
test_tcp_with_any_result = damage(0, "RESULT")
test_udp_with_any_call = damage(1, "CALL")
test_udp_with_any_state = damage(1, "STATE")
test_udp_with_any_open = damage(1, "OPEN")
test_udp_with_any_free = damage(1, "FREE")
test_udp_with_any_send = damage(1, "SEND")
test_udp_with_any_verdict = damage(1, "VERDICT")
test_udp_with_any_data = damage(1, "DATA")
test_udp_with_any_close = damage(1, "CLOSE")
test_udp_with_any_result = damage(1, "RESULT")
