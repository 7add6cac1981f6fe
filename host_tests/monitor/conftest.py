"""One broker, one monitor with its page and one browser for all tests of the monitor."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from selenium import webdriver

from host_tests.patience import LIMIT_S
from host_tests.peers import any_broker
from tools import installed
from tools.broker import Address, free_port

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


@pytest.fixture(scope="session")
def url(broker: Address) -> Iterator[str]:
    port = free_port()
    child = subprocess.Popen(
        [sys.executable, "-m", "tools", "monitor", "--broker", str(broker), "--web", str(port),
         "--no-terminal"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    try:
        yield child.stdout.readline().split()[0]
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
    yield lambda topic, payload: client.publish(topic, payload, qos=1).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()
