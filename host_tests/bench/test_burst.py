"""A burst at 921600 baud, to a board as fast as an ESP32 and to a slower one."""

import re

from tools.bench import burst
from tools.bench.figures import ROOT


def test_an_esp32_loses_nothing_of_64_kib() -> None:
    """Its UART's buffer as large as the firmware asks for; the driver's ring tells its mark."""
    asked = re.search(
        r"_UNREAD_MS = const\((\d+)\)", (ROOT / "firmware/boards/base.py").read_text()
    )
    assert asked and burst.BAUD // 10 * int(asked[1]) // 1000 == burst.BUFFER
    lost, high = burst.burst(burst.esp32_ns())
    assert lost == 0
    assert 64 < high <= 1024 + 64


def test_what_a_slow_board_loses_is_counted() -> None:
    assert burst.burst(8 * burst.esp32_ns())[0] > 0
