"""Settings from options, prompts, environment and tables of nodes, onto folders and boards."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tests.deploy.conftest import boards, command  # noqa: F401
from tools.deploy import DeployError
from tools.provision import cli
from tools.provision.node import Node, Tables

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables.load()


def provision(*arguments: object) -> int:
    return command(cli, *[str(a) for a in arguments], "--no-input")


def test_options_become_files_that_only_the_owner_reads(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NODE_MQTT_PASSWORD", "open-sesame")
    monkeypatch.setenv("NODE_PIN", "0042")
    done = provision(
        "--folder", tmp_path, "--id", "n1", "--apn", "internet", "--broker", "b.example:1884",
        "--user", "joe", "--set", "report.period_s=3600", "--set", "pins.pwrkey=X5",
        "--set", "pins.wake=5", "--key",
    )  # fmt: skip
    assert done == 0
    assert json.loads((tmp_path / "config.json").read_text()) == {
        "id": "n1",
        "apn": "internet",
        "mqtt": {"host": "b.example", "port": 1884, "user": "joe"},
        "report": {"period_s": 3600},
        "pins": {"pwrkey": "X5", "wake": 5},
    }
    secrets = json.loads((tmp_path / "secrets.json").read_text())
    assert secrets["pin"] == "0042"
    assert secrets["mqtt"] == {"password": "open-sesame"}
    assert len(bytes.fromhex(secrets["commands"]["key"])) == 32
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    shown = "".join(capsys.readouterr())
    for secret in ("open-sesame", "0042", secrets["commands"]["key"]):
        assert secret not in shown


def test_secrets_come_from_a_file_and_never_from_the_command_line(tmp_path, capsys):
    given = tmp_path / "given.json"
    given.write_text('{"mqtt": {"password": "open-sesame"}}')
    usual = ("--folder", tmp_path / "n", "--id", "n", "--broker", "b.example")
    assert provision(*usual, "--secrets", given) == 0
    assert "open-sesame" in (tmp_path / "n" / "secrets.json").read_text()
    assert provision(*usual, "--set", "mqtt.password=open-sesame") == 1
    said = capsys.readouterr().err
    assert "$NODE_MQTT_PASSWORD" in said
    assert "open-sesame" not in said
    given.write_text('{"mqtt": {"password": "a"}, "mqtt": {"password": "b"}}')
    assert provision(*usual, "--secrets", given) == 1
    assert '"mqtt" is there twice' in capsys.readouterr().err
    given.write_text('{"id": "x"}')
    assert provision(*usual, "--secrets", given) == 1
    assert "id is no secret" in capsys.readouterr().err


def test_every_setting_is_checked_by_the_firmwares_table(tables, tmp_path, capsys):
    tried = 0
    for key, default in tables.config.items():
        if isinstance(default, int | float) and not key.startswith("pins."):
            bad = "-99999999999"
        elif key.startswith(("pins.", "uart.")):
            bad = "-7"
        else:
            bad = "two words"
        node = Node(tables, {"id": "n", "mqtt.host": "h"})
        node.put(key, bad)
        with pytest.raises(DeployError, match=key.replace(".", r"\.")):
            node.files()
        tried += 1
    assert tried > 40
    assert provision("--folder", tmp_path, "--id", "n", "--set", "colour=red") == 1
    assert "there is no setting colour" in capsys.readouterr().err
    assert not (tmp_path / "config.json").exists()


def test_what_is_not_given_is_asked_for(tmp_path):
    """At a real terminal: what is typed at a secret's prompt is not echoed."""
    controller, terminal = os.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "tools", "provision", "--folder", str(tmp_path)],
        cwd=ROOT, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    seen = b""
    answers = [b"n7", b"internet", b"b.example", b"", b"", b"1234", b"open-sesame"]
    prompts = [b"id: ", b"apn: ", b"mqtt.host: ", b"]: ", b"mqtt.user: ", b"none): ", b"none): "]
    for prompt, answer in zip(prompts, answers, strict=True):
        part = b""
        while prompt not in part:
            part += os.read(controller, 100)
        seen += part
        os.write(controller, answer + b"\n")
    assert child.wait(20) == 0
    seen += os.read(controller, 1000)
    os.close(controller)
    assert json.loads((tmp_path / "config.json").read_text())["id"] == "n7"
    assert json.loads((tmp_path / "secrets.json").read_text())["pin"] == "1234"
    assert b"1234" not in seen
    assert b"open-sesame" not in seen


def batch(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "nodes.csv"
    path.write_text(text)
    return path


def test_a_batch_gives_each_node_its_own_key(tmp_path, capsys):
    table = batch(tmp_path, "id,mqtt.host,report.period_s\na,h,600\nb,h,\nc,h,900\n")
    out = tmp_path / "out"
    assert provision("--batch", table, "--keys", "--folder", out) == 0
    entries = json.loads((out / "manifest.json").read_text())
    assert [entry["id"] for entry in entries] == ["a", "b", "c"]
    with (out / "keys.csv").open() as file:
        keys = {row["id"]: row["key"] for row in csv.DictReader(file)}
    assert len(set(keys.values())) == 3
    assert (out / "keys.csv").stat().st_mode & 0o777 == 0o600
    for node in "abc":
        written = json.loads((out / node / "secrets.json").read_text())
        assert written["commands"]["key"] == keys[node]
    everything = (out / "manifest.json").read_text() + "".join(capsys.readouterr())
    assert not any(key in everything for key in keys.values())
    assert len({entry["key"] for entry in entries}) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,mqtt.host\na,h\na,h\n", "2 nodes are called a"),
        ("id,mqtt.host,sleep.module\na,h,psm\nb,h,never\n", "line 3: config.json: sleep.module"),
        ("id,mqtt.host\n", "has no nodes"),
        ("id,mqtt.host,colour\na,h,red\n", "line 2: there is no setting colour"),
    ],
)
def test_a_batch_is_right_as_a_whole_or_not_begun(tmp_path, capsys, text, says):
    out = tmp_path / "out"
    assert provision("--batch", batch(tmp_path, text), "--folder", out) == 1
    assert says in capsys.readouterr().err
    assert not out.exists()


def test_onto_a_board_with_mpremote(boards, tmp_path):  # noqa: F811
    board = boards()
    assert provision("--port", board.tty, "--id", "n1", "--broker", "b.example") == 0
    assert json.loads((board.flash / "config.json").read_text())["id"] == "n1"
    assert board.files() == {"config.json", "secrets.json"}


def test_without_a_place_or_a_board_it_says_so(capsys):
    assert provision("--id", "n") == 1
    assert "--port PORT, --folder DIR" in capsys.readouterr().err
    assert (
        provision("--port", "/dev/no-such-port", "--wait", "0", "--id", "n", "--broker", "h") == 1
    )
    assert "there is no such port" in capsys.readouterr().err
