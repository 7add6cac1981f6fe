"""A missing peer fails in CI, and elsewhere is replaced only where another one is as good."""

import shutil
import socket

import pytest

from host_tests.peers import any_broker
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
        socket.create_connection(address, 5).close()


def test_a_port_that_is_taken_again_costs_mosquitto_another_try(monkeypatch) -> None:
    with socket.socket() as somebody:
        somebody.bind((broker.HOST, 0))
        ports = iter((somebody.getsockname()[1], broker.free_port()))
        monkeypatch.setattr(broker, "free_port", lambda: next(ports))
        with broker.mosquitto() as address:
            assert address.port != somebody.getsockname()[1]
            socket.create_connection(address, 5).close()
