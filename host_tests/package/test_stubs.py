"""c1100-stubs: built by the command, installed by pip, and programs checked against it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from host_tests.test_lint_and_types import BIN, ROOT
from tools.__main__ import main

RIGHT = """
import asyncio
import machine
import c1100
from c1100 import C1100, C1100Error, CmeError, blocking, timers, tls
from c1100 import socket as sockets


async def use(modem: C1100) -> float:
    registration = await modem.start(apn="CMNET")
    print(registration.stat, (await modem.signal()).rssi, (await modem.variant()).gnss)
    async with modem.pdp("CMNET") as context:
        print(context.address.split("."))
        async with await modem.tcp("tcp.example", 7) as sock:
            await sock.sendall(b"x")
            found: bytes = await sock.recv(10)
        secret = await modem.tls("tcp.example", 443, ca="ca.pem")
        secret.write(bytearray(found))
        reader, writer = await modem.open_connection("x.example", 7, ssl=tls.Context("ca.pem"))
        writer.write(await reader.readexactly(3))
    mqtt = modem.mqtt("node", "mqtt.example", keepalive=60)
    await mqtt.publish("a", b"b", qos=1)
    message = mqtt.check_msg()
    if message is not None:
        print(message.topic.upper())
    reply = await modem.http.get("http://x.example/")
    print(reply.status_code + 1, reply.text.upper())
    try:
        await modem.gnss.start()
    except CmeError as error:
        print(error.code)
    except (C1100Error, tls.CertificateRefused):
        pass
    granted = await modem.power.psm(tau_s=3600, active_s=10)
    print(granted)
    nic = blocking.Interface(modem, "CMNET")
    print(nic.ifconfig()[0], nic.isconnected())
    sockets.use(modem)
    s = sockets.socket()
    s.sendall(b"x")
    return timers.decode_t3412("00100001") or 0


asyncio.run(use(C1100(machine.UART(1, 115200), nap_ms=5)))
print(c1100.__version__)
"""
WRONG = """
import c1100


async def use(modem: c1100.C1100):
    sock = await modem.tcp("tcp.example", "7")  # wrong: a port is a number
    sock.write("text")  # wrong: bytes
    modem.writes(b"")  # wrong: no such call
    await modem.tls("tcp.example", 443)  # wrong: without an authority
    await modem.mqtt("node", "mqtt.example").publish(1, b"x")  # wrong: a topic is text
    (await modem.http.get("http://x.example/")).status  # wrong: status_code
    modem.gnss.start().close  # right: a coroutine
    print(modem.power.granted().tau_s)  # wrong: without await
    modem.mqtt("node", "mqtt.example").check_msg().topic  # wrong: there may be none
    raise c1100.Nothing  # wrong: no such error
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip has put the stubs that the command has built."""
    folder = tmp_path_factory.mktemp("stubs")
    assert main(["stubs", "--out", str(folder)]) == 0
    wheel = next(folder.glob("c1100_stubs-*.whl"))
    target = folder / "typings"
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target"]
    subprocess.run([*command, target, "--disable-pip-version-check", wheel], check=True)
    return target


def test_a_module_of_stubs_for_each_of_the_driver(installed) -> None:
    modules = {path.stem for path in (ROOT / "lib" / "c1100").glob("*.py")}
    assert {path.stem for path in (installed / "c1100-stubs").glob("*.pyi")} == modules


def test_a_checker_takes_what_is_right_and_names_what_is_wrong(installed, tmp_path) -> None:
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text(WRONG)
    board = str(ROOT / "build" / "typings" / "esp32")
    settings = {
        "include": [str(tmp_path), str(installed / "c1100-stubs")],
        "extraPaths": [str(installed)],
        "typeshedPath": board,
        "stubPath": board,
        "typeCheckingMode": "standard",
        "reportMissingModuleSource": "none",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [BIN / "basedpyright", "--outputjson", "-p", tmp_path],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    said: dict[str, set[int]] = {}
    for found in json.loads(done.stdout)["generalDiagnostics"]:
        if found["severity"] == "error":
            line = found["range"]["start"]["line"] + 1
            said.setdefault(Path(found["file"]).name, set()).add(line)
    wrong = {n for n, line in enumerate(WRONG.split("\n"), 1) if re.search("# wrong", line)}
    assert said == {"wrong.py": wrong}, done.stdout
