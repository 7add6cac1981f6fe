"""Wirings that README draws, and which pins a chip has.

The pins are those of the chips' datasheets (ESP32 series: chapter "Pin Definitions"); a pin that
carries the flash chip cannot be used for anything else. Of the pyboard: its pinout, MicroPython's
ports/stm32/boards/PYBV11.
"""

from typing import Any, NamedTuple

from tools.deploy import DeployError


class Wiring(NamedTuple):
    """chip -- of CHIPS: as esptool names it, or a board whose pins have names"""

    chip: str
    settings: dict[str, Any]


WIRINGS = {
    "esp32": Wiring("esp32", {
        "uart.id": 1, "uart.tx": 17, "uart.rx": 16,
        "pins.pwrkey": 4, "pins.wake": 5, "pins.status": 18,
    }),
    "pyboard": Wiring("pyboard", {
        "uart.id": 4, "pins.pwrkey": "X5", "pins.wake": "X6", "pins.status": "X7",
    }),
    "none": Wiring("", {}),
}  # fmt: skip

OUTPUTS = ("uart.tx", "pins.pwrkey", "pins.wake", "pins.cut")
ANALOGUE = ("pins.battery", "pins.temperature")


class Chip(NamedTuple):
    """pins -- that there are; flash -- taken by the flash chip; inputs -- that only read;
    analogue -- that measure a voltage; uarts -- numbers, each with its own pins if they are fixed
    """

    pins: frozenset[int | str]
    flash: range
    inputs: range
    analogue: frozenset[int | str]
    uarts: dict[int, tuple[str, ...]]


def _pins(*parts: range) -> frozenset[int | str]:
    return frozenset(pin for part in parts for pin in part)


def _free(count: int) -> dict[int, tuple[str, ...]]:
    return dict.fromkeys(range(count), ())


NONE = range(0)
USUAL = {"uart.tx": 10, "uart.rx": 9}  # of UART 1 in MicroPython's port for the ESP32
CHIPS = {
    "esp32": Chip(_pins(range(20), range(21, 24), range(25, 28), range(32, 40)),
                  range(6, 12), range(34, 40),
                  frozenset((0, 2, 4, *range(12, 16), *range(25, 28), *range(32, 40))), _free(3)),
    "esp32s2": Chip(_pins(range(22), range(26, 47)), range(26, 33), range(46, 47),
                    _pins(range(1, 21)), _free(2)),
    "esp32s3": Chip(_pins(range(22), range(26, 49)), range(26, 33), NONE,
                    _pins(range(1, 21)), _free(3)),
    "esp32c3": Chip(_pins(range(22)), range(12, 18), NONE, _pins(range(6)), _free(2)),
    "esp32c6": Chip(_pins(range(31)), range(24, 31), NONE, _pins(range(7)), _free(2)),
    # PYBv1.1: the pins at its edges, by the names beside them.
    "pyboard": Chip(
        frozenset([f"X{n}" for n in (*range(1, 13), *range(17, 23))]
                  + [f"Y{n}" for n in range(1, 13)]),
        NONE, NONE,
        frozenset([f"X{n}" for n in (*range(1, 9), 11, 12, *range(19, 23))] + ["Y11", "Y12"]),
        {1: ("X9", "X10"), 2: ("X3", "X4"), 3: ("Y9", "Y10"), 4: ("X1", "X2"), 6: ("Y1", "Y2")}),
}  # fmt: skip


def check(chip: str, settings: dict[str, Any]) -> None:
    """Look at every pin of a node's settings. Raises DeployError for one that cannot work."""
    known = CHIPS.get(chip)
    if known is None:
        return
    one = f"an {chip}" if chip.startswith("esp") else f"a {chip}"
    own: tuple[str, ...] = ()
    if "uart.id" in settings:
        number = settings["uart.id"]
        if number not in known.uarts:
            there = ", ".join(map(str, known.uarts))
            raise DeployError(f"uart.id: {one} has no UART {number}, but {there}")
        own = known.uarts[number]
    seen: dict[int | str, str] = {}
    for key, pin in settings.items():
        if not key.startswith(("pins.", "uart.")) or key.endswith(("_active", ".id", ".baud")):
            continue
        if pin == -1 or not _is_known(chip, pin) or (own and key.startswith("uart.")):
            continue
        if pin not in known.pins:
            raise DeployError(f"{key}: {one} has no pin {pin}")
        if pin in known.flash:
            raise DeployError(f"{key}: pin {pin} of {one} belongs to its flash chip")
        if key in OUTPUTS and pin in known.inputs:
            raise DeployError(f"{key}: pin {pin} of {one} is an input only")
        if key in ANALOGUE and pin not in known.analogue:
            raise DeployError(f"{key}: pin {pin} of {one} cannot measure a voltage")
        if pin in own:
            raise DeployError(f"{key}: pin {pin} of {one} belongs to UART {settings['uart.id']}")
        if pin in seen:
            raise DeployError(f"{key}: pin {pin} is {seen[pin]} already")
        seen[pin] = key


def check_whole(chip: str, settings: dict[str, Any]) -> None:
    """Look at all settings of a node, as it would have them on its board: also at pins of a UART
    that nobody has named. Raises DeployError for what cannot work.
    """
    check(chip, settings)
    if chip != "esp32" or settings.get("uart.id") != 1:
        return
    for key, pin in USUAL.items():
        if settings[key] == -1:
            raise DeployError(
                f"{key}: without it UART 1 of an esp32 has pin {pin}, which belongs to its flash "
                f"chip: name it (provision --wiring esp32, or --set {key}=PIN)"
            )


def _is_known(chip: str, pin: int | str) -> bool:
    """Whether it can be told here that there is such a pin: a board may have names of its own."""
    if chip == "pyboard":  # A0 to E15 are the chip's own names
        return isinstance(pin, int) or pin[:1] in "XY"
    return isinstance(pin, int)


def chip_of(machine: str) -> str:
    """The chip in a board's own name, such as "Generic ESP32S3 module with ESP32S3"; "": none."""
    text = machine.lower().replace("-", "")
    return next((chip for chip in sorted(CHIPS, key=len, reverse=True) if chip in text), "")
