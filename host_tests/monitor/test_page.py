"""The page in a real headless browser, fed by a real broker."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from host_tests.monitor.conftest import LIMIT_S, ROOT
from host_tests.monitor.test_model import pack
from host_tests.peers import dead_port
from tools.broker import Address, mosquitto

XSS = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end, "it does not appear"
        time.sleep(0.1)


def text(browser: webdriver.Chrome, selector: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, selector).text


def test_a_node_appears_and_changes_without_a_reload(browser, url, publish):
    browser.get(url)
    until(lambda: "connected" in text(browser, "#state"))
    assert text(browser, "#nowhere") == "No node has told its position."
    publish("nodes/field-17/telemetry", pack(
        {"n": "seq", "v": 1}, {"n": "battery", "u": "V", "v": 3.61},
        {"n": "signal", "u": "dBm", "v": -71}, node="field-17"))  # fmt: skip
    until(lambda: "field-17" in text(browser, "#nodes tbody"))
    row = text(browser, "#nodes tbody")
    assert "3.61 V" in row
    assert "-71 dBm" in row
    browser.execute_script("window.mark = 1")
    publish("nodes/field-17/telemetry", pack(
        {"n": "seq", "v": 3}, {"n": "battery", "u": "V", "v": 3.59},
        {"n": "event", "vs": "radio"}, {"n": "lat", "v": 31.2304}, {"n": "lon", "v": 121.4737},
        node="field-17", at=1_799_999_950))  # fmt: skip
    until(lambda: "3.59 V" in text(browser, "#nodes tbody"))
    assert "event: radio" in text(browser, "#events")
    assert browser.execute_script("return window.mark") == 1
    assert len(browser.find_elements(By.CSS_SELECTOR, "#map circle")) == 1
    assert "field-17" in text(browser, "#map")
    assert "121.47" in text(browser, "#map")
    assert not browser.find_element(By.CSS_SELECTOR, "#nowhere").is_displayed()


def test_two_positions_lie_as_they_do_on_the_ground(browser, url, publish):
    for node, lat, lon in (("north-east", 31.25, 121.50), ("south-west", 31.20, 121.45)):
        publish(f"nodes/{node}/telemetry",
                pack({"n": "lat", "v": lat}, {"n": "lon", "v": lon}, node=node))  # fmt: skip
    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "#map circle")) >= 3)
    places = browser.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('#map circle')].map("
        "c => [c.nextSibling.textContent, [+c.getAttribute('cx'), +c.getAttribute('cy')]]))"
    )
    (x1, y1), (x2, y2) = places["north-east"], places["south-west"]
    assert x1 > x2
    assert y1 < y2
    for x, y in places.values():
        assert 0 < x < 600
        assert 0 < y < 400
    # A degree of longitude is shorter than one of latitude by the cosine of the latitude.
    assert (x1 - x2) / (y2 - y1) == pytest.approx(0.855, abs=0.01)
    assert "km" in text(browser, "#map")


def test_what_a_node_says_stays_text(browser, url, publish):
    node = "<b>evil<" + "b>"
    publish(f"nodes/{XSS.replace('/', '')}/telemetry", pack({"n": "event", "vs": XSS}, node=node))
    publish("nodes/evil/telemetry", pack(
        {"n": "event", "vs": XSS}, {"n": "battery", "u": XSS, "vs": XSS},
        {"n": "lat", "v": 31.2}, {"n": "lon", "v": 121.5}, node="evil"))  # fmt: skip
    publish("nodes/evil/results", XSS.encode())
    until(lambda: XSS in text(browser, "#events"))
    assert browser.title == "C1100 nodes"
    assert browser.find_elements(By.CSS_SELECTOR, "img, td b, main script") == []


def test_the_page_needs_nothing_else_and_is_served_to_this_machine_only(browser, url):
    loaded = browser.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    assert loaded
    assert all(name.startswith(url) for name in loaded)
    errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [e for e in errors if "favicon" not in e["message"]] == []
    port = int(url.rstrip("/").rpartition(":")[2])
    with socket.socket() as outside:
        outside.settimeout(1)
        address = next((a for a in _own_addresses() if not a.startswith("127.")), None)
        if address:
            with pytest.raises(OSError):
                outside.connect((address, port))


def _own_addresses() -> list[str]:
    return [
        str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    ]


def test_a_broker_that_goes_is_said():
    from tools.monitor.feed import Feed
    from tools.monitor.model import Fleet

    with Feed(Fleet(), Address("127.0.0.1", dead_port())) as feed:
        assert feed.snapshot()["state"] in ("connecting", "connection lost, trying again")


def test_a_broker_that_cannot_be_reached_or_refuses_is_said_within_seconds(monkeypatch):
    def ask(broker: object, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tools", "monitor", "--broker", str(broker), *options],
            cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip

    for options in ((), ("--no-terminal", "--web", str(dead_port()))):
        dead = Address("127.0.0.1", dead_port())
        done = ask(dead, *options)
        assert done.returncode == 1
        assert done.stderr == f"monitor: no MQTT broker at {dead}: Connection refused\n"
        monkeypatch.setenv("MQTT_PASSWORD", "wrong")
        with mosquitto({"joe": "right"}) as broker:
            done = ask(broker, "--user", "joe", *options)
        assert done.returncode == 1
        assert f"the broker at {broker} refused user joe: " in done.stderr
        assert "wrong" not in done.stderr


def test_a_port_that_is_taken_is_one_line(broker):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "tools", "monitor", "--broker", str(broker), "--web", port,
             "--no-terminal"],
            cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "in use" in done.stderr


def test_wrong_options_are_said():
    async def ask(*options: str) -> tuple[int, str]:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tools", "monitor", *options, cwd=ROOT,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, said = await child.communicate()
        return child.returncode or 0, said.decode()

    for option, says in (
        ("nowhere", "is not HOST:PORT"), ("mqtt://h:1", "without scheme"), ("h:0", "port 1 to"),
    ):  # fmt: skip
        code, said = asyncio.run(ask("--broker", option))
        assert (code, says in said) == (2, True), said
    code, said = asyncio.run(ask("--broker", "h:1", "--web", "99999"))
    assert (code, "'99999' is no port" in said) == (2, True)
    code, said = asyncio.run(ask("--broker", "h:1", "--no-terminal"))
    assert (code, "--web PORT" in said) == (2, True)
