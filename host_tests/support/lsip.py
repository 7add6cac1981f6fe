"""A module that answers what belongs to sockets by itself, each line of it open to change.

    module = Lsip()
    module.change = lambda kind, line: line.replace(b"1497", b"8x0")

Its far end sends back what it is sent, in pieces. Forms as manual 3.3.1.1 and 3.5.1.2 print them;
habits of other modules, and what an earlier life has left, are attributes.
"""

import time

from host_tests.support.streams import Module

IDS = (1, 2, 3, 4)


class Lsip(Module):
    """change -- called with the kind and the bytes of each line; returns what is said instead.
    Kinds: CALL, STATE, OPEN, FREE, SEND, VERDICT, DATA, CLOSE (the answer), CLOSED (by itself),
    RESULT
    """

    IRQ_RXIDLE = 1  # as ports with an idle interrupt: fewer looks, so that long waits are quick

    def __init__(self):
        super().__init__()
        self.change = None
        self.up = False
        self.sockets = {}  # id -> _Open
        self.hex = False
        self.arrived = {}  # id -> what the far end of the last connection with it has got
        # Habits
        self.size = 1500  # of a socket's buffer, in units
        self.unit = 1  # units a byte
        self.piece = 700  # bytes in one line of data
        self.echo = True  # the far end sends back what it gets
        self.delay_ms = 0  # of each answer
        self.call_ms = None  # until the address is told, behind the result code
        self.verdicts = True  # of PUSH
        self.room_ms = None  # until its room and its verdict come, behind the result code
        self.strict = False  # without room a command is refused; else less is free
        self.early = False  # only the room comes then
        self.resends = False  # what takes room is sent again with the next push
        self.echoes = False  # of commands
        self.lists = True  # AT+LSIPOPEN? is known
        self.once = False  # what holds already is refused: the context, hex mode
        self.kept = None  # what has come and is kept until it is asked for; None: it is not kept
        # By the beginning of a command:
        self.canned = {}  # what is said in place of its answer
        self.before = {}  # what is said in front of it, once
        self.dies_at = None  # the module restarts there, once
        self._kick = None
        self._later = []  # [ticks_ms, bytes]: may come between a command and its answer
        self._quiet = False  # the answer is canned
        self._up_at = time.ticks_ms()

    def irq(self, handler=None, trigger=0):
        self._kick = handler

    def say(self, data, after_ms=0):
        super().say(data, after_ms)
        if self._kick is not None:
            self._kick(self)

    def readinto(self, buf):
        now = time.ticks_ms()
        for entry in list(self._later):
            if time.ticks_diff(now, entry[0]) >= 0:
                self._later.remove(entry)
                self.say(entry[1])
        return super().readinto(buf)

    def later(self, after_ms, data):
        """Say something then, whatever else there is to say."""
        self._later.append([time.ticks_add(time.ticks_ms(), after_ms), data])

    def out(self, kind, line, after_ms=0):
        """Say a line, as it is changed."""
        if self._quiet and kind not in ("DATA", "CLOSED"):
            return
        if self.change is not None:
            line = self.change(kind, line)
        if line and after_ms:
            self.later(after_ms, line)
        elif line:
            self.say(line)

    def tell(self, n, data):
        """The far end of a socket has sent this."""
        socket = self.sockets[n]
        name = b"+LSIPRUDP" if socket.udp else b"+LSIPRTCP"
        if self.kept is not None:
            if not self.kept:
                self.out("DATA", name + b"=%d\r" % n)
            self.kept += data
            return
        for i in range(0, len(data), self.piece):
            piece = data[i : i + self.piece]
            digits = b"".join([b"%02x" % c for c in piece])
            self.out("DATA", name + b"=%d,%d,%s\r" % (n, len(piece), digits))
            socket.told += len(piece)

    def hang_up(self, n):
        """The far end of a socket closes."""
        self.out("CLOSED", self._counts(n))

    # Answers --------------------------------------------------------------------------------

    def _hear(self, line):
        self.heard.append(line)
        if self.dies_at is not None and line.startswith(self.dies_at):
            self.dies_at = None
            self.up, self.sockets, self.hex = False, {}, False
            self.say(b"\r\nRDY\r\n")
            return
        if self.echoes:
            self.say(line.encode() + b"\r")
        if self.delay_ms:
            self.say(b"", self.delay_ms)
        for begin in list(self.before):
            if line.startswith(begin):
                self.say(self.before.pop(begin))
        said = [self.canned[begin] for begin in self.canned if line.startswith(begin)]
        self._quiet = bool(said)
        if said:
            self.say(said[0])
        self._answer(line)
        self._quiet = False

    def _answer(self, line):
        name, _, rest = line[2:].partition("=")
        name = name.strip("+").lower().replace("?", "_q")
        answer = getattr(self, "_on_" + name, None)
        if answer is None:
            self._done()
        elif rest:
            answer(*rest.split(","))
        else:
            answer()

    def _done(self, good=True, after_ms=0):
        self.out("RESULT", b"0\r" if good else b"4\r", after_ms)

    def _verdict(self, after_ms=0):
        self.out("VERDICT", b"+LSIP:OK \r", after_ms)

    def _on_csq(self):
        self.say(b"+CSQ: 22,99\r\n0\r")

    def _on_lsipcall(self, on):
        if on == "1" and self.up and self.once:
            self._done(False)
            return
        self.up = on == "1"
        if not self.up:
            self.sockets = {}
        if self.up and self.call_ms is not None:
            self._done()
            self._up_at = time.ticks_add(time.ticks_ms(), self.call_ms)
        self.out(
            "CALL",
            b"+LSIPCALL:1, 10.32.226.112\r" if self.up else b"+LSIPCALL:0\r",
            self.call_ms or 0,
        )
        self._verdict()
        if not self.up or self.call_ms is None:
            self._done()

    def _on_lsipcall_q(self):
        up = self.up and time.ticks_diff(time.ticks_ms(), self._up_at) >= 0
        self.out("STATE", b"+LSIPCALL: 1, 10.32.226.112\r\n" if up else b"+LSIPCALL:0\r\n")
        self._done()

    def _on_lsiphex(self, on):
        good = not (self.once and self.hex == (on == "1"))
        self.hex = on == "1"
        self._done(good)

    def _on_lsiphex_q(self):
        self.say(b"+LSIPHEX: %d\r\n" % self.hex)
        self._done()

    def _on_lsipopen_q(self):
        if self.lists:
            free = ",".join([str(n) for n in IDS if n not in self.sockets])
            self.out("FREE", b"+LSIPOPEN:%s\r\n" % free.encode())
        self._done(self.lists)

    def _on_lsipopen(self, number, _local, _host, _port, kind):
        n = int(number)
        if n in self.sockets or not self.up:
            self._done(False)
            return
        self.sockets[n] = _Open(kind == "1")
        self.arrived[n] = b""
        self.out("OPEN", b"+LSIPOPEN=%d,1\r" % n)
        self._verdict()
        self._done()

    def _on_lsipsend(self, number, digits):
        n = int(number)
        digits = digits.strip('"')
        socket = self.sockets.get(n)
        if socket is None or len(digits) % 2 or not self.hex:
            self._done(False)
            return
        if socket.pushed and time.ticks_diff(time.ticks_ms(), socket.gone_at) >= 0:
            socket.pushed = 0
        data = bytes([int(digits[i : i + 2], 16) for i in range(0, len(digits), 2)])
        free = self.size - self.unit * (len(socket.waiting) + len(data) + socket.pushed)
        if free < 0 or (self.strict and socket.pushed):
            self._done(False)
            return
        socket.waiting += data
        self.out("SEND", b"+LSIPSEND:%d,%d\r\n" % (n, free))
        self._done()

    def _on_lsippush(self, number):
        n = int(number)
        socket = self.sockets.get(n)
        if socket is None:
            self._done(False)
            return
        if time.ticks_diff(time.ticks_ms(), socket.gone_at) >= 0:
            socket.pushed = 0
        data, socket.waiting = socket.waiting, b""
        if self.resends and socket.pushed:
            socket.sent += socket.sent[-socket.pushed :]
        socket.sent += data
        self.arrived[n] = socket.sent
        if self.room_ms is not None:
            socket.pushed += len(data)
            socket.gone_at = time.ticks_add(time.ticks_ms(), self.room_ms)
        behind = self.room_ms is not None and not self.early
        if behind:
            self._done()
        if self.verdicts:
            self._verdict(self.room_ms if behind else 0)
        if not behind:
            self._done()
        if self.echo:
            self.tell(n, data)

    def _on_lsipread(self, number):
        if self.kept is None:
            self._done(False)
            return
        piece, self.kept = self.kept[: self.piece], self.kept[self.piece :]
        digits = b"".join([b"%02X" % c for c in piece])
        self.say(b"+LSIPREAD:%d,%d,%s\r" % (int(number), len(piece), digits))
        self._done()

    def _on_lsipclose(self, number):
        n = int(number)
        if n not in self.sockets:
            self._done(False)
            return
        self.out("CLOSE", self._counts(n))
        self._verdict()
        self._done()

    def _counts(self, n):
        socket = self.sockets.pop(n)
        return b"+LSIPCLOSE:%d,%d,%d,0\r" % (n, len(socket.sent), socket.told)


class _Open:
    """One open socket of the module."""

    def __init__(self, udp=False):
        self.udp = udp
        self.waiting = b""  # to be pushed
        self.pushed = 0  # bytes that were, and still take room
        self.gone_at = time.ticks_ms()  # from which they do not
        self.sent = b""
        self.told = 0  # bytes


def left_open(*numbers):
    """Sockets of an earlier life."""
    return {n: _Open() for n in numbers}
