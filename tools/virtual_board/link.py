"""The line between a board's interpreter and the host: framed messages over a socket.

A message of the interpreter is its kind (one byte), the payload's length (u16) and the payload;
an answer is the length (u16) and the payload. All numbers are little-endian. The other end is
`stand_ins/_link.py`; the kinds are listed in `KINDS`.
"""

import socket
import struct

WAIT, UART_OPEN, UART_WRITE, UART_IRQ, UART_LOST = b"W", b"O", b"U", b"I", b"X"
PIN_OUT, PIN_READ, PIN_IRQ, ADC_READ = b"P", b"p", b"Q", b"A"
RTC_MEMORY, RTC_OFFSET, WATCHDOG = b"M", b"T", b"D"
BUS = b"b"
COMPUTED = b"C"
STARTED, ENDED, DEEPSLEEP, RESET = b"G", b"E", b"S", b"R"

# kind: (format of the payload, does the interpreter wait for an answer)
KINDS: dict[bytes, tuple[str, bool]] = {
    WAIT: ("<qBB", True),  # microseconds (-1: for ever), UARTs whose bytes end it, 1 = light sleep
    UART_OPEN: ("<BI", False),  # id, baud rate
    UART_WRITE: ("<B", False),  # id; the bytes follow
    UART_IRQ: ("<BB", False),  # id, wanted
    UART_LOST: ("<BI", False),  # id, bytes that did not fit the receive buffer
    PIN_OUT: ("<BB", False),  # number, level (2: released, an input)
    PIN_READ: ("<B", True),  # number -> level
    PIN_IRQ: ("<BBB", False),  # number, trigger, sleeps that it ends
    ADC_READ: ("<B", True),  # number -> u32 microvolts
    BUS: ("<BB", True),  # what is done (devices.py), address or pin; then bytes -> u8 errno, bytes
    RTC_MEMORY: ("<", False),  # the whole memory follows
    RTC_OFFSET: ("<q", False),  # microseconds by which the calendar was set forward
    WATCHDOG: ("<I", False),  # milliseconds until it bites
    COMPUTED: ("<II", False),  # microseconds before what follows, those of them for loading code
    STARTED: ("<", False),  # boot.py is next; from now on a Ctrl-C interrupts
    DEEPSLEEP: ("<q", False),  # milliseconds, -1: until a pin wakes it
    RESET: ("<B", False),  # 1 = soft
    ENDED: ("<", False),  # boot.py and main.py have ended; the prompt follows
}

# Events within the answer to WAIT, after the time (i64 microseconds): kind (u8), then
EVENT_BYTES, EVENT_IDLE, EVENT_PIN, EVENT_INTERRUPT = b"B", b"L", b"P", b"C"
# B: UART id (u8), length (u16), bytes · L: UART id (line idle) · P: pin (u8), level (u8) · C: -


class Link:
    """The host's end of the line to one interpreter."""

    def __init__(self) -> None:
        self._socket, self._theirs = socket.socketpair()
        self._received = bytearray()

    def fileno(self) -> int:
        """The descriptor to wait on for messages."""
        return self._socket.fileno()

    def child_fileno(self) -> int:
        """The interpreter's descriptor, to be passed on and then dropped by `started`."""
        return self._theirs.fileno()

    def started(self) -> None:
        """The interpreter holds its end now; forget the host's copy."""
        self._theirs.close()

    def close(self) -> None:
        """Give up the line."""
        self._socket.close()
        self._theirs.close()

    def receive(self) -> bool:
        """Take in what has arrived, or wait for it. False when the other end is gone."""
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            return False
        self._received += data
        return bool(data)

    def next(self) -> tuple[bytes, tuple[int, ...], bytes] | None:
        """The next whole message as (kind, fields, rest of the payload), or None.

        Raises ValueError for a kind that is not in the table.
        """
        if len(self._received) < 3:
            return None
        kind = bytes(self._received[:1])
        length = int.from_bytes(self._received[1:3], "little")
        if len(self._received) < 3 + length:
            return None
        payload = bytes(self._received[3 : 3 + length])
        del self._received[: 3 + length]
        if kind not in KINDS:
            raise ValueError(f"unknown message {kind!r} from the board's interpreter")
        form = KINDS[kind][0]
        size = struct.calcsize(form)
        return kind, struct.unpack(form, payload[:size]), payload[size:]

    def answer(self, payload: bytes) -> None:
        """Answer the message that the interpreter waits on; nothing happens when it has gone."""
        try:
            self._socket.sendall(len(payload).to_bytes(2, "little") + payload)
        except (BrokenPipeError, ConnectionResetError):
            return  # its end is reported by the process, not by the line
