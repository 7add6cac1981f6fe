"""The module in real time: on a PTY as a program of its own, its trace, its settings."""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import serial

from host_tests.patience import LIMIT_S
from host_tests.virtual_c1100.rig import Rig, profile_with
from host_tests.virtual_c1100.terminal import answers, ask
from tools.virtual_c1100 import cli, profile
from tools.virtual_c1100.trace import Trace, masked

ROOT = Path(__file__).resolve().parents[2]
FAST = "[latency]\nboot = 0.2\nsim_ready = 0.05\nregistration = 0.1\npwrkey_on = 0.1\n"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class Program:
    """`python -m tools virtual-c1100` with a fast profile; ended at the end of the test."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.link = folder / "modem"
        (folder / "fast.toml").write_text(FAST)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools", "virtual-c1100", "--link", str(self.link),
             "--profile", str(folder / "fast.toml"), *options],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        assert self.process.stdout
        self.greeting = self.process.stdout.readline()

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(LIMIT_S)

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def test_terminal_program_talks_to_it_and_the_trace_tells(tmp_path: Path) -> None:
    trace = tmp_path / "trace.txt"
    options = (
        "--trace",
        str(trace),
        "--pin",
        "24680135",
        "--variant",
        "NGCX",
        "--fault",
        "sim-late:0",
    )
    with Program(tmp_path, *options) as program:
        assert "C1100 NGCX" in program.greeting
        with serial.Serial(str(program.link), 115200) as port:
            answers(port)
            assert ask(port, b"AT\r") == b"AT\r\r\nOK\r\n"
            assert ask(port, b"AT+CGMM\r") == b"AT+CGMM\r\r\nC1100 NGCX\r\n\r\nOK\r\n"
            assert ask(port, b'AT+CPIN="24680135"\r').endswith(b"OK\r\n")
        assert program.end() == 0
    assert not program.link.is_symlink()
    text = trace.read_text()
    assert "24680135" not in text
    assert "> AT+CGMM\\r" in text
    assert "< \\r\\nC1100 NGCX\\r\\n" in text
    assert " ! module booting" in text


def test_module_without_power_waits_for_the_key(tmp_path: Path) -> None:
    with Program(tmp_path, "--off") as program:
        assert "SIGUSR1" in program.greeting
        with serial.Serial(str(program.link), 115200, timeout=0.2) as port:
            port.write(b"AT\r")
            assert port.read(10) == b""
            program.process.send_signal(signal.SIGUSR1)
            answers(port)
            assert ask(port, b"AT\r") == b"AT\r\r\nOK\r\n"


def test_wrong_setting_is_named_and_ends_with_code_2(tmp_path: Path) -> None:
    for options, text in (
        (("--fault", "nosuch"), "no fault 'nosuch'"),
        (("--route", "a=b"), "'b' is not HOST:PORT"),
        (("--pin", "12"), "4 to 8 digits"),
    ):
        with Program(tmp_path, *options) as program:
            assert program.process.wait(LIMIT_S) == 2
            assert text in program.greeting


def test_a_link_in_use_is_refused_and_stays(tmp_path: Path) -> None:
    with Program(tmp_path) as first:
        assert "C1100" in first.greeting
        with Program(tmp_path) as second:
            assert second.process.wait(LIMIT_S) == 2
            assert "in use" in second.greeting
        with serial.Serial(str(first.link), 115200) as port:
            answers(port)
            assert ask(port, b"AT\r") == b"AT\r\r\nOK\r\n"
    assert first.link.is_symlink()  # it was killed
    with Program(tmp_path) as third:
        assert "C1100" in third.greeting
        assert third.end() == 0


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools", "virtual-c1100", "--link", "/proc/nosuch/modem"],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert (done.stdout + done.stderr).count("\n") == 1


def test_who_sees_the_link_may_send_a_signal_at_once(tmp_path: Path, monkeypatch) -> None:
    """However long it takes from there to its first line."""
    handlers = []

    def made(link: Path) -> None:
        handlers.extend(map(signal.getsignal, SIGNALS))
        raise ValueError("enough")

    monkeypatch.setattr(cli, "PtyPort", made)
    before = [signal.getsignal(number) for number in SIGNALS]
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    try:
        assert cli.run(parser.parse_args(["--link", str(tmp_path / "modem")])) == 2
    finally:
        for number, handler in zip(SIGNALS, before, strict=True):
            signal.signal(number, handler)
    assert all(map(callable, handlers))
    assert not set(handlers) & set(before)


def test_a_terminal_of_another_rate_is_told(tmp_path: Path) -> None:
    with Program(tmp_path) as program:
        assert program.process.stdout
        with serial.Serial(str(program.link), 38400, timeout=0.3) as port:
            port.write(b"AT\r")
            told = ""
            while "38400" not in told:
                told = program.process.stdout.readline()
                assert told, "the program has ended"
        assert told == (
            "The terminal speaks at 38400 Bd, the module at 115200: each hears noise. Set the "
            "terminal to 115200.\n"
        )


def test_profile_from_toml(tmp_path: Path) -> None:
    file = tmp_path / "module.toml"
    file.write_text(
        'variant = "MGCX"\nfaults = ["noise"]\n[sim]\npin = "1111"\n[cell]\nacts = [9]\n'
        '[routes]\n"183.230.40.39:6002" = "127.0.0.1:1883"\n'
    )
    made = profile.load(file)
    assert (made.variant, made.sim.pin, made.cell.acts) == ("MGCX", "1111", (9,))
    assert made.routes == {("183.230.40.39", 6002): ("127.0.0.1", 1883)}
    file.write_text("[sim]\npni = 1\n")
    with pytest.raises(ValueError, match=r"\[sim\]: no setting 'pni'; there are present, pin"):
        profile.load(file)
    file.write_text('variant = "XXXX"\n')
    with pytest.raises(ValueError, match="none of MGGT"):
        profile.load(file)


def test_pin_typed_by_hand_is_masked_in_echo_and_input(tmp_path: Path) -> None:
    rig = Rig(profile_with(['sim.pin="1234"']))
    file = tmp_path / "trace.txt"
    rig.module.trace = Trace(rig.timeline, file.open("w"))
    for byte in b'AT+CPIN="1234"\r':
        rig.send(bytes((byte,)), 0.3)
    rig.wait(1)
    rig.module.trace.close()
    text = file.read_text()
    assert "1234" not in text
    lines = [line.split(" ", 2)[2] for line in text.splitlines()]
    assert lines == ["> AT+CPIN=***\\r", "< AT+CPIN=***\\r", "< \\r\\nOK\\r\\n"]


def test_secrets_are_masked_however_they_are_written() -> None:
    for line in (b'AT+CPIN="1234"\r', b"at+cpin=1234\r", b"AT+ CPIN = 1234\r",
                 b'AT+CPIN="12345678","1234"\r', b'AT+LSMQTTCFG="password","1234"\r',
                 b'AT+LSMQTTCFG="PASSWORD" , "12\x0834"\r'):  # fmt: skip
        assert b"34" not in masked(line)


def test_command_line_goes_over_the_file() -> None:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    args = parser.parse_args(
        ["--link", "x", "--variant", "NGGT", "--baud", "9600", "--seed", "5", "--no-sim",
         "--route", "h:1=127.0.0.1:2", "--fault", "noise"]
    )  # fmt: skip
    made = cli.profile_from(args)
    assert (made.variant, made.baud, made.seed, made.sim.present) == ("NGGT", 9600, 5, False)
    assert made.routes == {("h", 1): ("127.0.0.1", 2)}
    assert made.faults == ["noise"]
