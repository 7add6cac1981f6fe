"""PSM and eDRX: requests, grants, URCs, wake-ups, and what the module forgets (manual 3.8)."""

import pytest

from host_tests.virtual_c1100.rig import Rig, profile_with
from tools.virtual_c1100.air import Grants

NO = b"00000000"
HOUR, TEN_SECONDS = b"00100001", b"00000101"
GRANTED = b'+CEREG: 1,"1A2B","01234567",7,,,"00000101","00100001"\r\n'
BOOT, RESYNC, TAU, ENTRY = 3.0, 0.3, 1.5, 0.3  # of the default profile


def states(rig: Rig) -> list[tuple[float, str, str]]:
    """What the module does from now on: time since now, state, cause."""
    seen: list[tuple[float, str, str]] = []
    start = rig.now
    rig.module.on_state = lambda state, cause: seen.append(
        (round(rig.now - start, 3), state, cause)
    )
    return seen


def sleeper(*settings: str, t3412: bytes = HOUR, t3324: bytes = TEN_SECONDS) -> Rig:
    """A module in ATV0 without echo that has asked for PSM, in its RRC connection."""
    rig = Rig(profile_with(list(settings)), form="V0E0")
    assert rig.ask(b"AT+CEREG=4\r") == b"0\r"
    rig.ask(b'AT+CPSMS=1,,,"%s","%s"\r' % (t3412, t3324), 2)
    return rig


def asleep(*settings: str, **times: bytes) -> Rig:
    """The same, in PSM since just now."""
    rig = sleeper(*settings, **times)
    end = rig.now + 60
    while rig.module.get_pin("status"):
        assert rig.now < end
        rig.wait(0.05)
    rig.take()
    return rig


def test_request_grant_release_and_sleep() -> None:
    """Manual 3.8.1 steps 1 to 7."""
    rig = Rig(form="V0E0")
    assert rig.ask(b"AT+CEREG=4\r") == b"0\r"
    seen = states(rig)
    assert rig.ask(b'AT+CPSMS=1,,,"00100001","00000101"\r') == b"0\r"
    assert rig.ask(b"AT+CPSMS?\r") == b'+CPSMS: 1,,,"00100001","00000101"\r\n0\r'
    assert rig.until(GRANTED) == GRANTED
    assert rig.ask(b"AT+CEREG?\r") == GRANTED.replace(b": ", b": 4,") + b"0\r"
    rig.until(b"^DATADISCONN\r\n")
    released = rig.now
    assert rig.until(b"^ENTERPSMMODE\r\n") == b"^ENTERPSMMODE\r\n"
    assert rig.now - released == pytest.approx(10, abs=0.06)
    rig.wait(1)
    assert not rig.module.get_pin("status")
    assert rig.ask(b"AT\r", 5) == b""
    tau = seen[0][0]
    assert [(state, cause) for _, state, cause in seen] == [
        ("connected-rx", "psm request"),
        ("connected-tx", "psm request"),
        ("connected-tail", "psm request"),
        ("idle", "release"),
        ("psm", "t3324"),
    ]
    assert [at - tau for at, _, _ in seen] == pytest.approx([0, 1.47, 1.5, 16.5, 26.8])


def test_t3412_wakes_it_for_an_update_and_it_sleeps_again() -> None:
    """Manual 3.8.1 step 8; the times of every state, over and over."""
    rig = asleep(t3412=b"01111110")  # 60 s after the release, 49.7 s after falling asleep
    start = rig.now
    seen = states(rig)
    rig.wait(150)
    period = [
        (0, "boot", "t3412"),
        (BOOT, "search", "t3412"),
        (BOOT + RESYNC, "connected-rx", "t3412"),
        (BOOT + RESYNC + 0.98 * TAU, "connected-tx", "t3412"),
        (BOOT + RESYNC + TAU, "idle", "release"),
        (BOOT + RESYNC + TAU + 10 + ENTRY, "psm", "t3324"),
    ]
    first = seen[0][0]
    assert first == pytest.approx(49.7, abs=0.06)
    once = BOOT + RESYNC + TAU + 60
    wanted = [(first + n * once + at, *what) for n in range(2) for at, *what in period]
    assert [(state, cause) for _, state, cause in seen] == [w[1:] for w in wanted]
    assert [at for at, *_ in seen] == pytest.approx([w[0] for w in wanted], abs=0.002)
    assert rig.take() == 2 * b"\r\n^EXITPSMMODE\r\n\r\n^DATADISCONN\r\n\r\n^ENTERPSMMODE\r\n"
    assert [level for at, _, level in rig.pins if at >= start] == [True, False] * 2


@pytest.mark.parametrize("pin", ["pwrkey", "wake"])
def test_host_wakes_it_and_finds_its_settings_forgotten(pin: str) -> None:
    rig = sleeper()
    rig.ask(b"AT+CMEE=2;+CGREG=2;+LSIPHEX=1;+COPS=3,0\r")
    rig.ask(b'AT+LSMQTTCFG="clientid","x"\r')
    rig.ask(b'AT+LSIPPROFILE=1,"CMNET"\r')
    rig.ask(b"AT+LSIPCALL=1;+LSMQTTCALL=1\r", 4)
    rig.until(b"^ENTERPSMMODE\r\n")
    rig.wait(600)
    rig.module.set_pin(pin, True)
    pressed = rig.now
    rig.wait(1)
    rig.module.set_pin(pin, False)
    assert not rig.module.get_pin("status")
    assert rig.until(b"^EXITPSMMODE\r\n") == b"\r\n^EXITPSMMODE\r\n"
    assert rig.now - pressed == pytest.approx(BOOT + (0.7 if pin == "pwrkey" else 0), abs=0.06)
    assert rig.module.get_pin("status")
    assert rig.ask(b"AT\r") == b"AT\r\r\nOK\r\n"
    rig.ask(b"ATE0V0\r")
    kept = b'+CPSMS: 1,,,"00100001","00000101"\r\n'
    assert rig.ask(b"AT+CMEE?;+CEREG?;+CGREG?;+LSIPHEX?;+CPSMS?\r") == (
        b"+CMEE: 1\r\n+CEREG: 0,1\r\n+CGREG: 0,0\r\n+LSIPHEX: 0\r\n" + kept + b"0\r"
    )
    assert rig.ask(b"AT+COPS?;+CPIN?\r") == b'+COPS: 0,2,"46000",7\r\n+CPIN: READY\r\n0\r'
    assert rig.ask(b"AT+LSIPCALL?;+LSMQTTCALL?\r") == (
        b"+LSIPCALL: 1, 10.32.226.112\r\n+LSMQTTCALL: 1\r\n0\r"
    )
    assert rig.ask(b'AT+LSMQTTOPEN="127.0.0.1",1883,60\r') == b"4\r"  # no client id any more


def test_waking_alone_connects_nothing_and_after_t3324_it_sleeps_again() -> None:
    rig = asleep()
    rig.wait(100)
    rig.module.set_pin("wake", True)
    rig.module.set_pin("wake", False)
    seen = states(rig)
    rig.wait(60)
    assert seen == [
        (BOOT, "search", "wake pin"),
        (BOOT + RESYNC, "idle", "wake pin"),
        (pytest.approx(BOOT + RESYNC + 10 + ENTRY), "psm", "t3324"),
    ]


def test_t3412_runs_on_through_a_wake_of_the_host() -> None:
    rig = sleeper(t3412=b"01111110")
    rig.until(b"^DATADISCONN\r\n")
    released = rig.now
    rig.wait(20)
    rig.module.set_pin("wake", True)
    rig.module.set_pin("wake", False)
    seen = states(rig)
    rig.wait(50)
    update = next(at for at, state, cause in seen if (state, cause) == ("boot", "t3412"))
    assert update + 20 == pytest.approx(60, abs=0.06)
    assert released > 0


def test_t3412_that_expires_while_the_host_wakes_it() -> None:
    rig = sleeper(t3412=b"01111110")
    rig.until(b"^DATADISCONN\r\n")
    rig.wait(58)
    rig.module.set_pin("wake", True)
    rig.module.set_pin("wake", False)
    seen = states(rig)
    rig.wait(10)
    assert [(state, cause) for _, state, cause in seen] == [
        ("search", "wake pin"), ("connected-rx", "t3412"), ("connected-tx", "t3412"),
        ("idle", "release"),
    ]  # fmt: skip


def test_t3412_that_expires_on_the_way_into_psm() -> None:
    rig = sleeper(t3412=b"01100101")  # 10 s, as T3324
    rig.module.profile.grants.t3324 = "00000100"
    rig.ask(b'AT+CPSMS=1,,,"01100110","00000101"\r', 1)  # 12 s
    rig.module.profile.latency.at_idle = 11.9
    seen = states(rig)
    rig.until(b"^DATADISCONN\r\n")
    rig.module.sleep.heard()
    rig.wait(20)
    assert ("psm", "t3324") in [(state, cause) for _, state, cause in seen]
    psm = next(at for at, state, _ in seen if state == "psm")
    assert (psm, "boot", "t3412") in seen


def test_wake_pin_asserted_on_the_way_into_psm() -> None:
    rig = sleeper()
    rig.until(b"^ENTERPSMMODE\r\n")
    rig.module.set_pin("wake", True)
    rig.wait(5)
    assert rig.module.get_pin("status")
    assert rig.take() == b"\r\n^EXITPSMMODE\r\n"


def test_coverage_lost_on_the_way_into_psm_is_found_out_when_it_wakes() -> None:
    rig = sleeper()
    rig.until(b"^ENTERPSMMODE\r\n")
    rig.module.network.lose()
    rig.wait(60)
    assert not rig.module.get_pin("status")
    seen = states(rig)
    rig.press(1)
    rig.wait(5)
    assert [(state, cause) for _, state, cause in seen] == [
        ("boot", "power key"), ("search", "search"),
    ]  # fmt: skip


def test_wake_pin_keeps_it_awake() -> None:
    rig = sleeper()
    rig.module.set_pin("wake", True)
    rig.wait(300)
    assert rig.module.get_pin("status")
    assert b"^ENTERPSMMODE" not in rig.take()
    rig.module.set_pin("wake", False)
    rig.wait(0.5)
    assert rig.take() == b"^ENTERPSMMODE\r\n"
    assert not rig.module.get_pin("status")


def test_commands_keep_it_awake() -> None:
    """Field (SARA-R4, same chip): PSM only after 6 s without AT commands."""
    rig = sleeper()
    rig.until(b"^DATADISCONN\r\n")
    for _ in range(10):
        assert rig.ask(b"AT\r", 5) == b"0\r"
    assert rig.until(b"^ENTERPSMMODE\r\n") == b"^ENTERPSMMODE\r\n"


def test_active_time_of_zero_means_sleep_at_the_release() -> None:
    rig = sleeper(t3324=NO)
    assert rig.until(b"^ENTERPSMMODE\r\n") == b"^DATADISCONN\r\n^ENTERPSMMODE\r\n"


def test_host_that_woke_it_has_its_time_for_a_command_whatever_it_takes_to_boot() -> None:
    rig = asleep("latency.boot_psm=7.0", t3324=NO)
    rig.press(1)
    rig.until(b"^EXITPSMMODE\r\n", 8)
    woken = rig.now
    rig.until(b"ENTERPSMMODE\r\n")
    assert rig.now - woken == pytest.approx(6, abs=0.1)


def test_long_command_is_not_cut() -> None:
    rig = sleeper()
    rig.until(b"^DATADISCONN\r\n")
    assert rig.ask(b"AT+COPS=?\r", 42).endswith(b",,(0-4),(0-2)\r\n0\r")
    rig.until(b"^ENTERPSMMODE\r\n", 7)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["grants.psm=false"], b""),
        (['grants.t3324="00011110"'], b',,,"00011110","00100001"'),
        (['grants.t3412="01000010"'], b',,,"00000101","01000010"'),
        (["grants.active_only=true"], b',,,"00000101",'),
        (["grants.least_t3412_s=11400"], b',,,"00000101","00010011"'),
    ],
)
def test_network_grants_what_it_wants(settings: list[str], told: bytes) -> None:
    """F29"""
    rig = Rig(profile_with(settings), form="V0E0")
    rig.ask(b"AT+CEREG=4\r")
    rig.ask(b'AT+CPSMS=1,,,"00100001","00000101"\r')
    line = rig.until(b"+CEREG: ")
    rig.wait(0.1)
    line += rig.take()
    assert line == b'+CEREG: 1,"1A2B","01234567",7' + told + b"\r\n"
    rig.wait(16)
    assert rig.take() == b"^DATADISCONN\r\n"
    # 60 s of active time are longer than this
    rig.wait(12)
    assert (rig.take() == b"^ENTERPSMMODE\r\n") is (told != b"" and b"00011110" not in told)
    assert rig.ask(b"AT+CPSMS?\r") in (b'+CPSMS: 1,,,"00100001","00000101"\r\n0\r', b"")


def test_without_a_periodic_time_the_usual_54_minutes_hold() -> None:
    rig = asleep("grants.active_only=true")
    seen = states(rig)
    rig.wait(3300)
    assert seen[0] == (pytest.approx(3240 - 10.3, abs=0.1), "boot", "t3412")


def test_periodic_update_without_psm() -> None:
    rig = Rig(form="V0E0")
    rig.wait(30)
    seen = states(rig)
    rig.wait(2 * 3240)
    updates = [at for at, state, cause in seen if (state, cause) == ("connected-rx", "t3412")]
    assert len(updates) == 2
    assert updates[1] - updates[0] == pytest.approx(3240 + TAU)
    assert rig.take() == b""


@pytest.mark.parametrize("t3324", [b"11100000", b"11111111"])
def test_active_time_deactivated_means_no_psm(t3324: bytes) -> None:
    rig = sleeper(t3324=t3324)
    rig.wait(600)
    assert rig.module.get_pin("status")


def test_periodic_time_deactivated_means_sleep_until_woken() -> None:
    rig = asleep(t3412=b"11100000")
    rig.wait(400 * 86400)
    assert rig.take() == b""
    rig.press(1)
    rig.wait(5)
    assert rig.take() == b"\r\n^EXITPSMMODE\r\n"


def test_switched_off_and_on_again() -> None:
    rig = sleeper()
    rig.ask(b"AT+CPSMS=0\r", 3)
    assert rig.ask(b"AT+CEREG?\r") == b'+CEREG: 4,1,"1A2B","01234567",7\r\n0\r'
    rig.wait(60)
    assert rig.module.get_pin("status")
    rig.take()
    assert rig.ask(b"AT+CPSMS=1\r", 3) == b"0\r" + GRANTED + b"^DATADISCONN\r\n"


def test_values_are_checked() -> None:
    rig = Rig(form="V0E0")
    for bad in (b"3", b'1,,,"0010000","00000101"', b'1,,,"0010000x"', b"1,,,00100001", b""):
        assert rig.ask(b"AT+CPSMS=%s\r" % bad) == b"+CME ERROR: 50\r\n"
    for bad in (b"4", b'1,3,"0101"', b'1,4,"01010"', b'1,4,"01x1"', b"3,4", b""):
        assert rig.ask(b"AT+CEDRXS=%s\r" % bad) == b"+CME ERROR: 50\r\n"
    assert rig.ask(b"AT+CPSMS?\r") == b'+CPSMS: 0,,,"00100001","00000101"\r\n0\r'
    assert rig.ask(b"AT+CEDRXS?\r") == b"0\r"
    assert rig.ask(b"AT+CPSMS=?;+CEDRXS=?\r") == (
        b'+CPSMS: (0-2),,,("00000000"-"11111111"),("00000000"-"11111111")\r\n'
        b'+CEDRXS: (0-3),(2,4,5),("0000"-"1111")\r\n0\r'
    )


@pytest.mark.parametrize("stored", [True, False])
def test_psm_settings_of_an_earlier_owner(stored: bool) -> None:
    """F43"""
    rig = sleeper("quirks.psm_stored=" + str(stored).lower())
    rig.ask(b"AT+CFUN=1,1\r", 12)
    rig.ask(b"ATE0V0\r")
    assert rig.ask(b"AT+CPSMS?\r").startswith(b"+CPSMS: %d," % stored)
    rig.wait(60)
    assert rig.module.get_pin("status") is not stored


def test_denied_at_the_update() -> None:
    rig = asleep(t3412=b"01111110")
    rig.module.network.deny(11)
    rig.wait(70)
    rig.ask(b"ATE0V0\r")
    assert rig.ask(b"AT+CEREG?\r") == b"+CEREG: 0,3\r\n0\r"


def test_coverage_lost_while_asleep_is_found_out_at_the_update() -> None:
    rig = asleep(t3412=b"01111110")
    rig.module.network.lose()
    rig.wait(40)
    assert not rig.module.get_pin("status")
    rig.wait(20)
    rig.ask(b"ATE0V0\r")
    assert rig.ask(b"AT+CEREG?\r") == b"+CEREG: 0,2\r\n0\r"
    rig.module.network.restore()
    rig.wait(10)
    assert rig.ask(b"AT+CEREG?\r") == b"+CEREG: 0,1\r\n0\r"
    rig.until(b"^ENTERPSMMODE\r\n")


def test_supply_removed_while_asleep() -> None:
    rig = asleep(t3412=b"01111110")
    rig.module.power_cycle()
    rig.wait(600)
    assert rig.take() == b""
    seen = states(rig)
    rig.press(1)
    rig.wait(10)
    assert [state for _, state, _ in seen][:3] == ["boot", "idle", "search"]


def test_gsm_has_no_psm() -> None:
    rig = Rig(profile_with(["cell.acts=[0]"]), form="V0E0")
    rig.ask(b'AT+CPSMS=1,,,"00100001","00000101"\r', 120)
    assert rig.module.get_pin("status")


# Faults ---------------------------------------------------------------------------------------


def test_never_enters_psm() -> None:
    rig = sleeper()
    rig.module.faults.add("psm-never")
    rig.wait(600)
    assert rig.module.get_pin("status")


def test_F32_does_not_wake_at_the_first_pulse() -> None:
    rig = asleep()
    rig.module.faults.add("psm-deaf")
    rig.press(1)
    rig.wait(10)
    assert not rig.module.get_pin("status")
    rig.press(1)
    rig.wait(5)
    assert rig.module.get_pin("status")


def test_F30_silent() -> None:
    rig = sleeper()
    rig.module.faults.add("psm-silent")
    rig.wait(60)
    assert not rig.module.get_pin("status")
    rig.press(1)
    rig.wait(5)
    assert rig.take() == b"^DATADISCONN\r\n"
    assert rig.module.get_pin("status")


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        ("00100010,01000001", b'"00100010","01000001"'),
        ("00001000,", b'"00001000",'),
        (",01000001", b',"01000001"'),
    ],
)
def test_F29_granted_otherwise(parameter: str, told: bytes) -> None:
    rig = Rig(form="V0E0")
    rig.module.faults.add("psm-other", parameter)
    rig.ask(b"AT+CEREG=4\r")
    rig.ask(b'AT+CPSMS=1,,,"00100001","00000101"\r', 3)
    assert rig.ask(b"AT+CEREG?\r") == (
        b'+CEREG: 4,1,"1A2B","01234567",7,,,' + told + b"\r\n0\r"
    )  # fmt: skip
    with pytest.raises(ValueError, match="8 bits"):
        rig.module.faults.add("psm-other", "0010")


def test_F29_refused() -> None:
    rig = Rig(form="V0E0")
    rig.module.faults.add("psm-refused")
    rig.module.faults.add("edrx-refused")
    rig.ask(b"AT+CEREG=4\r")
    rig.ask(b'AT+CPSMS=1,,,"00100001","00000101";+CEDRXS=1,4,"0101"\r', 5)
    assert rig.ask(b"AT+CEREG?;+CEDRXRDP\r") == (
        b'+CEREG: 4,1,"1A2B","01234567",7\r\n+CEDRXRDP: 0\r\n0\r'
    )
    rig.wait(120)
    assert rig.module.get_pin("status")


def test_psm_cut_short_by_a_downlink() -> None:
    rig = asleep()
    rig.module.faults.add("psm-cut", "20")
    rig.press(1)
    rig.until(b"^ENTERPSMMODE")
    rig.wait(1)
    rig.take()
    seen = states(rig)
    rig.wait(60)
    assert [(state, cause) for _, state, cause in seen] == [
        ("boot", "downlink"), ("search", "downlink"), ("idle", "downlink"),
        ("connected-rx", "downlink"), ("connected-tx", "downlink"), ("connected-rx", "downlink"),
        ("connected-tail", "downlink"), ("idle", "release"), ("psm", "t3324"),
    ]  # fmt: skip
    assert rig.take().startswith(b"\r\n^EXITPSMMODE\r\n\r\n^DATADISCONN\r\n")


# The connection's end (27.007 AT+CNMPSD) -------------------------------------------------------


def test_the_last_word_ends_the_connection() -> None:
    rig = sleeper()
    rig.ask(b'AT+CPSMS=1,,,"00100010","00000101"\r', 3)  # its update is no reason to stay
    rig.take()
    seen = states(rig)
    assert rig.ask(b"AT+CNMPSD=?\r") == b"0\r"
    said = rig.now
    assert rig.ask(b"AT+CNMPSD\r", 0.05) == b"0\r"
    assert rig.until(b"^DATADISCONN\r\n") == b"^DATADISCONN\r\n"
    assert rig.now - said < 0.2
    assert [(state, cause) for _, state, cause in seen][-3:] == [
        ("connected-rx", "last word"),
        ("connected-tx", "last word"),
        ("idle", "release"),
    ]
    rig.until(b"^ENTERPSMMODE\r\n")
    assert rig.now - said == pytest.approx(10.1, abs=0.2)


def test_at_poor_coverage_the_last_word_takes_longer() -> None:
    rig = sleeper()
    rig.module.network.degrade(2)
    said = rig.now
    rig.ask(b"AT+CNMPSD\r", 0.05)
    rig.until(b"^DATADISCONN\r\n")
    assert 1 < rig.now - said < 3


def test_without_a_connection_there_is_nothing_to_end() -> None:
    rig = sleeper(t3324=b"00111111")  # 31 minutes
    rig.until(b"^DATADISCONN\r\n")
    seen = states(rig)
    assert rig.ask(b"AT+CNMPSD\r", 5) == b"0\r"
    assert seen == []


def test_data_behind_the_last_word_keeps_the_connection() -> None:
    rig = sleeper()
    rig.module.receive(b"AT+CNMPSD\r")
    rig.wait(0.05)
    rig.module.radio.send(100, "data", lambda: None)
    rig.take()
    assert b"^DATADISCONN" not in rig.ask(b"AT\r", 10)
    assert rig.until(b"^DATADISCONN\r\n")


@pytest.mark.parametrize(("release", "answer"), [("ignored", b"0\r"), ("refused", b"4\r")])
def test_module_or_network_may_know_nothing_of_it(release: str, answer: bytes) -> None:
    rig = sleeper(f'grants.release="{release}"')
    for command in (b"AT+CNMPSD=?\r", b"AT+CNMPSD\r"):
        assert rig.ask(command, 0.05) == answer
    asked = rig.now
    rig.until(b"^DATADISCONN\r\n")
    assert rig.now - asked > 10


def test_there_is_no_other_way_to_take_it() -> None:
    with pytest.raises(ValueError, match="release 'perhaps' is none of honoured"):
        Grants(release="perhaps")
