"""Registration: time, domains, roaming, denial, loss and return, modes, variants."""

import pytest

from host_tests.virtual_c1100.rig import Rig, profile_with
from tools.virtual_c1100 import Profile


def boot(*settings: str, **values: object) -> Rig:
    """A module just booted, whose registration is about to happen."""
    rig = Rig(profile_with(list(settings), **values), on=False)
    rig.press(1)
    rig.wait(3)
    rig.ask(b"ATE0V0\r", 0.1)
    rig.ask(b"AT+CEREG=1;+CGREG=1\r", 0.1)
    return rig


def test_registration_takes_time_and_is_told_by_urc() -> None:
    rig = boot()
    assert rig.ask(b"AT+COPS?;+CGATT?\r", 0.1) == b"+COPS: 0\r\n+CGATT: 0\r\n0\r"
    start = rig.now
    rig.until(b"+CEREG: 2\r\n")
    rig.until(b"+CEREG: 1\r\n")
    assert 3.5 < rig.now - start < 5
    assert rig.ask(b"AT+COPS?;+CGATT?\r") == b'+COPS: 0,2,"46000",7\r\n+CGATT: 1\r\n0\r'


@pytest.mark.parametrize(("variant", "act"), [("MGGT", 7), ("MGCX", 7), ("NGGT", 9), ("NGCX", 9)])
def test_variant_decides_the_radio_access_technology(variant: str, act: int) -> None:
    rig = Rig(Profile(variant=variant), form="V0E0")
    assert rig.ask(b"AT+COPS?\r") == b'+COPS: 0,2,"46000",%d\r\n0\r' % act
    assert rig.ask(b"AT+CGMM\r") == b"C1100 %s\r\n0\r" % variant.encode()


def test_nb_variant_does_not_find_gsm() -> None:
    rig = Rig(profile_with(["cell.acts=[0]"], variant="NGGT"), form="V0E0")
    assert rig.ask(b"AT+CEREG?\r") == b"+CEREG: 0,2\r\n0\r"


def test_gsm_registers_in_the_gprs_domain() -> None:
    rig = boot("cell.acts=[0]")
    rig.until(b"+CGREG: 1\r\n")
    assert rig.ask(b"AT+CEREG?;+CGREG?\r") == b"+CEREG: 1,0\r\n+CGREG: 1,1\r\n0\r"


def test_roaming() -> None:
    rig = boot("cell.roaming=true")
    rig.until(b"+CEREG: 5\r\n")


def test_denied_with_its_cause() -> None:
    rig = boot("cell.denied_cause=15")
    rig.until(b"+CEREG: 3\r\n")
    rig.ask(b"AT+CEREG=3\r")
    assert rig.ask(b"AT+CEREG?\r") == b"+CEREG: 3,3,,,,0,15\r\n0\r"
    rig.module.network.allow()
    rig.until(b'+CEREG: 1,"1A2B","01234567",7\r\n')


def test_denied_in_the_gprs_domain() -> None:
    """Where <rac> stands in front of the cause (27.007 10.1.20)."""
    rig = boot("cell.acts=[0]", "cell.denied_cause=8")
    rig.until(b"+CGREG: 3\r\n")
    rig.ask(b"AT+CGREG=3;+CEREG=5\r")
    assert rig.ask(b"AT+CGREG?\r") == b"+CGREG: 3,3,,,,,0,8\r\n0\r"
    assert rig.ask(b"AT+CEREG?\r") == b"+CEREG: 5,0\r\n0\r"


@pytest.mark.parametrize(("cause", "by_itself"), [(17, True), (22, True), (3, False), (13, False)])
def test_a_network_that_refuses_until_it_was_left_alone(cause: int, by_itself: bool) -> None:
    """A module whose timer has run out tries by itself; one that is restarted tries too early."""
    rig = boot(f"cell.denied_cause={cause}", "cell.backoff_s=300")
    rig.until(b"+CEREG: 3\r\n")
    rig.wait(290)
    rig.ask(b"AT+CFUN=0;+CFUN=1\r", 15)  # too early: the network's timer begins anew
    rig.take()
    rig.wait(280)
    assert not rig.module.network.attached
    rig.wait(60)
    assert rig.module.network.attached is by_itself
    rig.ask(b"AT+CGATT=1\r", 15)
    assert rig.module.network.attached


@pytest.mark.parametrize(
    ("cause", "error"),
    [(8, 177), (26, 126), (27, 127), (29, 129), (33, 133), (38, 190), (50, 148)],
)
def test_a_context_is_refused_by_number(cause: int, error: int) -> None:
    rig = Rig(profile_with([f"cell.denied_context={cause}", "cell.backoff_s=300"]), form="V0E0")
    refused = b"+CME ERROR: %d\r\n" % error
    rig.ask(b'AT+LSIPPROFILE=1,"a"\r')
    assert rig.ask(b"AT+LSIPCALL=1\r", 10) == refused
    assert rig.ask(b"AT+LSMQTTCALL=1\r", 10) == refused
    assert rig.ask(b"ATD*99#\r", 10) == b"3\r"
    rig.wait(310)
    assert b"+LSIP:OK" in rig.ask(b"AT+LSIPCALL=1\r", 10)
    assert rig.ask(b"AT+LSMQTTCALL=1\r", 10) == b"0\r+MQTTCALL:1\r\n"


def test_loss_and_return() -> None:
    """F39"""
    rig = Rig(form="V0E0")
    rig.ask(b"AT+CEREG=2\r")
    rig.module.network.lose()
    rig.wait(1)
    assert rig.take() == b"+CEREG: 2\r\n"
    assert rig.ask(b"AT+CSQ\r") == b"+CSQ: 99,99\r\n0\r"
    rig.wait(600)
    assert rig.take() == b""
    rig.module.network.restore()
    rig.until(b'+CEREG: 1,"1A2B","01234567",7\r\n', 10)


def test_modes_of_cereg() -> None:
    rig = Rig(form="V0E0")
    cell = b',"1A2B","01234567",7'
    for mode, fields in ((0, b""), (1, b""), (2, cell), (3, cell), (4, cell), (5, cell)):
        rig.ask(b"AT+CEREG=%d\r" % mode)
        assert rig.ask(b"AT+CEREG?\r") == b"+CEREG: %d,1%s\r\n0\r" % (mode, fields)


def test_radio_off_and_on() -> None:
    rig = Rig(form="V0E0")
    assert rig.ask(b"AT+CFUN=4\r") == b"0\r"
    assert rig.ask(b"AT+CFUN?;+CEREG?\r") == b"+CFUN: 4\r\n+CEREG: 0,0\r\n0\r"
    rig.ask(b"AT+CFUN=1\r", 10)
    assert rig.ask(b"AT+CEREG?\r") == b"+CEREG: 0,1\r\n0\r"


def test_detach_and_attach() -> None:
    rig = Rig(form="V0E0")
    rig.ask(b"AT+CGATT=0\r")
    assert rig.ask(b"AT+CGATT?\r") == b"+CGATT: 0\r\n0\r"
    rig.ask(b"AT+CGATT=1\r", 10)
    assert rig.ask(b"AT+CGATT?\r") == b"+CGATT: 1\r\n0\r"


def test_search_mode_moves_the_module_to_another_network() -> None:
    rig = Rig(form="V0E0")
    assert rig.ask(b"AT+MODODR?;+MODODREX?\r") == b"+MODODR: 2\r\n+MODODREX: 2\r\n0\r"
    rig.ask(b"AT+MODODR=3\r", 10)
    assert rig.ask(b"AT+COPS?\r") == b'+COPS: 0,2,"46000",0\r\n0\r'
    rig.ask(b"AT+MODODREX=5\r", 10)
    rig.ask(b"AT+LTEOPMOD=2\r", 10)
    assert rig.ask(b"AT+COPS?\r") == b'+COPS: 0,2,"46000",9\r\n0\r'
    assert rig.ask(b"AT+MODODR=4\r") == b"4\r"


def test_operator_name_and_manual_selection() -> None:
    """F9: the name holds OK when the profile says so."""
    rig = Rig(profile_with(['cell.operator="BOOKING MOBILE"']), form="V0E0")
    rig.ask(b"AT+COPS=3,0\r")
    assert rig.ask(b"AT+COPS?\r") == b'+COPS: 0,0,"BOOKING MOBILE",7\r\n0\r'
    assert rig.ask(b'AT+COPS=1,2,"26201"\r') == b"+CME ERROR: 30\r\n"
    assert rig.ask(b'AT+COPS=1,2,"46000"\r') == b"0\r"
    assert rig.ask(b"AT+COPS=2\r") == b"0\r"
    assert rig.ask(b"AT+COPS?\r") == b"+COPS: 2\r\n0\r"


LEVELS = {
    # settings: <rssi> of +CSQ, and what +LSCELLINFO tells; None: the module has no such command
    (): (22, {"RSRP": -89, "RSRQ": -8, "RSSI": -69, "SINR": 12}),
    ("cell.rssi=0",): (0, {"RSRP": -133, "RSRQ": -16, "RSSI": -113, "SINR": -3}),
    ("cell.rssi=31",): (31, {"RSRP": -71, "RSRQ": -8, "RSSI": -51, "SINR": 12}),
    ("cell.rssi=4", "cell.rsrp=-124"): (4, {"RSRP": -124, "RSRQ": -11, "RSSI": -105, "SINR": 2}),
    ("cell.rssi=99", "cell.rsrp=-120"): (99, {"RSRP": -120, "RSRQ": -9, "SINR": 4}),
    ("cell.rssi=99",): (99, {}),
    ("cell.acts=[0]",): (22, {"RSSI": -69}),
    ("quirks.cell_info=false",): (22, None),
}


@pytest.mark.parametrize("settings", LEVELS, ids=str)
def test_cell_info_tells_the_same_as_csq(settings: tuple[str, ...]) -> None:
    rig = Rig(profile_with(list(settings)), form="V0E0")
    rssi, levels = LEVELS[settings]
    assert rig.ask(b"AT+CSQ\r") == b"+CSQ: %d,99\r\n0\r" % rssi
    said = rig.ask(b"AT+LSCELLINFO\r").decode()
    if levels is None:
        assert said == "4\r"
        return
    found = dict(line.split(":") for line in said.split("\r\n")[:-1])
    assert {name: int(found[name]) for name in found if name[:2] in ("RS", "SI")} == levels
    rig.module.network.lose()
    assert rig.ask(b"AT+CSQ;+LSCELLINFO\r") == b"+CSQ: 99,99\r\n4\r"
