"""The virtual module in real time, on a PTY or a serial port."""

import fcntl
import os
import select
import termios
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tools.timeline import Timeline
from tools.virtual_c1100.module import VirtualC1100

IDLE_S = 0.25  # how often a quiet loop looks at its stop condition
SPEEDS = {getattr(termios, f"B{n}"): n for n in
          (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
          if hasattr(termios, f"B{n}")}  # fmt: skip


class LinePort(Protocol):
    """What a DTE is connected to."""

    def fileno(self) -> int: ...
    def read(self) -> bytes: ...
    def write(self, data: bytes) -> None: ...
    def baud(self) -> int | None: ...
    def close(self) -> None: ...


class PtyPort:
    """A pseudo terminal whose other end programs open like a serial port.

    link -- path of a symbolic link to it; replaced when it is one already that nobody serves
    """

    def __init__(self, link: Path) -> None:
        if _taken(link):
            raise ValueError(
                f"{link} is in use by another virtual module: end that, or name another link"
            )
        self._master, self._slave = os.openpty()  # the slave stays open: no EIO between users
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.name = os.ttyname(self._slave)
        self.lost = 0
        self._link = link
        # A lock, because the numbers of pseudo terminals are given out again.
        fcntl.flock(self._slave, fcntl.LOCK_EX)
        if link.is_symlink():  # of a module that has ended without cleaning up
            link.unlink()
        link.symlink_to(self.name)

    def fileno(self) -> int:
        return self._master

    def read(self) -> bytes:
        with suppress(BlockingIOError):
            return os.read(self._master, 65536)
        return b""

    def write(self, data: bytes) -> None:
        """Bytes that nobody reads are lost, as on a wire."""
        try:
            written = os.write(self._master, data)
        except BlockingIOError:
            written = 0
        self.lost += len(data) - written

    def baud(self) -> int | None:
        """The rate that the program at the other end has set, None when it is not a usual one."""
        return SPEEDS.get(termios.tcgetattr(self._slave)[4])

    def close(self) -> None:
        if self._link.is_symlink() and os.readlink(self._link) == self.name:
            self._link.unlink()
        os.close(self._master)
        os.close(self._slave)


def _taken(link: Path) -> bool:
    """Whether a module that runs has made this link."""
    if not link.is_symlink() or not link.exists():
        return False
    fd = os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


class SerialPort:
    """A USB-UART with a physical board at its other end (pyserial)."""

    def __init__(self, device: str, baud: int) -> None:
        import serial  # only this port needs it

        self._port = serial.Serial(device, baud, timeout=0, write_timeout=1)
        self.name = device

    def fileno(self) -> int:
        return self._port.fileno()

    def read(self) -> bytes:
        return self._port.read(65536)

    def write(self, data: bytes) -> None:
        self._port.write(data)

    def set_baud(self, baud: int) -> None:
        """Follow AT+IPR."""
        if self._port.baudrate != baud:
            self._port.baudrate = baud

    def baud(self) -> int | None:
        return None

    def close(self) -> None:
        self._port.close()


def run(
    timeline: Timeline,
    module: VirtualC1100,
    port: LinePort,
    stopped: Callable[[], bool] = lambda: False,
    tell: Callable[[str], None] = lambda text: None,
) -> None:
    """Serve `port` and the module's network peers until `stopped()`; the clock is the real one.

    tell -- what the person at the console should know
    """
    told: tuple[int | None, int] | None = None
    start = time.monotonic() - timeline.now_us / 1e6
    while not stopped():
        peers = {peer.fileno(): peer for peer in module.peers()}
        reads = [port.fileno(), *(fd for fd, peer in peers.items() if peer.want_read)]
        writes = [fd for fd, peer in peers.items() if peer.want_write]
        due = timeline.next_us()
        wait = IDLE_S if due is None else min(IDLE_S, due / 1e6 - (time.monotonic() - start))
        readable, writable, _ = select.select(reads, writes, [], max(0.0, wait))
        timeline.advance_to(max(timeline.now_us, round((time.monotonic() - start) * 1e6)))
        if isinstance(port, SerialPort):
            port.set_baud(module.uart.baud)
        if port.fileno() in readable:
            module.uart.dte_baud = port.baud()
            rates = (module.uart.dte_baud, module.uart.baud)
            if rates[0] is not None and rates[0] != rates[1] and rates != told:
                told = rates
                tell(f"The terminal speaks at {rates[0]} Bd, the module at {rates[1]}: each hears "
                     f"noise. Set the terminal to {rates[1]}.")  # fmt: skip
            module.receive(port.read())
        for fd in dict.fromkeys(readable + writable):
            if fd in peers:
                peers[fd].on_ready()
