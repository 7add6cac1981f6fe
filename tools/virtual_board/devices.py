"""What is at the pins and buses of a virtual board: the files of a folder `virtual/`.

    pin34.csv     a line for each change: seconds since power was applied, volts. Analogue and
                  digital inputs; from 1.65 V on a level is 1. `# repeats every 86400` may be the
                  first line
    NAME.py       a class Device with one of
                      i2c = 0x76         write(data, now_s), read(count, now_s) -> bytes
                      spi = 5            its chip select: transfer(data, now_s) -> bytes
                      onewire = 4        its pin; rom, 8 bytes; write(), read() as above, after it
                                         was addressed

A device is made once and lives as long as the board has power, through all sleeps. Times are those
of the virtual clock. Where nothing is, a bus behaves as one without a device.
"""

import bisect
import csv
import errno
import importlib.util
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.virtual_board.process import BoardError
from tools.virtual_board.sensors import Reading

I2C_WRITE, I2C_READ, I2C_SCAN, SPI, WIRE_RESET, WIRE_WRITE, WIRE_READ, WIRE_SCAN = range(8)
HIGH_V = 1.65
REPEATS = re.compile(r"#\s*repeats every (\d+)")
MATCH_ROM, SKIP_ROM = 0x55, 0xCC
ROM_BYTES = 8


@dataclass
class Course:
    """Volts at a pin over time: each holds until the next."""

    times_us: list[int]
    volts: list[float]
    every_us: int = 0

    def at(self, now_us: int) -> float:
        """The voltage now; the first one's before it began."""
        if self.every_us:
            now_us %= self.every_us
        index = bisect.bisect_right(self.times_us, now_us) - 1
        return self.volts[max(index, 0)]

    def change_after(self, now_us: int) -> tuple[int, int] | None:
        """(when, level) of the next change of the digital level; None: there is none."""
        begin = now_us - now_us % self.every_us if self.every_us else 0
        level = self.at(now_us) >= HIGH_V
        for base in (begin, begin + self.every_us)[: 2 if self.every_us else 1]:
            for at_us, volts in zip(self.times_us, self.volts, strict=True):
                if base + at_us > now_us and (volts >= HIGH_V) != level:
                    return base + at_us, int(volts >= HIGH_V)
        return None


@dataclass
class Wire:
    """A OneWire bus: its devices, and who was addressed since the last reset."""

    devices: dict[bytes, Any] = field(default_factory=dict)
    heard: bytes = b""  # since the reset, until somebody is addressed
    chosen: list[Any] | None = None

    def reset(self) -> bool:
        self.heard, self.chosen = b"", None
        return bool(self.devices)

    def write(self, data: bytes, now_s: float) -> None:
        if self.chosen is None:
            self.heard += data
            size = 1 + ROM_BYTES if self.heard[:1] == bytes((MATCH_ROM,)) else 1
            if len(self.heard) < size:
                return
            data = self.heard[size:]
            found = self.devices.get(self.heard[1:size])
            everybody = self.heard[0] == SKIP_ROM
            self.chosen = list(self.devices.values()) if everybody else [found] if found else []
        for device in self.chosen if data else ():
            device.write(data, now_s)

    def read(self, count: int, now_s: float) -> bytes:
        if not self.chosen:
            return b"\xff" * count  # the line's pull-up
        return bytes(self.chosen[0].read(count, now_s))


class Devices:
    """folder -- the node's `virtual/`, None or missing: nothing is connected

    Raises BoardError for a file that is not as above; it names file and line.
    """

    def __init__(self, folder: Path | None) -> None:
        self._courses: dict[int, Course] = {}
        self._i2c: dict[int, Any] = {}
        self._spi: dict[int, Any] = {}
        self._wires: dict[int, Wire] = {}
        for path in sorted(folder.iterdir()) if folder and folder.is_dir() else ():
            if path.suffix == ".csv":
                self._courses[_pin_of(path)] = _course(path)
            elif path.suffix == ".py" and not path.stem.startswith("_"):
                self._add(path, _device(path))

    def _add(self, path: Path, device: Any) -> None:
        if isinstance(getattr(device, "i2c", None), int):
            self._i2c[device.i2c] = device
        elif isinstance(getattr(device, "spi", None), int):
            self._spi[device.spi] = device
        elif isinstance(getattr(device, "onewire", None), int):
            wire = self._wires.setdefault(device.onewire, Wire())
            wire.devices[bytes(device.rom)] = device
        else:
            raise BoardError(f"{path}: its Device has none of i2c, spi, onewire")

    # Pins -----------------------------------------------------------------------------------

    def level(self, pin: int, now_us: int) -> int | None:
        """Of a digital input; None where nothing is connected."""
        course = self._courses.get(pin)
        return None if course is None else int(course.at(now_us) >= HIGH_V)

    def reading(self, pin: int, now_us: int) -> Reading | None:
        """What an analogue input gives; None where nothing is connected."""
        course = self._courses.get(pin)
        if course is None:
            return None
        volts = course.at(now_us)
        return Reading(now_us, pin, f"pin {pin}", max(0, round(volts * 1e6)), volts)

    def change_after(self, now_us: int) -> tuple[int, int, int] | None:
        """(when, pin, level) of the next change of a digital level."""
        found = [
            (change[0], pin, change[1])
            for pin, course in self._courses.items()
            if (change := course.change_after(now_us)) is not None
        ]
        return min(found, default=None)

    # Buses ----------------------------------------------------------------------------------

    def bus(self, what: int, address: int, data: bytes, low: set[int], now_us: int) -> bytes:
        """Do what the board asks: an errno as one byte, 0 for done, and what was read.

        address -- of I2C, or OneWire's pin; low -- the outputs that are low: chip selects
        """
        now_s = now_us / 1e6
        try:
            found = self._done(what, address, data, low, now_s)
        except Exception as error:
            raise BoardError(
                f"a device of virtual/ failed: {type(error).__name__}: {error}"
            ) from error
        return bytes((errno.ENODEV,)) if found is None else b"\0" + bytes(found)

    def _done(
        self, what: int, address: int, data: bytes, low: set[int], now_s: float
    ) -> bytes | None:
        if what == I2C_SCAN:
            return bytes(sorted(self._i2c))
        if what in (I2C_WRITE, I2C_READ):
            device = self._i2c.get(address)
            if device is None:
                return None
            if what == I2C_READ:
                return _exactly(device.read(struct.unpack("<H", data)[0], now_s), data)
            device.write(data, now_s)
            return b""
        if what == SPI:
            chosen = [device for pin, device in self._spi.items() if pin in low]
            return bytes(chosen[0].transfer(data, now_s)) if chosen else b"\xff" * len(data)
        wire = self._wires.get(address, Wire())
        if what == WIRE_RESET:
            return b"" if wire.reset() else None
        if what == WIRE_SCAN:
            return b"".join(sorted(wire.devices))
        if what == WIRE_READ:
            return _exactly(wire.read(struct.unpack("<H", data)[0], now_s), data)
        wire.write(data, now_s)
        return b""


def _exactly(found: bytes, asked: bytes) -> bytes:
    count = struct.unpack("<H", asked)[0]
    if len(found) != count:
        raise ValueError(f"read() gave {len(found)} bytes of {count}")
    return bytes(found)


def _pin_of(path: Path) -> int:
    found = re.fullmatch(r"pin(\d+)", path.stem)
    if found is None or int(found[1]) > 255:
        raise BoardError(f"{path}: its name must be pin<number>.csv")
    return int(found[1])


def _course(path: Path) -> Course:
    rows: list[tuple[int, float]] = []
    every_us = 0
    with path.open(newline="", encoding="utf-8-sig") as file:
        for number, row in enumerate(csv.reader(file), 1):
            text = ",".join(row).strip()
            if repeats := REPEATS.match(text):
                every_us = int(repeats[1]) * 1_000_000
            if not text or text.startswith("#"):
                continue
            try:
                at, volts = map(float, row)
                at_us = round(at * 1e6)
            except (ValueError, OverflowError) as error:
                raise BoardError(f"{path}, line {number}: it must be seconds,volts") from error
            if rows and at_us <= rows[-1][0]:
                raise BoardError(f"{path}, line {number}: times must grow")
            rows.append((at_us, volts))
    if not rows:
        raise BoardError(f"{path}: no line of seconds,volts")
    if every_us and rows[-1][0] >= every_us:
        raise BoardError(f"{path}: its last time is behind what it repeats after")
    return Course([at for at, _ in rows], [volts for _, volts in rows], every_us)


def _device(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"virtual_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        return module.Device()
    except Exception as error:
        raise BoardError(f"{path}: {type(error).__name__}: {error}") from error
