"""The line: bytes at line speed in both directions, AT+IPR, a wrong baud rate."""

import random

import pytest

from host_tests.virtual_c1100.rig import Rig
from tools.timeline import Timeline
from tools.virtual_c1100 import Profile
from tools.virtual_c1100.uart import Uart


@pytest.mark.parametrize("baud", [9600, 115200, 921600])
def test_bytes_arrive_at_line_speed(baud: int) -> None:
    clock, seen = Timeline(), []
    uart = Uart(clock, random.Random(1), lambda data: seen.append((clock.now_us, data)), print)
    uart.baud = baud
    uart.transmit(b"x" * 1000)
    clock.advance_to(10_000_000)
    assert b"".join(data for _, data in seen) == b"x" * 1000
    assert seen[-1][0] == 1000 * 10 * 1_000_000 // baud
    assert seen[0][0] == 8 * 10 * 1_000_000 // baud


def test_answer_cannot_begin_before_the_command_has_arrived() -> None:
    rig = Rig(Profile(baud=1200), form="V0E0")
    start = rig.now
    rig.send(b"AT\r")
    rig.until(b"0\r")
    # 3 characters there, 5 ms of thinking, 2 characters back
    assert rig.now - start == pytest.approx(5 * 10 / 1200 + 0.005, abs=0.06)


def test_new_baud_rate_counts_after_the_result_code() -> None:
    rig = Rig(form="V0E0")
    assert rig.ask(b"AT+IPR=9600\r") == b"0\r"
    assert rig.module.uart.baud == 9600
    assert rig.ask(b"AT+IPR?\r") == b"+IPR: 9600\r\n0\r"
    assert rig.ask(b"AT+IPR=1234\r") == b"4\r"


def test_wrong_baud_rate_is_noise_in_both_directions() -> None:
    rig = Rig()
    rig.module.uart.dte_baud = 9600
    assert b"OK" not in rig.ask(b"AT\r" * 20)
    rig.module.uart.dte_baud = 115200
    rig.ask(b"\r")
    assert rig.ask(b"AT\r").endswith(b"\r\nOK\r\n")


def test_input_during_a_command_is_interpreted_after_its_result() -> None:
    rig = Rig(form="V0E0")
    assert rig.ask(b"AT+CSQ\rAT+CPIN?\r") == b"+CSQ: 22,99\r\n0\r+CPIN: READY\r\n0\r"
