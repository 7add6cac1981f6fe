"""The receiving hardware of the board's UART on the virtual clock: FIFO and idle line.

Bytes become visible to the program as on an ESP32: when the FIFO has filled to its threshold, or
when the line has been quiet for some characters; only then does anything wake.
"""

from tools.timeline import Timeline, Timer

FIFO_THRESHOLD = 120  # bytes; default of the ESP32's UART driver
IDLE_CHARACTERS = 10  # default of the same driver
FRAME_BITS = 10


class Receiver:
    """One UART's input."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._fifo = bytearray()
        self._idle: Timer | None = None
        self.visible = bytearray()
        self.baud = 0  # closed
        self.interrupt = False  # the program wants to be told of an idle line
        self.idle_due = False

    def open(self, baud: int) -> None:
        """The program has set the baud rate; 0 closes the UART. What was received is gone."""
        self.reset()
        self.baud = baud

    def reset(self) -> None:
        """As after a reset of the chip."""
        self._fifo.clear()
        self.visible.clear()
        self.baud = 0
        self.interrupt = self.idle_due = False
        if self._idle:
            self._idle.cancel()

    def arrive(self, data: bytes) -> None:
        """`data` has just arrived over the line."""
        self._fifo += data
        if len(self._fifo) >= FIFO_THRESHOLD:
            self._show()
        if self._idle:
            self._idle.cancel()
        quiet_us = IDLE_CHARACTERS * FRAME_BITS * 1_000_000 // self.baud
        self._idle = self._timeline.call_later(quiet_us, self._line_idle)

    def take(self) -> bytes:
        """The visible bytes, which are then the program's."""
        data = bytes(self.visible)
        self.visible.clear()
        return data

    def _show(self) -> None:
        self.visible += self._fifo
        self._fifo.clear()

    def _line_idle(self) -> None:
        self._idle = None
        self._show()
        self.idle_due = self.interrupt
