"""The faults that can be ordered, each shown to do what the failure list says."""

import pytest

from host_tests.virtual_c1100.rig import Rig
from host_tests.virtual_c1100.servers import TcpServer
from tools.virtual_c1100 import Profile
from tools.virtual_c1100.faults import FAULTS, REMEDIES

CSQ = b"+CSQ: 22,99\r\n0\r"


def faulty(*faults: str) -> Rig:
    rig = Rig(form="V0E0")
    for fault in faults:
        rig.module.faults.add(fault)
    return rig


def test_F1_urc_between_command_and_answer() -> None:
    assert faulty("urc-before:+CEREG: 5").ask(b"AT+CSQ\r") == b"+CEREG: 5\r\n" + CSQ


def test_F2_urc_with_the_prefix_of_the_answer_before_between_and_after() -> None:
    rig = faulty("urc-before:+CEREG: 2", "urc-between:+CEREG: 3", "urc-after:+CEREG=+CEREG: 9",
                 "urc-after:+CEREG: 1")  # fmt: skip
    assert rig.ask(b"AT+CEREG?\r") == (
        b"+CEREG: 2\r\n+CEREG: 0,1\r\n+CEREG: 3\r\n0\r+CEREG: 9\r\n+CEREG: 1\r\n"
    )


def test_F3_urc_inside_an_answer_without_prefix() -> None:
    rig = faulty("urc-before:+CIMI=+PSUTTZ: 1,2")
    assert rig.ask(b"AT+CIMI\r") == b"+PSUTTZ: 1,2\r\n460001234567890\r\n0\r"
    assert rig.ask(b"AT+CSQ\r") == CSQ


def test_F4_burst_of_fifty_once() -> None:
    rig = faulty("urc-burst")
    assert rig.ask(b"AT+CSQ\r", 1).count(b"+CEREG: ") == 50
    assert rig.ask(b"AT+CSQ\r") == CSQ


def test_F5_unknown_urc() -> None:
    assert faulty("urc-unknown").ask(b"AT\r") == b"^SIMST: 1,0\r\n0\r"


def test_F6_echo_that_stays_and_echo_cut_short() -> None:
    rig = Rig(Profile(faults=["echo-stuck"]))
    assert rig.ask(b"ATE0V0\r") == b"ATE0V0\r0\r"
    assert rig.ask(b"AT\r") == b"AT\r0\r"
    rig = Rig(Profile(faults=["echo-half:0.5"]))
    rig.ask(b"ATV0\r")
    got = rig.ask(b"AT+CSQ\r")
    assert got.endswith(CSQ)
    assert 0 < len(got) - len(CSQ) < len(b"AT+CSQ\r")


def test_F10_noise_before_an_answer_and_at_boot() -> None:
    assert faulty("noise:00ff80").ask(b"AT+CSQ\r") == b"\x00\xff\x80" + CSQ
    rig = Rig(Profile(faults=["boot-garbage:00524459"]), on=False)
    rig.press(1)
    assert rig.take() == b"\x00RDY"


def test_F12_errors_by_number_by_word_and_bare() -> None:
    rig = faulty("cme:+CSQ=30", "error:+CGMR")
    assert rig.ask(b"AT+CSQ\r") == b"+CME ERROR: 30\r\n"
    assert rig.ask(b"AT+CGMR\r") == b"4\r"
    rig.ask(b"AT+CMEE=2\r")
    assert rig.ask(b"AT+CSQ\r") == b"+CME ERROR: no network service\r\n"


def test_F13_late_answer_once() -> None:
    rig = faulty("late:+CSQ=20")
    rig.send(b"AT+CSQ\r", 19)
    rig.send(b"AT+CGATT?\r", 0.5)
    assert rig.take() == b""
    rig.wait(2)
    assert rig.take() == CSQ + b"+CGATT: 1\r\n0\r"
    assert rig.ask(b"AT+CSQ\r") == CSQ


def test_F15_no_answer_at_all_and_then_again() -> None:
    rig = faulty("mute:+CSQ=2")
    assert rig.ask(b"AT+CSQ\r") == rig.ask(b"AT+CSQ\r") == b""
    assert rig.ask(b"AT+CSQ\r") == CSQ


def test_F16_slow_answers() -> None:
    rig = faulty("slow:180")
    rig.send(b"AT+CSQ\r", 179)
    assert rig.take() == b""
    rig.wait(2)
    assert rig.take() == CSQ


def test_F17_reboot_in_the_middle_of_a_command() -> None:
    rig = faulty("reboot:+CSQ", "boot-garbage:00ff")
    assert rig.ask(b"AT+CSQ\r") == b"\x00\xff"
    rig.wait(10)
    assert rig.ask(b"AT+CSQ\r") == b"AT+CSQ\r\r\n+CSQ: 22,99\r\n\r\nOK\r\n"
    assert [level for _, _, level in rig.pins] == [True, False, True]


def test_F20_error_in_place_of_the_prompt() -> None:
    rig = faulty("error:+LSHTTPURL")
    assert rig.ask(b"AT+LSHTTPURL=20\r") == b"4\r"
    assert rig.ask(b"AT\r") == b"0\r"


def test_F21_prompt_late_and_never() -> None:
    rig = faulty("late-prompt:+LSHTTPURL=2")
    rig.send(b"AT+LSHTTPURL=10\r", 1.9)
    assert rig.take() == b""
    rig.wait(0.2)
    assert rig.take() == b">"
    assert rig.ask(b"http://a/b") == b"0\r"
    rig = faulty("no-prompt:+LSHTTPURL")
    assert rig.ask(b"AT+LSHTTPURL=10\r", 100) == b""
    assert rig.ask(b"AT+CSQ\r+++") == b"4\r"  # it was waiting for a URL all the time
    assert rig.ask(b"AT+LSHTTPURL=10\r") == b">"


@pytest.mark.parametrize(
    ("fault", "payload"), [("payload-short:2", b"hel"), ("payload-long:2", b"helloxx")]
)
def test_F23_payload_shorter_or_longer_than_announced_once(fault: str, payload: bytes) -> None:
    with TcpServer() as server:
        rig = Rig(Profile(routes={("h", 1): server.address}), form="V0E0")
        rig.ask(b"AT+LSIPCALL=1\r", 2)
        rig.ask(b'AT+LSIPOPEN=1,0,"h",1,0\r', 2)
        rig.module.faults.add(fault)
        for expected in (payload, b"hello"):
            server.send(b"hello")
            rig.hear()
            rig.wait(0.5)
            assert rig.take() == b"+LSIPRTCP=1,5," + expected + b"\r"


def test_F25_data_for_a_socket_that_is_not_open() -> None:
    assert faulty("urc-before:+LSIPRTCP=4,3,abc").ask(b"AT+CSQ\r") == (
        b"+LSIPRTCP=4,3,abc\r\n" + CSQ
    )


def test_F26_lost_urc() -> None:
    rig = faulty("urc-lost:+CEREG")
    rig.ask(b"AT+CEREG=1;+CGREG=1\r")
    rig.module.network.lose()
    rig.wait(1)
    assert rig.take() == b"+CGREG: 2\r\n"
    assert rig.ask(b"AT+CEREG?\r") == b"+CEREG: 1,2\r\n0\r"


def test_F27_first_characters_after_a_pause_are_eaten() -> None:
    rig = faulty("eat:3,10")
    rig.wait(11)
    assert rig.ask(b"AT\r") == b""
    assert rig.ask(b"AT\r") == b"0\r"
    rig.wait(9)
    assert rig.ask(b"AT\r") == b"0\r"


def test_F33_error_to_everything() -> None:
    rig = faulty("error")
    assert rig.ask(b"AT\r") == rig.ask(b"AT+CSQ\r") == b"4\r"
    rig.module.faults.clear()
    assert rig.ask(b"AT\r") == b"0\r"


def test_F38_bytes_lost_in_both_directions_the_same_for_the_same_seed() -> None:
    def talk(seed: int) -> list[bytes]:
        rig = Rig(Profile(seed=seed, faults=["lose-out:0.1", "lose-in:0.05"]), form="V0E0")
        return [rig.ask(b"AT+CSQ\r") for _ in range(30)]

    first = talk(3)
    assert first == talk(3) != talk(4)
    assert any(answer != CSQ for answer in first)


def _radio(rig: Rig) -> None:
    rig.ask(b"AT+CFUN=0\r")
    rig.ask(b"AT+CFUN=1\r")


def _restart(rig: Rig) -> None:
    rig.ask(b"AT+CFUN=1,1\r", 10)


def _power(rig: Rig) -> None:
    rig.press(3)
    rig.wait(10)
    rig.press(1.5)
    rig.wait(10)


def _supply(rig: Rig) -> None:
    rig.module.set_pin("cut", True)
    rig.wait(5)
    rig.module.set_pin("cut", False)
    rig.press(1.5)
    rig.wait(10)


@pytest.mark.parametrize("remedy", REMEDIES)
def test_F33_what_ends_with_a_remedy_or_one_that_does_more(remedy: str) -> None:
    done = (_radio, _restart, _power, _supply)
    for does, treat in zip(REMEDIES, done, strict=True):
        rig = faulty("error:+CSQ", f"cured-by:{remedy}")
        treat(rig)
        rig.ask(b"ATE0V0\r")
        cured = REMEDIES.index(does) >= REMEDIES.index(remedy)
        assert (rig.ask(b"AT+CSQ\r") == b"4\r") is not cured, does


def test_F33_an_error_so_many_times_and_a_remedy_that_does_not_exist() -> None:
    rig = faulty("error:+CSQ=2")
    assert [rig.ask(b"AT+CSQ\r") for _ in range(3)] == [b"4\r", b"4\r", CSQ]
    with pytest.raises(ValueError, match="'nosuch' is none of radio, restart, power, supply"):
        faulty("cured-by:nosuch")


def test_F40_is_in_test_sim_and_every_fault_takes_its_default() -> None:
    for name in FAULTS:
        rig = Rig(on=False)
        rig.module.faults.add(name)
        rig.press(1)
        rig.wait(30)
        rig.ask(b"AT+CSQ\r", 10)
        rig.module.faults.clear()
        rig.wait(10)
        rig.ask(b"ATE0V0\r")
        if name != "key-dead":
            assert rig.ask(b"AT\r") == b"0\r", name


def test_unknown_fault_says_which_there_are() -> None:
    with pytest.raises(ValueError, match="no fault 'nosuch'; there are urc-before"):
        Rig(on=False).module.faults.add("nosuch:1")


# What the wire carries under each habit: a command, and all that is said to it.
SPOKEN = {
    "leading-blank": (b"AT+CSQ\r", b" +CSQ: 22,99\r\n0\r"),
    "blank-behind": (b"AT+CSQ\r", b"+CSQ: 22,99 \r\n0\r"),
    "colon-blank": (b"AT+CSQ\r", b"+CSQ : 22,99\r\n0\r"),
    "number-quoted": (b"AT+CSQ\r", b'+CSQ: "22","99"\r\n0\r'),
    "number-zeros": (b"AT+CSQ\r", b"+CSQ: 0022,0099\r\n0\r"),
    "rewrite:22=>x": (b"AT+CSQ\r", b"+CSQ: x,99\r\n0\r"),
    "csq": (b"AT+CSQ\r", b"+CSQ: 99,99\r\n0\r"),
    "sim": (b"AT+CPIN?\r", b"+CPIN: NOT READY\r\n0\r"),
    "sim:SIM BUSY": (b"AT+CPIN?\r", b"+CPIN: SIM BUSY\r\n0\r"),
    "clock": (b"AT+CCLK?\r", b'+CCLK: "24/13/45,25:61:61+00"\r\n0\r'),
    "imei-quoted": (b"AT+CGSN\r", b'"866425030123456"\r\n0\r'),
    "answer": (b"AT+COPS?\r", b"+CME ERROR: 30\r\n"),
    "answer:+CSQ=a|b|4": (b"AT+CSQ\r", b"a\r\nb\r\n4\r"),
    "answer:+CSQ=OK": (b"AT+CSQ\r", b"0\r"),
    "line-before": (b"AT+CSQ\r", b"RING\r\n" + CSQ),
    "line-between:+CSQ=3": (b"AT+CSQ\r", b"+CSQ: 22,99\r\n3\r\n0\r"),
    "line-after": (b"AT+CSQ\r", CSQ + b"NO CARRIER\r\n"),
    "late-line:+CSQ=0.3": (b"AT+CSQ\r", b"0\r+CSQ: 22,99\r\n"),
    "result-first:+CSQ": (b"AT+CSQ\r", b"0\r+CSQ: 22,99\r\n"),
    "verbose-stuck": (b"ATV0\r", b"\r\nOK\r\n"),
}


@pytest.mark.parametrize("fault", SPOKEN)
def test_other_words(fault: str) -> None:
    asked, said = SPOKEN[fault]
    rig = faulty(fault)
    if fault == "imei-quoted":
        said = b'"' + Rig(form="V0E0").ask(asked).split(b"\r")[0] + b'"\r\n0\r'
    assert rig.ask(asked) == said


def test_a_fault_of_a_question_leaves_the_setting_alone() -> None:
    rig = faulty("error:+CGREG?")
    assert rig.ask(b"AT+CGREG?\r") == b"4\r"
    assert rig.ask(b"AT+CGREG=1\r") == b"0\r"


def test_an_answer_so_many_times() -> None:
    rig = faulty("answer:+CPIN?*2=+CPIN: NOT READY|0")
    asked = [rig.ask(b"AT+CPIN?\r") for _ in range(3)]
    assert asked == [b"+CPIN: NOT READY\r\n0\r"] * 2 + [b"+CPIN: READY\r\n0\r"]


def test_silence_between_bytes() -> None:
    rig = faulty("byte-gap:200")
    rig.send(b"AT\r", 0.3)
    assert rig.take() == b"0"
    rig.wait(0.2)
    assert rig.take() == b"\r"


def socket_of(server: TcpServer, *faults: str) -> Rig:
    rig = Rig(Profile(routes={("h", 1): server.address}), form="V0E0")
    for fault in faults:
        rig.module.faults.add(fault)
    rig.ask(b"AT+LSIPCALL=1\r", 2)
    rig.ask(b'AT+LSIPOPEN=1,0,"h",1,0\r', 2)
    rig.ask(b"AT+LSIPHEX=1\r")
    return rig


@pytest.mark.parametrize(("size", "free"), [("2048", 2045), ("chars", 2994), ("1460", 1457)])
def test_room_of_another_size(size: str, free: int) -> None:
    with TcpServer() as server:
        rig = socket_of(server, f"free-count:{size}")
        assert rig.ask(b'AT+LSIPSEND=1,"313233"\r') == b"+LSIPSEND:1,%d\r\n0\r" % free


def test_room_and_outcome_that_come_late() -> None:
    with TcpServer() as server:
        rig = socket_of(server, "room-late:1", "late-line:+LSIP:OK=0.5")
        rig.ask(b'AT+LSIPSEND=1,"313233"\r')
        assert rig.ask(b"AT+LSIPPUSH=1\r", 0.45) == b"0\r"
        assert b"+LSIP:OK" in rig.ask(b'AT+LSIPSEND=1,"34"\r', 0.5)
        rig.wait(1)
        assert rig.ask(b'AT+LSIPSEND=1,"35"\r') == b"+LSIPSEND:1,1498\r\n0\r"


def test_a_far_side_says_something_else() -> None:
    with TcpServer() as server:
        rig = socket_of(server, "says:tcp=8 0", "blank-fields")
        server.send(b"hello")
        rig.hear()
        rig.wait(0.5)
        assert rig.take() == b"+LSIPRTCP=1, 3, 382030\r"


def test_what_an_earlier_life_has_left() -> None:
    rig = Rig(Profile(faults=["left:ATE0V0|AT+CFUN=4|AT+CMEE=2"]))
    assert rig.take() == b""
    assert rig.ask(b"AT+CFUN?\r") == b"+CFUN: 4\r\n0\r"
    rig = Rig(Profile(faults=["left:ATE0V0|AT+LSHTTPURL=20|http:"]), on=False)
    rig.press(1)
    rig.wait(30)
    assert rig.take() == b""
    assert rig.ask(b"AT+CSQ\r") == b""  # it waits for the rest of the URL
    assert rig.ask(b"+++") == b"4\r"


@pytest.mark.parametrize(
    "fault",
    ["rewrite:(=>x", "rewrite:x", "answer:+CSQ", "answer:+CSQ=maybe", "says:ftp=x", "left-behind",
     "free-count:many", "http-length:long", "late-line:+CSQ", "byte-gap:x", "line-before:x"],
)  # fmt: skip
def test_faults_that_cannot_be(fault: str) -> None:
    with pytest.raises(ValueError):
        faulty(fault)
