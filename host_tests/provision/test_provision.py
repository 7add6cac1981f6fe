"""Settings from options, prompts, environment and tables of nodes, onto folders and boards."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tests.deploy.conftest import boards, command  # noqa: F401
from host_tests.patience import LIMIT_S
from tools.deploy import DeployError
from tools.provision import cli, wiring
from tools.provision.node import Node, Tables

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables.load()


def provision(*arguments: object) -> int:
    return command(cli, *[str(a) for a in arguments], "--no-input")


def test_options_become_files_that_only_the_owner_reads(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NODE_MQTT_PASSWORD", "open-sesame")
    monkeypatch.setenv("NODE_PIN", "00421957")
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
    assert secrets["pin"] == "00421957"
    assert secrets["mqtt"] == {"password": "open-sesame"}
    assert len(bytes.fromhex(secrets["commands"]["key"])) == 32
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    shown = "".join(capsys.readouterr())
    for secret in ("open-sesame", "00421957", secrets["commands"]["key"]):
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


def talk(folder: Path, dialogue: list[tuple[bytes, bytes]], *arguments: str) -> bytes:
    """At a real terminal: what is seen when each prompt is answered."""
    controller, terminal = os.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "tools", "provision", "--folder", str(folder), *arguments],
        cwd=ROOT, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    seen = b""
    for prompt, answer in dialogue:
        part = b""
        while prompt not in part:
            part += os.read(controller, 100)
        seen += part
        os.write(controller, answer + b"\n")
    assert child.wait(LIMIT_S) == 0
    seen += os.read(controller, 2000)
    os.close(controller)
    return seen


def test_what_is_not_given_is_asked_for(tmp_path):
    """In words, checked at once; what is typed at a secret's prompt is not echoed."""
    seen = talk(tmp_path, [
        (b"id: ", b"a/b"), (b"id: ", b"n7"), (b"apn: ", b"internet"),
        (b"mqtt.host: ", b"mqtt://h:1883"), (b"mqtt.host: ", b"b.example"),
        (b"mqtt.port [1883]: ", b"1e9"), (b"mqtt.port [1883]: ", b""), (b"mqtt.user: ", b""),
        (b"none): ", b"12"), (b"none): ", b"19574200"), (b"none): ", b"open-sesame"),
        (b"report.period_s [900]: ", b"3600"), (b"wiring [none]: ", b"arduino"),
        (b"wiring [none]: ", b"esp32"), (b"[y/N]: ", b"y"),
    ])  # fmt: skip
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["id"] == "n7"
    assert config["report"] == {"period_s": 3600}
    assert config["pins"] == {"pwrkey": 4, "wake": 5, "status": 18}
    secrets = json.loads((tmp_path / "secrets.json").read_text())
    assert secrets["pin"] == "19574200"
    assert len(secrets["commands"]["key"]) == 64
    for words in (
        b"Name of the node", b"e.g. field-17", b"without scheme, port and path", b"Seconds from",
        b"id: allowed is letters, digits", b"arduino is not one of esp32, pyboard, none",
        b"mqtt.port: allowed is a whole number from 1 to 65535", b"pin: allowed is digits",
    ):  # fmt: skip
        assert words in seen, words
    for secret in (b"19574200", b"open-sesame", secrets["commands"]["key"].encode()):
        assert secret not in seen


def test_provisioning_again_keeps_what_is_not_given_anew(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NODE_MQTT_PASSWORD", "open-sesame")
    usual = ("--folder", tmp_path, "--broker", "b.example", "--wiring", "pyboard")
    assert provision(*usual, "--id", "n1", "--keys", "--set", "report.period_s=600") == 0
    first = json.loads((tmp_path / "secrets.json").read_text())
    monkeypatch.delenv("NODE_MQTT_PASSWORD")
    capsys.readouterr()
    assert provision("--folder", tmp_path, "--set", "report.period_s=1200", "--keys") == 0
    assert json.loads((tmp_path / "secrets.json").read_text()) == first
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["id"] == "n1"
    assert config["report"]["period_s"] == 1200
    assert config["pins"]["pwrkey"] == "X5"
    said = capsys.readouterr().out
    assert "kept as it was: commands.key, id, mqtt.host, mqtt.password, mqtt.port" not in said
    assert "kept as it was: commands.key, id, mqtt.host, mqtt.password, pins.pwrkey" in said
    assert "open-sesame" not in said
    assert provision(*usual, "--id", "n1", "--fresh") == 0
    assert json.loads((tmp_path / "secrets.json").read_text()) == {}


def test_a_board_keeps_its_secrets(boards, tmp_path, monkeypatch):  # noqa: F811
    board = boards()
    monkeypatch.setenv("NODE_PIN", "00421957")
    assert provision("--port", board.tty, "--id", "n1", "--broker", "b.example", "--key") == 0
    first = json.loads((board.flash / "secrets.json").read_text())
    monkeypatch.delenv("NODE_PIN")
    assert provision("--port", board.tty, "--broker", "c.example") == 0
    assert json.loads((board.flash / "secrets.json").read_text()) == first
    assert json.loads((board.flash / "config.json").read_text()) == {
        "id": "n1", "mqtt": {"host": "c.example"},
    }  # fmt: skip


def test_what_stands_there_and_cannot_be_read_is_not_thrown_away(tmp_path, capsys):
    (tmp_path / "secrets.json").write_text('{"pin": "00421957"')
    usual = ("--folder", tmp_path, "--id", "n1", "--broker", "b.example")
    assert provision(*usual) == 1
    assert "secrets.json is not JSON" in capsys.readouterr().err
    assert (tmp_path / "secrets.json").read_text() == '{"pin": "00421957"'
    assert provision(*usual, "--fresh") == 0


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("pins.pwrkey=99", "pins.pwrkey: an esp32 has no pin 99"),
        ("pins.pwrkey=20", "pins.pwrkey: an esp32 has no pin 20"),
        ("pins.wake=7", "pins.wake: pin 7 of an esp32 belongs to its flash chip"),
        ("pins.cut=35", "pins.cut: pin 35 of an esp32 is an input only"),
        ("uart.tx=39", "uart.tx: pin 39 of an esp32 is an input only"),
        ("pins.ring=17", "pin 17 is"),
        ("pins.battery=16", "pin"),
        ("pins.battery=21", "pins.battery: pin 21 of an esp32 cannot measure a voltage"),
        ("pins.temperature=23", "pins.temperature: pin 23 of an esp32 cannot measure a voltage"),
        ("uart.id=5", "uart.id: an esp32 has no UART 5, but 0, 1, 2"),
        ("report.perid_s=5", "did you mean report.period_s?"),
        ("mqtt.hots=x", "did you mean mqtt.host?"),
        ("period_s=5", "did you mean"),
        ("host=x", "did you mean"),
        ("id=../n", "id: '../n' is not allowed"),
        ("mqtt.host=mqtt://h:1883", "mqtt.host: 'mqtt://h:1883' is not allowed"),
    ],
)
def test_what_can_never_work_is_refused(tmp_path, capsys, pair, says):
    out = tmp_path / "out"
    usual = ("--folder", out, "--id", "n1", "--broker", "b.example", "--wiring", "esp32")
    assert provision(*usual, "--set", pair) == 1
    assert says in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("pins.status=99", "pins.status: a pyboard has no pin 99"),
        ("pins.status=X99", "pins.status: a pyboard has no pin X99"),
        ("pins.cut=X5", "pin X5 is pins."),
        ("pins.cut=X1", "pins.cut: pin X1 of a pyboard belongs to UART 4"),
        ("pins.battery=Y5", "pins.battery: pin Y5 of a pyboard cannot measure a voltage"),
        ("uart.id=5", "uart.id: a pyboard has no UART 5, but 1, 2, 3, 4, 6"),
    ],
)
def test_a_pyboards_pins_have_names(tmp_path, capsys, pair, says):
    usual = ("--folder", tmp_path, "--id", "n1", "--broker", "b.example", "--wiring", "pyboard")
    assert provision(*usual, "--set", pair) == 1
    assert says in capsys.readouterr().err
    assert provision(*usual, "--set", "pins.battery=X8", "--set", "pins.cut=A8") == 0


@pytest.mark.parametrize("chip", wiring.CHIPS)
def test_every_pin_of_every_chip_is_right_for_some_keys_and_told_by_them(chip):
    known = wiring.CHIPS[chip]
    keys = [key for key in Tables.load().config if key.startswith("pins.") and "_act" not in key]
    for pin in [*known.pins, *range(60), "X5", "X99", "Y12"]:
        if not wiring._is_known(chip, pin):
            continue
        for key in keys:
            right = pin in known.pins and pin not in known.flash
            right &= key not in wiring.OUTPUTS or pin not in known.inputs
            right &= key not in wiring.ANALOGUE or pin in known.analogue
            given = {"uart.id": 1, key: pin}
            right &= pin not in known.uarts[1]
            if right:
                wiring.check(chip, given)
                continue
            with pytest.raises(DeployError, match=f"^{key}: .*{pin}"):
                wiring.check(chip, given)


@pytest.mark.parametrize("chip", ["", *wiring.CHIPS])
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("named", [(), ("uart.tx",), ("uart.rx",), ("uart.tx", "uart.rx")])
def test_pins_of_a_uart_that_nobody_has_named(chip, number, named):
    """Of UART 1 of an ESP32 they are those of its flash chip; elsewhere the port's are free."""
    given = {"uart.id": number, "uart.tx": -1, "uart.rx": -1}
    given |= {key: wiring.WIRINGS["esp32"].settings[key] for key in named}
    if chip in wiring.CHIPS and number not in wiring.CHIPS[chip].uarts:
        right = f"has no UART {number}"
    elif chip == "esp32" and number == 1 and len(named) < 2:
        right = "belongs to its flash chip: name it"
    elif chip == "esp32c3" and named:  # whose flash chip is there
        right = "belongs to its flash chip"
    else:
        wiring.check_whole(chip, given)
        return
    with pytest.raises(DeployError, match=right):
        wiring.check_whole(chip, given)


@pytest.mark.parametrize(
    ("machine", "chip"),
    [
        ("Generic ESP32 module with ESP32", "esp32"),
        ("Generic ESP32S3 module with Octal-SPIRAM with ESP32S3", "esp32s3"),
        ("ESP32-C3 board", "esp32c3"),
        ("PYBv1.1 with STM32F405RG", ""),
    ],
)
def test_a_board_says_which_chip_it_has(machine, chip):
    assert wiring.chip_of(machine) == chip


def test_the_wirings_are_those_of_the_readme(tables):
    text = (ROOT / "README.md").read_text()
    rows = [
        line.split("|") for line in text[text.index("## Wiring") :].splitlines() if "| `" in line
    ]
    keys = {row[5].strip(" `"): (row[3], row[4]) for row in rows[:6]}
    for name, column in (("esp32", 0), ("pyboard", 1)):
        for key, pin in wiring.WIRINGS[name].settings.items():
            if key == "uart.id":
                continue
            assert str(pin) in keys[key][column].replace("GPIO ", "").split(), key
        wiring.check("esp32" if name == "esp32" else "", wiring.WIRINGS[name].settings)


@pytest.mark.parametrize(
    "data",
    [
        "id;mqtt.host\nä;h\n".replace("ä", "a").encode(),
        "id\tmqtt.host\r\na\th\r\n".encode("utf-8-sig"),
        "id,mqtt.host\r\n\r\na,h\r\n".encode("utf-16"),
        b"\xfe\xff" + "id;mqtt.host\na;h\n".encode("utf-16-be"),
        b' id , mqtt.host \n"a" , h \n',
    ],
)
def test_tables_as_spreadsheets_write_them(tmp_path, data):
    path = tmp_path / "nodes.csv"
    path.write_bytes(data)
    assert provision("--batch", path, "--folder", tmp_path / "out") == 0
    assert json.loads((tmp_path / "out" / "a" / "config.json").read_text())["mqtt"]["host"] == "h"


def test_a_batch_that_is_run_again_gives_the_same_keys(tmp_path):
    out = tmp_path / "out"
    table = batch(tmp_path, "id,mqtt.host\na,h\nb,h\n")
    assert provision("--batch", table, "--keys", "--folder", out) == 0
    first = (out / "keys.csv").read_text()
    table = batch(tmp_path, "id,mqtt.host\nb,h\na,h\nc,h\n")
    assert provision("--batch", table, "--keys", "--folder", out) == 0
    assert (out / "keys.csv").read_text().startswith(first)
    for node in "ab":
        assert json.loads((out / node / "secrets.json").read_text())["commands"]["key"] in first
    table = batch(tmp_path, "id,mqtt.host\nc,h\n")
    assert provision("--batch", table, "--folder", out) == 0  # no --keys: what it has, it keeps
    assert json.loads((out / "c" / "secrets.json").read_text())["commands"]["key"]
    assert (out / "keys.csv").read_text().startswith(first)


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
        ("id,mqtt.host\n../n,h\n", "line 2: config.json: id: '../n' is not allowed"),
        ("id,mqtt.host\na,h,x\n", "line 2: more columns"),
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
