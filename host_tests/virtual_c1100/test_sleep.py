"""PSM and eDRX: requests, grants, URCs, wake-ups, and what the module forgets (manual 3.8)."""

import pytest

from host_tests.virtual_c1100.rig import Rig, profile_with

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
    assert [at - tau for at, _, _ in seen] == pytest.approx([0, 1.275, 1.5, 16.5, 26.8])
