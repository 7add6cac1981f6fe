"""A missing peer fails in CI, and elsewhere is replaced only where another one is as good."""

import shutil
import socket

import pytest

from host_tests.patience import LIMIT_S
from host_tests.peers import any_broker, dead_port
from tools import broker
from tools.broker import NotInstalled


@pytest.fixture
def without_mosquitto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)


def test_a_missing_mosquitto_fails_in_ci(without_mosquitto, monkeypatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(NotInstalled, match="apt-get install mosquitto"), any_broker():
        pass


def test_elsewhere_the_embedded_broker_stands_in_and_says_so(
    without_mosquitto, monkeypatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.warns(UserWarning, match="embedded broker"), any_broker() as address:
        socket.create_connection(address, LIMIT_S).close()


def test_a_port_that_is_taken_again_costs_mosquitto_another_try(monkeypatch) -> None:
    with socket.socket() as somebody:
        somebody.bind((broker.HOST, 0))
        ports = iter((somebody.getsockname()[1], broker.free_port()))
        monkeypatch.setattr(broker, "free_port", lambda: next(ports))
        with broker.mosquitto() as address:
            assert address.port != somebody.getsockname()[1]
            socket.create_connection(address, LIMIT_S).close()


def test_a_free_port_is_for_who_asks_for_it_by_its_number() -> None:
    """Nobody who takes any port gets it before our server has begun."""
    port = broker.free_port()
    with socket.socket() as anybody, pytest.raises(OSError, match="in use"):
        anybody.bind((broker.HOST, port))
    with socket.create_server((broker.HOST, port)):
        socket.create_connection((broker.HOST, port), LIMIT_S).close()


def test_at_a_dead_port_nobody_can_listen() -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((broker.HOST, dead_port()), LIMIT_S)
    with pytest.raises(OSError, match="in use"):
        socket.create_server((broker.HOST, dead_port()))
