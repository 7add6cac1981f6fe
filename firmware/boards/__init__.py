"""The board that this runs on: UART, pins, sleep, RTC memory. One file for each port."""

import sys

_MODULES = {"esp32": "esp32", "pyboard": "stm32", "linux": "unix", "darwin": "unix"}


def board(settings: dict):
    """The Board of this MicroPython port. Raises NotImplementedError for a port without one."""
    name = _MODULES.get(sys.platform)
    if name is None:
        raise NotImplementedError("no firmware/boards file for the port " + sys.platform)
    module = __import__("firmware.boards." + name, None, None, ("Board",))
    return module.Board(settings)


def is_woken() -> bool:
    """Whether this start is a wake from deep sleep: the firmware is what it was before it."""
    try:
        import machine

        return machine.reset_cause() == machine.DEEPSLEEP_RESET
    except (ImportError, AttributeError):  # no board: a test on the host
        return False
