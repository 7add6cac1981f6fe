"""The probe against the virtual C1100: as it is, misbehaving, and judged by altered dialects."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial

from host_tests.deploy.conftest import command
from host_tests.patience import LIMIT_S, until
from host_tests.peers import any_broker
from host_tests.virtual_c1100.http_server import HttpServer
from host_tests.virtual_c1100.servers import TcpServer
from host_tests.virtual_c1100.terminal import answers, ask
from tools import installed
from tools.probe import cli, judge, steps, walk
from tools.probe.driver import dialect, forms
from tools.probe.judge import Trial

ROOT = Path(__file__).resolve().parents[2]
PIN = "47118359"  # longer than the number of a port, which could hold it by chance


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """module(*options) -> port of a virtual C1100 in real time"""
    children: list[subprocess.Popen] = []

    def make(*options: str) -> Path:
        link = tmp_path / f"c1100.{len(children)}"
        arguments = [sys.executable, "-m", "tools", "virtual-c1100", "--link", str(link), *options]
        children.append(subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.DEVNULL))
        until(link.is_symlink)
        return link

    yield make
    for child in children:
        child.terminate()
        child.wait(LIMIT_S)


def rows(text: str) -> dict[str, str]:
    """form -> its line of the table."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("│")]
        if len(cells) > 3 and cells[1] in forms():
            found[cells[1]] = line
    return found


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")


def test_no_form_is_forgotten():
    assert {step.form for step in steps.STEPS} == set(forms())


def test_without_yes_nothing_is_risked_and_the_module_is_left_as_found(module, tmp_path, capsys):
    record = tmp_path / "record.json"
    trace = tmp_path / "trace"
    assert command(cli, module("--trace", str(trace)), "--out", record) == 0
    table = rows(capsys.readouterr().out)
    assert "holds" in table["SIGNAL"]
    for form in ("IP_CALL", "PIN_ENTER", "PSM_ON", "RESTART"):
        assert "not tested" in table[form]
        assert "--yes allows it" in table[form]
    assert not any("differs" in line for line in table.values())
    text = trace.read_text()
    for risky in ("LSIPCALL=1", "LSMQTTCALL", "CPIN=", "CFUN=1,1", "CPSMS=1"):
        assert risky not in text
    assert text.rstrip().splitlines()[-1].endswith("OK\\r\\n")  # words again, as found
    assert "ATE1" in text


def test_settings_are_left_as_found(module, capsys):
    link = module()
    with serial.Serial(os.path.realpath(link), 115200) as port:

        def says(command: bytes) -> bytes:
            return ask(port, command + b"\r")

        answers(port)
        says(b"AT+CMEE=2")
        says(b"AT+CEREG=2")
        assert command(cli, link, "--only", "network") == 0
        assert b"+CMEE: 2" in says(b"AT+CMEE?")
        assert b"+CEREG: 2," in says(b"AT+CEREG?")
    assert "+CPIN" not in capsys.readouterr().out.partition("URCs seen:")[2].partition("\n")[0]


def test_a_module_without_sim_says_nothing_about_the_form(module, capsys):
    assert command(cli, module("--no-sim"), "--only", "sim") == 0
    assert "the SIM is not ready" in rows(capsys.readouterr().out)["IMSI"]


def test_a_walk_that_is_interrupted_keeps_what_it_has(module, tmp_path, capsys, monkeypatch):
    real = walk._run

    def run(line, step, *rest):
        if step.form == "MODEL":
            raise KeyboardInterrupt
        real(line, step, *rest)

    monkeypatch.setattr(walk, "_run", run)
    record = tmp_path / "record.json"
    assert command(cli, module(), "--out", record) == 0
    table = rows(capsys.readouterr().out)
    assert "holds" in table["IMEI"]
    assert "not reached: stopped by Ctrl-C" in table["MODEL"]
    assert record.exists()


def test_with_yes_every_form_holds(module, tmp_path, capsys, monkeypatch):
    installed.require("libslirp")  # PPP is among them
    monkeypatch.setenv("C1100_PIN", PIN)
    record = tmp_path / "record.json"
    with any_broker() as broker, HttpServer() as web, TcpServer() as tcp:
        host, port = web.address
        done = command(
            cli, module("--pin", PIN, "--variant", "MGGT"), "--yes", "--apn", "internet",
            "--mqtt", broker, "--http", f"http://{host}:{port}/x",
            "--tcp", f"{tcp.address[0]}:{tcp.address[1]}", "--lwm2m", "127.0.0.1:5683",
            "--out", record,
        )  # fmt: skip
    out = capsys.readouterr().out
    table = rows(out)
    assert done == 0, out
    assert [form for form, line in table.items() if "not tested" in line] == []
    for secret in (PIN, "866207050000001", "460001234567890"):
        assert secret not in record.read_text()
    assert PIN not in out
    for urc in ("+MQTTCALL", "+MQTTPUB", "+LSIPCALL"):
        assert urc in out.partition("URCs seen:")[2].partition("\n")[0]
    # And the record gives the same verdicts without the module.
    assert command(cli, "--replay", record) == 0
    assert rows(capsys.readouterr().out).keys() == table.keys()


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("SIGNAL", {"answer": "+CSQX"}, "+CSQX: number, number, 0 or OK"),
        ("EPS_STATE", {"shape": "iiiiiiiii"}, "+CEREG: number, number, number"),
        ("IMEI", {"answer": "+CGSN"}, "+CGSN, 0 or OK"),
        ("RADIO", {"send": "+CFUN={level:d4},0"}, "AT+CFUN=1,0 to be sent"),
        ("HTTP_TYPE", {"prompt": True}, "a prompt >"),
        ("GNSS_MODE", {"then": "+GPSMODE"}, "+GPSMODE with success"),
    ],
)
def test_an_altered_dialect_differs(recorded, capsys, monkeypatch, name, changes, says):
    fields = dict(zip(("send", "answer", "shape", "then", "prompt", "wait", "again", "source"),
                      getattr(dialect, name), strict=True))  # fmt: skip
    monkeypatch.setattr(dialect, name, dialect.Form(**(fields | changes)))
    arguments = [
        step for step in json.loads(recorded.read_text())["trials"] if step["form"] == name
    ]
    if name == "RADIO":
        arguments[0]["args"] = [1]
    assert command(cli, "--replay", recorded) == 1
    table = rows(capsys.readouterr().out)
    assert [form for form, line in table.items() if "differs" in line] == [name]
    assert says in table[name]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of a module that holds to everything, without --yes."""
    folder = tmp_path_factory.mktemp("probe")
    link = folder / "c1100"
    child = subprocess.Popen(
        [sys.executable, "-m", "tools", "virtual-c1100", "--link", str(link)],
        cwd=ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(link.is_symlink)
        assert command(cli, link, "--out", folder / "record.json") == 0
    finally:
        child.terminate()
        child.wait(LIMIT_S)
    return folder / "record.json"


def test_a_module_that_refuses_a_command_differs(module, capsys):
    link = module("--fault", "error:+COPS")
    assert command(cli, link, "--only", "network") == 1
    table = rows(capsys.readouterr().out)
    assert "differs" in table["OPERATOR"]
    assert "ERROR" in table["OPERATOR"]
    assert "holds" in table["SIGNAL"]
    assert "group identity was not asked for" in table["IMEI"]


def test_what_is_wrong_is_said(module, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tools.probe.walk.FIND_S", 1.5)
    assert command(cli, module("--off")) == 2
    assert "nothing answers AT" in capsys.readouterr().err
    assert command(cli, tmp_path / "none") == 2
    assert "No such file" in capsys.readouterr().err
    assert command(cli) == 2
    assert "give PORT" in capsys.readouterr().err
    (tmp_path / "bad.json").write_text('{"format": 7}')
    assert command(cli, "--replay", tmp_path / "bad.json") == 2
    assert "its format is 7" in capsys.readouterr().err


# What depends on what, and what is left ----------------------------------------------------------


def test_what_is_needed_is_a_step_before():
    seen: set[str] = set()
    left: set[str] = set()
    for step in steps.STEPS:
        assert set(step.needs) <= seen, step
        assert not step.undoes or step.undoes in left, step
        seen.add(step.form)
        left |= {step.leaves} - {""}


def trials(**wrong: str) -> dict[str, Trial]:
    """form -> what is made of it by _depend() where some have failed, or were not tested."""
    tried: dict[str, Trial] = {}
    for step in steps.STEPS:
        trial = Trial(step.form, why=wrong.get(step.form, "").removeprefix("failed"))
        if not trial.why:
            walk._depend(step, trial, tried)
        if not trial.why:
            trial.said = ["ERROR" if step.form in wrong else "OK"]
        tried[step.form] = trial
    return tried


def above(form: str) -> set[str]:
    """All that a form needs, however far away, in its own group."""
    needs = {name for step in steps.STEPS if step.form == form for name in step.needs}
    return needs.union(*(above(name) for name in needs))


@pytest.mark.parametrize("failed", sorted({n for step in steps.STEPS for n in step.needs}))
def test_what_needs_a_step_that_failed_is_not_tried(failed, monkeypatch):
    monkeypatch.setattr(walk, "_has_failed", lambda trial: "ERROR" in trial.said)
    for trial in trials(**{failed: "failed"}).values():
        if trial.form == "MQTT_HANG_UP" and failed == "MQTT_CALL":
            continue  # it is tried twice, and the second one needs another
        assert bool(trial.needs) is (failed in above(trial.form)), trial
        if trial.needs:
            assert judge.judge(trial, forms()[trial.form]).what == "not tried"


def test_a_step_of_a_group_that_was_not_asked_for_stops_nothing(monkeypatch):
    monkeypatch.setattr(walk, "_has_failed", lambda trial: "ERROR" in trial.said)
    found = trials(ATTACH="group network was not asked for", IP_OPEN="not given: tcp_host")
    assert not found["IP_CALL"].needs
    assert found["IP_SEND"].needs == "IP_OPEN" and "tcp_host" in found["IP_SEND"].why


def test_at_80_columns_all_that_differs_is_there(module, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    link = module("--fault", "error:+COPS", "--fault", "error:+LSMQTTCALL")
    assert command(cli, link, "--yes", "--only", "network", "--only", "mqtt",
                   "--mqtt", "127.0.0.1:9", "--apn", "internet") == 1  # fmt: skip
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    text = " ".join(out.split())
    assert "OPERATOR differs" in text and "sent AT+COPS?" in text
    assert "expected +COPS: number, number, text, number, 0 or OK got" in text
    assert "MQTT_OPEN not tried" in text and "needs MQTT_CALL, which failed" in text
    assert "needs MQTT_OPEN, which was not tried" in text
    assert "What differs: OPERATOR, OPERATOR_ANY, MQTT_CALL, MQTT_CALL_APN" in text
    end = text.partition("The module was left so:")[2]
    assert "PDP context: closed" in end and "PSM: off" in end
    assert "put back as it was found:" in end and "echo" in end
    assert "left so: the probe's MQTT user" in end


def test_how_the_module_is_left_is_said_and_recorded(module, tmp_path, capsys):
    record = tmp_path / "record.json"
    says = "off: its power key starts it again"
    assert command(cli, module(), "--yes", "--only", "power", "--out", record) == 0
    assert says in capsys.readouterr().out.partition("The module was left so:")[2]
    assert command(cli, "--replay", record) == 0
    assert says in capsys.readouterr().out.partition("The module was left so:")[2]


def test_what_it_leaves_without_being_allowed_to_is_in_its_help():
    undone = {step.undoes for step in steps.STEPS}
    left = [
        step.leaves
        for step in steps.STEPS
        if step.risk == steps.SAFE and step.leaves not in undone
    ]
    said = " ".join((cli.__doc__ or "").split())
    assert {text for text in left if text and text not in said} == set()
    assert "leaves a setting" not in said
