"""The SIM: PIN and PUK with their counters, a card that is late or missing."""

from host_tests.virtual_c1100.rig import Rig, profile_with
from tools.virtual_c1100 import Profile

WRONG, PIN, PUK, BUSY, ABSENT = (b"+CME ERROR: %d\r\n" % n for n in (16, 11, 12, 14, 10))


def locked() -> Rig:
    return Rig(profile_with(['sim.pin="1234"']), form="V0E0")


def test_no_registration_before_the_pin_and_one_after() -> None:
    rig = locked()
    assert rig.ask(b"AT+CIMI\r") == PIN
    assert rig.ask(b"AT+CEREG?\r") == b"+CEREG: 0,0\r\n0\r"
    rig.ask(b"AT+CEREG=1\r")
    assert rig.ask(b"AT+CPIN=1234\r") == b"+CEREG: 2\r\n0\r"
    rig.until(b"+CEREG: 1\r\n", 10)
    assert rig.ask(b"AT+CIMI\r") == b"460001234567890\r\n0\r"
    assert rig.ask(b"AT+CPIN=1234\r") == b"+CME ERROR: 3\r\n"


def test_third_wrong_pin_asks_for_the_puk_which_sets_a_new_pin() -> None:
    rig = locked()
    for _ in range(3):
        assert rig.ask(b'AT+CPIN="9999"\r') == WRONG
    assert rig.ask(b"AT+CPIN?\r") == b"+CPIN:SIM PUK \r\n0\r"
    assert rig.ask(b'AT+CPIN="1234"\r') == PUK
    assert rig.ask(b'AT+CPIN="00000000","4321"\r') == WRONG
    assert rig.ask(b"AT+CPINR\r") == b"+CPINR: SIM PIN,0,3\r\n+CPINR: SIM PUK,9,10\r\n0\r"
    assert rig.ask(b'AT+CPIN="12345678","4321"\r') == b"0\r"
    assert rig.ask(b"AT+CPIN?\r") == b"+CPIN: READY\r\n0\r"
    assert rig.module.sim.pin == "4321"


def test_counter_is_on_the_card_and_survives_power_off() -> None:
    rig = locked()
    rig.ask(b'AT+CPIN="9999"\r')
    rig.module.power_cycle()
    rig.press(1)
    rig.wait(10)
    rig.ask(b"ATE0V0\r")
    assert rig.module.sim.pin_tries == 2
    assert rig.ask(b"AT+CPIN?\r") == b"+CPIN:SIM PIN \r\n0\r"
    assert rig.ask(b'AT+CPIN="1234"\r') == b"0\r"
    assert rig.module.sim.pin_tries == 3


def test_ten_wrong_puks_end_the_card() -> None:
    rig = locked()
    for _ in range(3):
        rig.ask(b'AT+CPIN="9999"\r')
    for _ in range(10):
        assert rig.ask(b'AT+CPIN="00000000","4321"\r') == WRONG
    assert rig.ask(b"AT+CPIN?\r") == b"+CME ERROR: 13\r\n"


def test_no_card() -> None:
    rig = Rig(profile_with(["sim.present=false"]), form="V0E0")
    assert rig.ask(b"AT+CPIN?\r") == ABSENT
    assert rig.ask(b"AT+CIMI\r") == ABSENT
    assert rig.ask(b"AT+CEREG?\r") == b"+CEREG: 0,0\r\n0\r"


def test_card_is_busy_after_boot() -> None:
    """F40"""
    rig = Rig(Profile(faults=["sim-late:5"]), on=False)
    rig.press(1)
    rig.wait(3)
    rig.ask(b"ATE0V0\r")
    assert rig.ask(b"AT+CPIN?\r") == BUSY
    rig.wait(6)
    assert rig.ask(b"AT+CPIN?\r") == b"+CPIN: READY\r\n0\r"
