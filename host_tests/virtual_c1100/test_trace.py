"""The trace of the UART: no PIN, password or key in it, however it is sent and cut."""

import json
from pathlib import Path

import pytest

from host_tests.virtual_c1100.http_server import HttpServer
from host_tests.virtual_c1100.rig import profile_with
from tools.broker import mosquitto
from tools.demo import flash
from tools.lockstep import Bench
from tools.timeline import Timeline
from tools.virtual_board.board import Board, flash_folder
from tools.virtual_c1100 import VirtualC1100
from tools.virtual_c1100.trace import Trace, masked

SECRET = b"5ecret"


class Recorder:
    """A trace and what stands in it."""

    def __init__(self, folder: Path) -> None:
        self.timeline = Timeline()
        self.file = folder / "trace.txt"
        self.trace = Trace(self.timeline, self.file.open("w"))

    def send(self, *pieces: bytes, direction: str = ">") -> None:
        """Each piece after a pause that ends an ordinary record."""
        for piece in pieces:
            self.trace.bytes(direction, piece)
            self.timeline.advance_to(self.timeline.now_us + 200_000)

    def text(self) -> str:
        self.trace.flush()
        return self.file.read_text()


LINES = (
    b'AT+CPIN="5ecret"\r',
    b"AT+CPIN=5ecret\r",
    b'at+cpin="12345678","5ecret"\r',
    b'AT + CPIN = "5ecret"\r',
    b'AT+CPIN2="5ecret"\r',
    b'ATE0;+CMEE=1;+CPIN="5ecret"\r',
    b'AT+CLCK="SC",1,"5ecret"\r',
    b'AT+CPWD="SC","1111","5ecret"\r',
    b'AT+CPWD="SC","5ecret","1111"\r',
    b'AT+LSMQTTCFG="password","5ecret"\r',
    b'AT+LSMQTTCFG="PASSWORD" , "5ecret"\r',
    b'AT+LSMQTTCFG="psk","5ecret"\r',
    b'AT+LSMQTTCFG="privatekey","5ecret"\r',
    b'AT+CGAUTH=1,1,"user","5ecret"\r',
    b'AT$QCPDPP=1,1,"5ecret","user"\r',
    b'AT+LSHTTPHEADERINFO="Authorization","Bearer 5ecret"\r',
    b'AT+LSHTTPHEADERINFO="Authorization","Basic 5ecret=="\r',
    b'AT+LSHTTPHEADERINFO="authorization" , "5ecret"\r',
    b'AT+LSHTTPHEADERINFO="Proxy-Authorization","5ecret"\r',
    b'AT+LSHTTPHEADERINFO="X-Api-Key","5ecret"\r',
    b'AT+LSHTTPHEADERINFO="X-Auth-Token","5ecret"\r',
    b'AT+LSHTTPHEADERINFO="Cookie","session=5ecret"\r',
    b"http://user:5ecret@example.com/\r",
    b"https://example.com/?a=1&token=5ecret\r",
    b"https://example.com/?api_key=5ecret&b=2\r",
    b"Authorization: Bearer 5ecret\r\n",
    b"authorization:5ecret\r\n",
)


@pytest.mark.parametrize("line", LINES, ids=repr)
def test_no_secret_of_a_line_is_kept(tmp_path, line):
    assert SECRET not in masked(line)
    recorder = Recorder(tmp_path)
    recorder.send(line)
    recorder.send(line, direction="<")  # the echo
    text = recorder.text()
    assert SECRET.decode() not in text
    assert text.count("***") == 2


@pytest.mark.parametrize("line", [line for line in LINES if line.upper().startswith(b"AT")])
def test_a_command_in_two_pieces_is_masked_wherever_it_is_cut(tmp_path, line):
    recorder = Recorder(tmp_path)
    for cut in range(1, len(line)):
        recorder.send(line[:cut], line[cut:])
        recorder.send(b"\x00" + line[:cut], line[cut:])  # noise in front
    text = recorder.text()
    for rest in (b"5ec", b"ret", b"cre"):
        assert rest.decode() not in text


def test_what_is_no_secret_stays(tmp_path):
    for line in (
        b"AT+CPIN?\r",
        b"+CPIN: READY\r\n",
        b"AT+CPINR\r",
        b'AT+LSMQTTCFG="username","n1"\r',
        b'AT+LSMQTTCFG="topic","nodes/n1/telemetry"\r',
        b'AT+LSHTTPHEADERINFO="X-Node","n1"\r',
        b"http://example.com/a?b=1\r",
        b"~\xff}#\x80!\x01\x01\x00\x0a\x03\x06\x00\x00\x00\x00~",
    ):
        assert masked(line) == line


# PPP --------------------------------------------------------------------------------------------


def pap(password: bytes, escape: bool, flag: bytes = b"~") -> bytes:
    """An Authenticate-Request as it stands on the line; its FCS is nobody's business here."""
    body = b"\xff\x03\xc0\x23\x01\x01\x00\x12\x04user" + bytes([len(password)]) + password + b"FC"
    out = bytearray()
    for byte in body:
        special = byte in (0x7D, 0x7E) or (escape and byte < 0x20)
        out += bytes((0x7D, byte ^ 0x20)) if special else bytes((byte,))
    return flag + bytes(out) + b"~"


@pytest.mark.parametrize("escape", [True, False])
@pytest.mark.parametrize("password", [SECRET, b"5e\rcr\net", b"5e~cr}et"])
def test_ppp_passwords_are_masked_wherever_the_frame_is_cut(tmp_path, escape, password):
    recorder = Recorder(tmp_path)
    recorder.send(b"ATD*99#\r")
    frame = pap(password, escape)
    for cut in range(1, len(frame)):
        recorder.send(frame[:cut], frame[cut:])
    # The flag between two frames may be shared.
    recorder.send(b"~\xff\x03\xc0\x21\x01\x01\x00\x04~" + pap(password, escape, b""))
    recorder.send(b"+++", b"ATH\r")
    text = recorder.text()
    for rest in ("5e", "cr", "et"):
        assert rest not in text
    assert text.count("***") == len(frame)
    assert "ATH" in text


# A whole node -----------------------------------------------------------------------------------


def test_the_trace_of_a_node_with_every_secret_has_none_of_them(tmp_path):
    """PIN of the SIM, password of the broker, token of the web server, key for commands."""
    secrets = {
        "pin": "471147",
        "mqtt": {"password": "sw0rdfish"},
        "http": {"token": "0pen-sesame"},
        "commands": {"key": "5e" * 16},
    }
    folder = tmp_path / "flash"
    folder.mkdir()
    file = tmp_path / "trace.txt"

    def module(timeline, send):
        made = VirtualC1100(timeline, profile_with([f'sim.pin="{secrets["pin"]}"']), send)
        made.trace = Trace(timeline, file.open("w"))
        return made

    with mosquitto({"n1": "sw0rdfish"}) as broker, HttpServer() as web:
        flash.build(folder, "n1", broker, 900)
        config = json.loads((folder / "config.json").read_text())
        config["mqtt"]["user"] = "n1"
        config["log"] = {"level": "debug"}
        config["http"] = {"url": "http://{}:{}/telemetry".format(*web.address)}
        (folder / "secrets.json").write_text(json.dumps(secrets))
        with Bench(Board(flash_folder(folder)), module, stuck_s=10) as bench:

            def delivered(by):
                said = [text for _, text in bench.console if text.endswith("by " + by)]
                return bool(said) and bool(bench.wakes[-1].end)

            for uplink in ("mqtt", "http"):
                config["uplink"] = {"first": uplink}
                (folder / "config.json").write_text(json.dumps(config))
                bench.run(until=lambda name=uplink: delivered(name), limit_s=20000)
            bench.module.trace.close()
            said = "".join(text for _, text in bench.console)
    assert web.seen
    text = file.read_text()
    for started in ("AT+CPIN=***", 'LSMQTTCFG="password",***', '"Authorization",***'):
        assert started in text
    for where in (text, said, (folder / "log.0").read_text()):
        for secret in ("471147", "sw0rdfish", "0pen-sesame", "5e5e"):
            assert secret not in where
