"""One broker, one monitor with its page and one browser for all tests of the monitor."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from selenium import webdriver

from host_tests.patience import LIMIT_S, until
from host_tests.peers import any_broker
from tools import installed
from tools.broker import Address

ROOT = Path(__file__).resolve().parents[2]
PEER = "a browser"
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1200,1000",
)  # fmt: skip


@pytest.fixture(scope="session")
def broker() -> Iterator[Address]:
    with any_broker() as address:
        yield address


def listens(child: "subprocess.Popen[str]") -> str:
    """The page of a monitor that has begun, once the broker has its subscription."""
    assert child.stdout is not None
    url = child.stdout.readline().split()[0]
    until(lambda: asked(url + "state")["state"] == "connected")
    return url


def asked(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:
        return json.load(answer)


@pytest.fixture(scope="session")
def url(broker: Address) -> Iterator[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tools", "monitor", "--broker", str(broker), "--web", "0",
         "--no-terminal"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield listens(child)
    finally:
        child.terminate()
        assert child.wait(LIMIT_S) == 0


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = installed.find(PEER, "chromium")
    for flag in (*QUIET, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(
        options, webdriver.ChromeService(installed.find(PEER, "chromedriver"))
    )
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def publish(broker: Address) -> Iterator[Callable[[str, bytes], None]]:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect(broker.host, broker.port)
    client.loop_start()

    def told(topic: str, payload: bytes) -> None:
        message = client.publish(topic, payload, qos=1)
        message.wait_for_publish(LIMIT_S)
        assert message.is_published()

    yield told
    client.disconnect()
    client.loop_stop()
