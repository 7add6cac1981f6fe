"""64 KiB without a pause at 921600 baud, to a board whose computing takes time, in lockstep."""

import json
import shutil
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

from tools.bench.figures import PACKAGES, ROOT, Figures, MeasureFailed
from tools.lockstep import Bench
from tools.timeline import Timeline
from tools.virtual_board.board import Board, Computing, flash_folder

BAUD = 921600
BURST = 65536  # bytes
CHUNK = 64  # that come together
BUFFER = BAUD // 10 * 350 // 1000  # bytes of the UART, as firmware/boards/base.py asks for
FULL_SPEED = (
    160 / 240
)  # of an ESP32: the profile's figures are for the clock that the port starts with
MAIN = """
import asyncio, json, machine
from c1100.channel import COMMAND, Channel
class Data:
    fields, hex, shape, limit, count = 2, True, "ii", 4096, 0
    def begin(self, values): return values[1]
    def data(self, view): self.count += len(view)
    def end(self, error):
        pass
heard = 0
def urc(values):
    global heard
    heard += 1
async def main():
    uart = machine.UART(1, %d, rxbuf=%d)
    made = Channel(uart)
    made.mode = COMMAND
    data = made.payloads["+LSIPRTCP"] = Data()
    for name in ("+CEREG", "+CGREG", "+MQTTPUB", "+CSQ", "^DATADISCONN"):
        made.on(name, urc)
    made.start()
    uart.write(b"go")
    before = -1
    while before != made.ring.received or not before:
        before = made.ring.received
        await asyncio.sleep_ms(1500)
    print(json.dumps([before, data.count, heard, made.ring.high_water]))
asyncio.run(main())
machine.deepsleep(3600000)
"""


def transcript() -> bytes:
    """Whole rounds of the lines that receive.py counts instructions with, as many as fit."""
    text = (ROOT / "tools/bench/on_micropython/receive.py").read_text()
    found: dict = {}
    exec(text[text.index("PAYLOAD = ") : text.index("NAMES = ")], found)
    return found["MIX"] * (BURST // len(found["MIX"]))


class Talker:
    """A module that says everything at once, as fast as the line is."""

    def __init__(self, timeline: Timeline, send: Callable[[bytes], None]) -> None:
        self.timeline = timeline
        self.send = send
        self.on_pin: Callable[[str, bool], None] | None = None

    def receive(self, data: bytes) -> None:
        said = transcript()
        for at in range(0, len(said), CHUNK):
            chunk = said[at : at + CHUNK]
            us = (at + len(chunk)) * 10_000_000 // BAUD
            self.timeline.call_later(us, lambda chunk=chunk: self.send(chunk))

    def set_pin(self, name: str, level: bool) -> None:
        """It has none."""

    def get_pin(self, name: str) -> bool:
        return False

    def peers(self) -> list:
        return []


def esp32_ns() -> int:
    """Nanoseconds for an instruction of MicroPython's virtual machine, on an ESP32 at 240 MHz."""
    profile = tomllib.loads((ROOT / "tools/power/profiles/board-esp32.toml").read_text())

    def find(table: dict) -> dict:
        for name, value in table.items():
            if name == "instruction":
                return value
            if isinstance(value, dict) and (found := find(value)):
                return found
        return {}

    return round(1000 * find(profile)["value"] * FULL_SPEED)


def burst(instruction_ns: int) -> tuple[int, int]:
    """(bytes lost, most bytes that waited in the driver's ring)"""
    with tempfile.TemporaryDirectory() as folder:
        flash = Path(folder)
        shutil.copytree(PACKAGES[0], flash / "lib" / "c1100")
        (flash / "main.py").write_text(MAIN % (BAUD, BUFFER))
        board = Board(flash_folder(flash), "1M", computing=Computing(instruction_ns, 0))
        with Bench(board, Talker) as bench:
            bench.run(until=lambda: bool(bench.console), limit_s=600)
            said = [text for _, text in bench.console]
            if not said[-1].startswith("["):
                bench.run(until=lambda: bool(bench.wakes and bench.wakes[0].end), limit_s=60)
                raise MeasureFailed("\n".join(text for _, text in bench.console))
            received, payload, _, high = json.loads(said[-1])
            lost = bench.lost_bytes
    if received + lost != len(transcript()):
        raise MeasureFailed(f"{received} bytes received and {lost} lost of {len(transcript())}")
    if not lost and payload != 24 * transcript().count(b"+LSIPRTCP"):
        raise MeasureFailed(f"payloads of {payload} bytes")
    return lost, high


def bursts() -> Figures:
    """On an ESP32, and how slow a board may be: to a tenth."""
    ns = esp32_ns()
    lost, high = burst(ns)
    slowest = ns
    while not burst(slowest * 11 // 10)[0]:
        slowest = slowest * 11 // 10
    return {
        "rx.burst_lost": (lost, "B"),
        "rx.burst_high_water": (high, "B"),
        "rx.burst_instructions_per_second": (round(1e9 / ns), "1/s"),
        "rx.burst_instructions_per_second.least": (round(1e9 / slowest), "1/s"),
    }


MEASURES = (bursts,)
