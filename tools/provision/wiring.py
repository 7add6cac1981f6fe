"""Wirings that README draws, and which pins a chip has.

The pins are those of the chips' datasheets (ESP32 series: chapter "Pin Definitions"); a pin that
carries the flash chip cannot be used for anything else.
"""

from typing import Any, NamedTuple

from tools.deploy import DeployError


class Wiring(NamedTuple):
    """chip -- as esptool names it; "" for one whose pins have names"""

    chip: str
    settings: dict[str, Any]


WIRINGS = {
    "esp32": Wiring("esp32", {
        "uart.id": 1, "uart.tx": 17, "uart.rx": 16,
        "pins.pwrkey": 4, "pins.wake": 5, "pins.status": 18,
    }),
    "pyboard": Wiring("", {
        "uart.id": 4, "pins.pwrkey": "X5", "pins.wake": "X6", "pins.status": "X7",
    }),
    "none": Wiring("", {}),
}  # fmt: skip

OUTPUTS = ("uart.tx", "pins.pwrkey", "pins.wake", "pins.cut")


class Chip(NamedTuple):
    """pins -- that there are; flash -- taken by the flash chip; inputs -- that only read"""

    pins: frozenset[int]
    flash: range
    inputs: range


def _pins(*parts: range) -> frozenset[int]:
    return frozenset(pin for part in parts for pin in part)


CHIPS = {
    "esp32": Chip(_pins(range(20), range(21, 24), range(25, 28), range(32, 40)),
                  range(6, 12), range(34, 40)),
    "esp32s2": Chip(_pins(range(22), range(26, 47)), range(26, 33), range(46, 47)),
    "esp32s3": Chip(_pins(range(22), range(26, 49)), range(26, 33), range(0)),
    "esp32c3": Chip(_pins(range(22)), range(12, 18), range(0)),
    "esp32c6": Chip(_pins(range(31)), range(24, 31), range(0)),
}  # fmt: skip


def check(chip: str, settings: dict[str, Any]) -> None:
    """Look at every pin of a node's settings. Raises DeployError for one that cannot work."""
    known = CHIPS.get(chip)
    if known is None:
        return
    seen: dict[int, str] = {}
    for key, pin in settings.items():
        if not key.startswith(("pins.", "uart.")) or key.endswith(("_active", ".id", ".baud")):
            continue
        if not isinstance(pin, int) or pin < 0:
            continue
        if pin not in known.pins:
            raise DeployError(f"{key}: an {chip} has no pin {pin}")
        if pin in known.flash:
            raise DeployError(f"{key}: pin {pin} of an {chip} belongs to its flash chip")
        if key in OUTPUTS and pin in known.inputs:
            raise DeployError(f"{key}: pin {pin} of an {chip} is an input only")
        if pin in seen:
            raise DeployError(f"{key}: pin {pin} is {seen[pin]} already")
        seen[pin] = key


def chip_of(machine: str) -> str:
    """The chip in a board's own name, such as "Generic ESP32S3 module with ESP32S3"; "": none."""
    text = machine.lower().replace("-", "")
    return next((chip for chip in sorted(CHIPS, key=len, reverse=True) if chip in text), "")
