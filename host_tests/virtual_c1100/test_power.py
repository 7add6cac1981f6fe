"""Power key, boot, clean power-off, reboot: pins, UART, and what is forgotten."""

import pytest

from host_tests.virtual_c1100.rig import Rig
from tools.virtual_c1100 import Profile


def test_key_pulse_of_a_second_boots_and_status_tells_when_the_uart_answers() -> None:
    rig = Rig(on=False)
    rig.press(1.0)
    rig.send(b"AT\r", 1.0)
    assert rig.take() == b""
    assert not rig.module.get_pin("status")
    rig.wait(2.0)
    assert rig.pins == [(3.7, "status", True)]
    assert rig.ask(b"AT\r") == b"AT\r\r\nOK\r\n"


def test_too_short_a_pulse_does_nothing() -> None:
    """F32"""
    rig = Rig(on=False)
    rig.press(0.3)
    rig.wait(10)
    assert not rig.module.get_pin("status")
    assert rig.ask(b"AT\r") == b""


@pytest.mark.parametrize(("seconds", "runs"), [(1.0, True), (1.3, False)])
def test_pulse_on_a_running_module_switches_it_off_only_when_long_enough(
    seconds: float, runs: bool
) -> None:
    """F32"""
    rig = Rig()
    rig.press(seconds)
    rig.wait(5)
    assert rig.module.get_pin("status") is runs
    assert (rig.ask(b"AT\r") != b"") is runs


def test_key_held_for_ever_acts_once() -> None:
    rig = Rig(on=False)
    rig.module.set_pin("pwrkey", True)
    rig.wait(30)
    assert rig.module.get_pin("status")


def test_key_during_boot_is_not_looked_at() -> None:
    rig = Rig(on=False)
    rig.press(1.0)
    rig.press(1.5)
    rig.wait(5)
    assert rig.module.get_pin("status")


def test_clean_power_off_answers_first_and_is_off_until_the_key_is_pressed() -> None:
    rig = Rig(form="V0E0")
    assert rig.ask(b"AT$QCPWRDN\r") == b"0\r"
    assert not rig.module.get_pin("status")
    rig.wait(5)
    assert rig.ask(b"AT\r") == b""
    rig.press(1.0)
    rig.wait(5)
    assert rig.ask(b"AT\r") == b"AT\r\r\nOK\r\n"


def test_reboot_forgets_every_setting_of_the_session() -> None:
    rig = Rig(form="V0E0")
    rig.ask(b"AT+CMEE=2;+CEREG=2;+CGREG=2\r")
    rig.ask(b'AT+LSMQTTCFG="clientid","x"\r')
    assert rig.ask(b"AT+ CFUN=1,1\r") == b"0\r"
    assert rig.ask(b"AT\r") == b""
    rig.wait(20)
    assert rig.ask(b"AT+CMEE?;+CEREG?\r") == (
        b"AT+CMEE?;+CEREG?\r\r\n+CMEE: 1\r\n\r\n+CEREG: 0,1\r\n\r\nOK\r\n"
    )
    rig.ask(b"ATE0\r")
    rig.ask(b"AT+LSMQTTCALL=1\r", 5)
    assert b"ERROR" in rig.ask(b'AT+LSMQTTOPEN="127.0.0.1",1883,60\r')  # no client id any more


def test_stored_profile_survives_power_off() -> None:
    """AT&W (field: AT+IPR=115200 + AT&W)"""
    rig = Rig(form="V0E0")
    rig.ask(b"AT+IPR=9600\r")
    rig.ask(b"AT&W\r")
    rig.module.power_cycle()
    rig.press(1.0)
    rig.wait(20)
    assert rig.module.uart.baud == 9600
    assert rig.ask(b"AT\r") == b"0\r"
    rig.ask(b"AT&F\r")
    assert rig.ask(b"AT\r") == b"AT\r\r\nOK\r\n"
    rig.ask(b"ATZ\r")
    assert rig.ask(b"AT\r") == b"0\r"


def test_supply_removed_stops_everything_at_once() -> None:
    rig = Rig()
    rig.send(b"ATI\r", 0.006)
    rig.module.power_cycle()
    rig.take()
    rig.wait(60)
    assert rig.take() == b""
    assert not rig.module.get_pin("status")


def test_slow_boot() -> None:
    """F32"""
    rig = Rig(Profile(faults=["slow-boot:3"]), on=False)
    rig.press(1.0)
    rig.wait(8)
    assert not rig.module.get_pin("status")
    rig.wait(2)
    assert rig.module.get_pin("status")


def test_dead_power_key() -> None:
    """F32"""
    rig = Rig(Profile(faults=["key-dead"]), on=False)
    rig.press(2.0)
    rig.wait(10)
    assert not rig.module.get_pin("status")


def test_unknown_pin_is_an_error() -> None:
    with pytest.raises(KeyError):
        Rig(on=False).module.set_pin("reset", True)
