"""The manual's exchanges, byte for byte: every chapter in ATV0 and ATV1, with echo on and off."""

import pytest

from host_tests import manual
from host_tests.virtual_c1100.http_server import HttpServer
from host_tests.virtual_c1100.rig import Rig, profile_with
from host_tests.virtual_c1100.servers import TcpServer
from tools.broker import Address

MQTT_SERVER = ("183.230.40.39", 6002)  # printed in 3.6.1
TCP_SERVER = ("223.47.251.33", 60000)  # printed in 3.3.1.1
WEB_SERVER = ("www.example.com", 80)
ANSWER_LIMIT_S = 60.0
FORMS = {
    "ATV0, echo off": (False, False),
    "ATV0, echo on": (False, True),
    "ATV1, echo off": (True, False),
    "ATV1, echo on": (True, True),
}


def run(
    rig: Rig,
    exchange: manual.Exchange,
    verbose: bool,
    echo: bool,
    servers: dict[str, TcpServer],
) -> None:
    """Send what the DTE sends and compare every byte that comes back."""
    if exchange.after:
        run(rig, manual.load(exchange.after), verbose, echo, servers)
    for step in exchange.steps:
        if step.kind == manual.SENT:
            data = step.data.replace(b"ATV0", b"ATV1") if verbose else step.data
            rig.module.receive(data)
            if echo:
                expect(rig, manual.echoed(data))
        elif step.kind == manual.PEER:
            act(rig, servers, step.data.decode())
        elif step.kind == manual.DATA_MODE:
            expect(rig, step.data)
            return
        elif step.kind == manual.BODY:
            expect(rig, step.data)
        else:
            expect(rig, manual.framed(step.data, verbose))
    rig.wait(2)
    assert rig.take() == b""


def act(rig: Rig, servers: dict[str, TcpServer], what: str) -> None:
    """What the network peer of a connection does or has seen."""
    number, action, *data = what.split()
    server = servers[number]
    if action == "send":
        server.send(bytes.fromhex(data[0]))
        rig.hear()
    else:
        assert action == "expect", what
        server.expect(bytes.fromhex(data[0]))


def expect(rig: Rig, wanted: bytes) -> None:
    end = rig.now + ANSWER_LIMIT_S
    while len(rig.received) < len(wanted) and rig.now < end:
        rig.wait(0.01)
    got = bytes(rig.received[: len(wanted)])
    assert got == wanted, f"{bytes(rig.received)!r} came"
    del rig.received[: len(wanted)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("chapter", [c for c in manual.chapters() if not c.startswith("3.6")])
def test_exchange_of_the_manual(chapter: str, form: str) -> None:
    verbose, echo = FORMS[form]
    exchange = manual.load(chapter)
    with TcpServer() as server, HttpServer() as web:
        routes = {TCP_SERVER: server.address, WEB_SERVER: web.address}
        profile = profile_with(exchange.profile, routes=routes)
        rig = Rig(profile, form=f"V{verbose:d}E{echo:d}")
        run(rig, exchange, verbose, echo, {"1": server})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("chapter", [c for c in manual.chapters() if c.startswith("3.6")])
def test_mqtt_exchange_of_the_manual(chapter: str, form: str, broker: Address) -> None:
    verbose, echo = FORMS[form]
    exchange = manual.load(chapter)
    profile = profile_with(exchange.profile, routes={MQTT_SERVER: tuple(broker)})
    rig = Rig(profile, form=f"V{verbose:d}E{echo:d}")
    run(rig, exchange, verbose, echo, {})


def test_default_after_power_on_is_atv1_with_echo() -> None:
    rig = Rig()
    assert rig.ask(b"AT\r") == b"AT\r\r\nOK\r\n"


def test_transcripts_exist_for_the_chapters_of_start_up_and_mqtt() -> None:
    wanted = {"3.1", "3.2.1", "3.2.2", "3.6.1", "3.6.2", "3.6.3", "3.6.4", "3.6.5"}
    assert wanted <= set(manual.chapters())
    assert all(manual.load(chapter).steps for chapter in manual.chapters())


def test_mistake_in_a_transcript_names_its_line(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(manual, "FOLDER", tmp_path)
    text = "chapter: 9.9\ntitle: x\nsource: M\n\n> AT\\r\n? 0\\r\n"
    (tmp_path / "9.9.txt").write_text(text)
    with pytest.raises(ValueError, match=r"9\.9\.txt:6"):
        manual.load("9.9")
