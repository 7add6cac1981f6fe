"""A terminal at a virtual C1100 in real time."""

import serial

from host_tests.patience import LIMIT_S, until

AGAIN_S = 0.3
OK = b"OK\r\n"
MODEL = b"AT+CGMM\r"


def answers(port: serial.Serial) -> None:
    """Wait until the module has booted, and until it has answered all that was said meanwhile."""

    def heard() -> bool:
        port.write(b"AT\r")
        return OK in port.read(1000)

    port.timeout = AGAIN_S
    until(heard, "the module does not answer")
    port.timeout = LIMIT_S
    port.write(MODEL)
    port.read_until(MODEL)
    port.read_until(OK)


def ask(port: serial.Serial, line: bytes) -> bytes:
    """Say a line once. Returns all that comes up to OK."""
    port.timeout = LIMIT_S
    port.write(line)
    return port.read_until(OK)
