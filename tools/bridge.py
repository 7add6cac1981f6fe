"""Half real, half in software, when the other half is missing.

    python -m tools bridge --board /dev/ttyUSB0                 a board's UART, a virtual C1100
    python -m tools bridge --module /dev/ttyUSB1 --flash DIR    a C1100, a virtual board

What goes over the line is shown, or written to --trace; PIN and password are masked. The power key
and the other pins are not on the line: switch a physical C1100 on by hand, and leave its pins out
of the virtual board's config.json: the node never switches it off then. More options for each
half: virtual-c1100, virtual-board.
"""

import argparse
import os
import select
import signal
import sys
import threading
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import serial

from tools import failure, options
from tools.timeline import Timeline
from tools.virtual_board.board import Board, flash_folder
from tools.virtual_board.process import BoardError
from tools.virtual_board.realtime import RealTimeBoard
from tools.virtual_c1100 import Profile, VirtualC1100, realtime
from tools.virtual_c1100.realtime import SerialPort
from tools.virtual_c1100.trace import Trace

POLL_S = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    half = parser.add_mutually_exclusive_group(required=True)
    half.add_argument("--board", metavar="PORT", help="serial port with a board's UART")
    half.add_argument("--module", metavar="PORT", help="serial port with a C1100")
    parser.add_argument("--baud", type=options.baud, default=115200, help="of the port (115200)")
    parser.add_argument("--flash", type=Path, metavar="DIR", help="the virtual board's files")
    parser.add_argument("--link", type=Path, metavar="PATH",
                        help="symlink to the virtual board's prompt")  # fmt: skip
    parser.add_argument("--trace", type=Path, metavar="FILE", help="write the line's bytes here")


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM. Returns 0, 1 when a port is lost, 2 for wrong options."""
    if args.module and not args.flash:
        print("bridge: --module needs --flash DIR, the virtual board's files", file=sys.stderr)
        return 2
    stop: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: stop.append(number))
    out = args.trace.open("w", buffering=1) if args.trace else sys.stdout
    try:
        port = SerialPort(args.board or args.module, args.baud)
        timeline = Timeline()
        trace = Trace(timeline, out)
        try:
            serve = _virtual_module if args.board else _virtual_board
            serve(port, args, timeline, trace, lambda: bool(stop))
        finally:
            trace.flush()
            port.close()
    except (serial.SerialException, OSError, BoardError) as error:
        name = args.board or args.module
        print(f"bridge: {failure.words(error, name)}", file=sys.stderr)
        return 1
    finally:
        if out is not sys.stdout:
            out.close()
    return 0


def _virtual_module(
    port: SerialPort,
    args: argparse.Namespace,
    timeline: Timeline,
    trace: Trace,
    stopped: Callable[[], bool],
) -> None:
    module = VirtualC1100(timeline, Profile(baud=args.baud, start_s=int(time.time())), port.write)
    module.trace = trace
    print(f"virtual C1100 for the board at {port.name}. Ctrl-C ends it.", flush=True)
    module.power_on()
    realtime.run(timeline, module, port, stopped)


def _virtual_board(
    port: SerialPort,
    args: argparse.Namespace,
    timeline: Timeline,
    trace: Trace,
    stopped: Callable[[], bool],
) -> None:
    """The board's UART is one end of a PTY; a thread carries bytes between it and the port."""
    near, far = os.openpty()
    for end in (near, far):
        tty.setraw(end)
        os.set_blocking(end, False)
    wire = Wire(near, port, timeline, trace)
    board = RealTimeBoard(Board(flash_folder(args.flash)), {1: far})
    try:
        if args.link:
            board.runner.console.symlink(args.link)
        name = board.runner.console.name
        print(f"virtual board for the C1100 at {port.name}; its prompt: {name}", flush=True)
        wire.start()
        board.run(lambda: stopped() or wire.lost is not None)
    finally:
        wire.stop()
        board.runner.close()
        for end in (near, far):
            os.close(end)
    if wire.lost is not None:
        raise wire.lost


class Wire(threading.Thread):
    """Carries bytes between a PTY and a port; `lost` is why it ended by itself."""

    def __init__(self, pty: int, port: SerialPort, timeline: Timeline, trace: Trace) -> None:
        super().__init__()
        self._pty, self._port, self._timeline, self._trace = pty, port, timeline, trace
        self._over = threading.Event()
        self.lost: Exception | None = None

    def stop(self) -> None:
        """End it, if it has begun."""
        self._over.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        begin = time.monotonic()
        try:
            while not self._over.is_set():
                ready, _, _ = select.select([self._pty, self._port.fileno()], [], [], POLL_S)
                self._timeline.advance_to(int((time.monotonic() - begin) * 1e6))
                if self._port.fileno() in ready:
                    data = self._port.read()
                    self._trace.bytes("<", data)
                    with suppress(BlockingIOError):  # nobody reads: lost, as on a wire
                        os.write(self._pty, data)
                if self._pty in ready:
                    data = os.read(self._pty, 4096)
                    self._trace.bytes(">", data)
                    self._port.write(data)
        except (serial.SerialException, OSError) as error:
            self.lost = error
