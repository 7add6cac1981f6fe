"""The pages as they look: on a phone and in the dark, names on the map, plots of values."""

import asyncio
import itertools
import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from host_tests.monitor.test_model import pack
from host_tests.monitor.test_page import until
from host_tests.patience import LIMIT_S
from host_tests.power.test_report import days, made
from tools.broker import Address
from tools.monitor import web
from tools.monitor.feed import Feed
from tools.monitor.model import Fleet
from tools.power import report

# The widest thing that sticks out of the page, and by how much.
OVERFLOW = """
const wide = document.documentElement.clientWidth;
const boxed = (e) => { for (e = e.parentElement; e; e = e.parentElement)
  if (["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX)) return true;
  return false; };
const out = [...document.querySelectorAll("body *")].filter((e) => !boxed(e)
  && e.getBoundingClientRect().right > wide + 1).map((e) => e.tagName + "." + e.className);
return [document.documentElement.scrollWidth - wide, out];
"""
# Contrast of text against what is behind it (WCAG 2.1), the least of the page.
CONTRAST = """
const light = (rgb) => { const [r, g, b] = rgb.map((c) => (c /= 255) <= .03928 ? c / 12.92
  : ((c + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
const colour = (text) => text.match(/[\\d.]+/g).map(Number);
const behind = (e) => { for (; e; e = e.parentElement) {
  const c = colour(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
  return [255, 255, 255]; };
let least = 99;
for (const e of document.querySelectorAll("body *")) {
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
  if (e.closest("svg") || ["SCRIPT", "STYLE", "OPTION"].includes(e.tagName)) continue;
  const both = [light(colour(getComputedStyle(e).color)), light(behind(e))];
  least = Math.min(least, (Math.max(...both) + .05) / (Math.min(...both) + .05));
}
return least;
"""
# Boxes of the map's names, its points, and its size, in its own units.
MAP = """
const svg = document.querySelector("#map");
const box = (e) => { const b = e.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; };
return { size: svg.viewBox.baseVal.width + " " + svg.viewBox.baseVal.height,
  names: Object.fromEntries([...svg.querySelectorAll("text.label")].map((e) => [e.textContent, box(e)])),
  texts: [...svg.querySelectorAll("text:not(.label)")].map(box),
  points: [...svg.querySelectorAll("circle:not(.grid)")].map((e) =>
    [+e.getAttribute("cx"), +e.getAttribute("cy")]),
  none: document.querySelector("#unlabelled").textContent };
"""  # noqa: E501


def look(browser: webdriver.Chrome, width: int, scheme: str = "light") -> None:
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme}]})  # fmt: skip
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})  # fmt: skip


@pytest.fixture
def screen(browser: webdriver.Chrome) -> Iterator[Callable[..., None]]:
    yield lambda width, scheme="light": look(browser, width, scheme)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


class Page:
    """The page of a fleet, without a broker."""

    def __init__(self) -> None:
        self.feed = Feed(Fleet(), Address("b.example", 1883))
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        app = web.application(self.feed.snapshot, self.feed.history, self.feed.mark)
        serving = web.serve(app, "127.0.0.1", 0)
        self.runner = asyncio.run_coroutine_threadsafe(serving, self.loop).result(LIMIT_S)
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}/"

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(LIMIT_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(LIMIT_S)
        self.loop.close()

    async def _end(self) -> None:
        await self.runner.cleanup()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def begin(self, browser: webdriver.Chrome) -> None:
        """Forget the nodes."""
        self.feed.fleet = Fleet()
        browser.get(self.url)
        until(lambda: "b.example" in browser.find_element(By.ID, "state").text)

    def say(self, node: str, *fields: dict, at: float | None = None) -> None:
        at = time.time() if at is None else at
        topic = f"nodes/{node}/telemetry"
        with self.feed.lock:
            self.feed.fleet.message(topic, pack(*fields, node=node, at=int(at)), at)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web, "LOOK_S", 0.05)
        served = Page()
        yield served
        served.close()


def test_a_page_that_is_closed_is_no_failure(page, caplog):
    """Tabs come and go while nodes report: nobody wants a traceback of each."""
    before = len(asyncio.all_tasks(page.loop))
    address = ("127.0.0.1", int(page.url.rstrip("/").rpartition(":")[2]))
    for seq in range(3):
        with socket.create_connection(address, LIMIT_S) as tab:
            tab.sendall(b"GET /news HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in tab.recv(100)
        page.say("closed", {"n": "seq", "v": seq})
        page.say("closed", {"n": "battery", "u": "V", "v": 3.0 + seq})

    value, end = 0, time.monotonic() + LIMIT_S
    while len(asyncio.all_tasks(page.loop)) > before:
        assert time.monotonic() < end, "a closed page is still told"
        page.say("closed", {"n": "value", "v": (value := value + 1)})
        time.sleep(0.06)
    assert not caplog.records


def test_a_phone_and_the_dark(browser, screen, page):
    page.begin(browser)
    page.say("plain", {"n": "battery", "u": "V", "v": 3.6}, {"n": "soil", "u": "%RH", "v": 41})
    page.say("x" * 200, *({"n": f"sensor-{n}", "u": "Cel", "v": n} for n in range(500)))
    page.say("odd", {"n": "n" * 300, "u": "u" * 300, "vs": "W" * 300},
             {"n": "battery", "vs": "W" * 300}, {"n": "event", "vs": "E" * 300},
             {"n": "reset", "vs": "watchdog"},
             {"n": "lat", "v": 31.2}, {"n": "lon", "v": 121.5})  # fmt: skip
    page.feed._problem = "/" + "p" * 300 + " is damaged"
    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "#nodes button")) == 3)
    for button in browser.find_elements(By.CSS_SELECTOR, "#nodes button"):
        button.click()
        assert button.get_attribute("aria-expanded") == "true"
    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "figure")) > 500)
    for width, scheme in itertools.product((320, 400, 800, 1200), ("light", "dark")):
        screen(width, scheme)
        assert browser.execute_script(OVERFLOW) == [0, []], width
        assert browser.execute_script(CONTRAST) > 4.5, scheme
    screen(400)
    cell = browser.find_element(By.CSS_SELECTOR, "#nodes td[data-label=battery]")
    before = "return getComputedStyle(arguments[0], '::before').content"
    assert browser.execute_script(before, cell) == '"battery"'
    drawn = "return document.querySelector('#map').viewBox.baseVal.width"
    until(lambda: browser.execute_script(drawn) < 400)  # again, as the page has been told its size
    page.feed._problem = ""


def test_every_measurement_is_on_the_page_with_its_unit(browser, screen, page):
    page.begin(browser)
    page.say("n1", {"n": "soil", "u": "%RH", "v": 41.5}, {"n": "water", "u": "m3", "v": 3},
             {"n": "lid", "vb": True}, {"n": "mine", "u": "furlong", "v": 2},
             {"n": "nan", "v": math.nan}, {"n": "big", "v": 10**400}, {"n": "__proto__", "v": 5},
             {"n": "<i>x</i>", "vs": "<b>y</b>"}, {"n": "raw", "vd": "aGVsbG8"})  # fmt: skip
    values = "#nodes .values"
    until(lambda: browser.find_elements(By.CSS_SELECTOR, values + " li"))
    said = browser.execute_script(
        "return [...document.querySelectorAll('#nodes .values li')].map("
        "(item) => [...item.children].map((part) => part.textContent).join(' '))"
    )
    assert said == [
        "soil 41.5 % RH", "water 3 m³", "lid true", "mine 2 furlong", "nan not a number",
        "big about 1e400", "__proto__ 5", "<i>x</i> <b>y</b>", "raw 5 bytes: 68 65 6c 6c 6f",
    ]  # fmt: skip
    item = browser.find_element(By.CSS_SELECTOR, values + " li")
    assert item.get_attribute("title") == "per cent of relative humidity"


def test_what_a_value_was_is_a_plot_with_its_gaps(browser, screen, page):
    screen(1200)
    page.begin(browser)
    now = time.time()
    for n in (1, 2, 3, 6, 7, 9):
        page.say("n1", {"n": "seq", "v": n}, {"n": "x", "u": "V", "v": n}, {"n": "same", "v": 5},
                 {"n": "text", "vs": "t"}, at=now - 1000 + n * 60)  # fmt: skip
    page.say("n1", {"n": "once", "v": 3}, {"n": "wide", "v": 1e308}, at=now - 60)
    page.say("n1", {"n": "wide", "v": -1e308}, at=now - 30)
    until(lambda: browser.find_elements(By.CSS_SELECTOR, "#nodes button"))
    browser.find_element(By.CSS_SELECTOR, "#nodes button").click()
    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "figure")) == 5)

    def cards() -> dict[str, dict]:
        return browser.execute_script(
            "return Object.fromEntries([...document.querySelectorAll('figure')].map((f) => ["
            "f.querySelector('.name').textContent, {text: f.innerText, "
            "paths: [...f.querySelectorAll('path')].map((p) => p.getAttribute('d')), "
            "said: f.querySelector('svg')?.getAttribute('aria-label') ?? ''}]))"
        )

    found = cards()
    assert len(found["x"]["paths"]) == 3  # 1 to 3, 6 and 7, 9
    assert "least 1, most 9, last 9 V" in found["x"]["text"]
    assert "6 values, 2 gaps: " in found["x"]["said"]
    assert {y for path in found["same"]["paths"] for _, y in _points(path)} == {24.0}
    assert _points(found["once"]["paths"][0]) == [(120.0, 24.0)] * 2
    assert [y for _, y in _points(found["wide"]["paths"][0])] == [4.0, 44.0]
    assert "not a number" in found["text"]["text"]
    assert not any("NaN" in path or "Inf" in path for c in found.values() for path in c["paths"])
    page.say("n1", {"n": "once", "v": 4}, at=now)
    until(lambda: "last 4" in cards()["once"]["text"])  # it goes on by itself
    button = browser.find_element(By.CSS_SELECTOR, "#nodes button")
    assert browser.execute_script("return document.activeElement === arguments[0]", button)
    button.send_keys("\ue007")  # Enter: the keyboard does it, too
    until(lambda: not browser.find_elements(By.CSS_SELECTOR, "figure"))
    assert button.get_attribute("aria-expanded") == "false"


def _points(path: str) -> list[tuple[float, float]]:
    return [
        (float(x), float(y)) for x, y in (pair.split(",") for pair in path.lstrip("M").split("L"))
    ]


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/St_Johns"])
def test_events_have_their_date_and_the_offset_is_said_once(browser, page, zone):
    offset = {"Asia/Kathmandu": "UTC+05:45"}.get(zone, "UTC-0")
    browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": zone})
    page.begin(browser)
    now = time.time()
    page.say("n1", {"n": "reset", "vs": "watchdog"}, at=now - 800 * 86400)
    page.say("n1", {"n": "event", "vs": "radio"}, at=now)
    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "#events li")) == 2)
    latest, old = (e.text for e in browser.find_elements(By.CSS_SELECTOR, "#events time"))
    assert latest.count(" ") == 2, latest  # day, month, time
    assert old.split()[2].startswith("20"), old
    said = browser.find_element(By.CSS_SELECTOR, "main").text
    assert said.count("UTC") == 1
    assert offset in said
    assert "the watchdog ended a wake that hung" in browser.find_element(By.ID, "events").text
    browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})


def ring(count: int, lat: float, lon: float, apart: float) -> list[tuple[float, float]]:
    """Places around one, so many degrees away."""
    return [
        (lat + apart * math.sin(2 * math.pi * n / count),
         (lon + apart * math.cos(2 * math.pi * n / count) + 180) % 360 - 180)
        for n in range(count)
    ]  # fmt: skip


PLACES = {
    "one": [(31.2, 121.5)],
    "two at one place": [(31.2, 121.5)] * 2,
    "five at one place": [(31.2, 121.5)] * 5,
    "thirty at one place": [(31.2, 121.5)] * 30,
    "thirty within a metre": ring(30, 31.2, 121.5, 1e-5),
    "thirty at one place, one far away": [*[(31.2, 121.5)] * 30, (48.1, 11.6)],
    "two groups": [*[(31.2, 121.5)] * 9, *ring(9, 31.201, 121.5, 1e-6)],
    "in a row": [(31.2, 121.5 + n / 1000) for n in range(30)],
    "below each other": [(31.2 + n / 1000, 121.5) for n in range(30)],
    "at the antimeridian": [(-17, 179.99), (-17, -179.99), (-17.01, 180), (-17, -180)],
    "around the north pole": [(89.9, lon) for lon in (0, 90, 180, -90)],
    "at a pole": [(90, 0), (90, 77), (90, -180)],
    "at the south pole": [(-90, 0), (-89.99, 10), (-89.99, 170)],
    "both poles": [(90, 0), (-90, 0)],
    "everywhere": [(lat, lon) for lat in (-60, 0, 60) for lon in (-180, -90, 0, 90, 180)],
    "at nowhere": [(0, 0), (0, 0)],
}


@pytest.mark.parametrize(("width", "which"), [(400, slice(None)), (1200, slice(2, 7))])
def test_names_on_the_map_do_not_overlap(browser, screen, page, width, which):
    screen(width)
    page.begin(browser)
    for what, places in list(PLACES.items())[which]:
        page.feed.fleet = Fleet()
        until(lambda: not browser.find_elements(By.CSS_SELECTOR, "#map circle"))
        for n, (lat, lon) in enumerate(places):
            page.say(f"node-{n}", {"n": "lat", "v": lat}, {"n": "lon", "v": lon})
        found: dict = {}

        def drawn(count: int = len(places), found: dict = found) -> bool:
            found |= browser.execute_script(MAP)
            return len(found["points"]) == count

        until(drawn)
        assert len(found["names"]) == len(places), (what, found["none"])
        wide, high = map(float, found["size"].split())
        for name, (a, b, c, d) in found["names"].items():
            assert a >= 0 and b >= 0 and c <= wide and d <= high, (what, name)
        texts = [*found["names"].values(), *found["texts"]]
        for one, other in itertools.combinations(texts, 2):
            assert not _overlap(one, other), (what, one, other)
        for x, y in found["points"]:
            assert 0 < x < wide and 0 < y < high, what
        if what == "at the antimeridian":
            assert max(x for x, _ in found["points"]) - min(x for x, _ in found["points"]) < wide
            assert found["points"][0][0] < found["points"][2][0] < found["points"][1][0]
        if what == "around the north pole":  # a square: as they lie on the ground
            (ax, ay), (bx, by), (cx, cy), _ = found["points"]
            assert math.dist((ax, ay), (bx, by)) == pytest.approx(
                math.dist((bx, by), (cx, cy)), 0.01
            )


def _overlap(one: list[float], other: list[float]) -> bool:
    """Of two texts by more than the empty edge of their boxes."""
    a, b, c, d = one
    e, f, g, h = other
    return min(c, g) - max(a, e) > 1 and min(d, h) - max(b, f) > 2


def test_names_that_have_no_room_are_counted(browser, screen, page):
    screen(400)
    page.begin(browser)
    for n in range(400):
        page.say(f"a-name-that-is-long-{n}", {"n": "lat", "v": 1}, {"n": "lon", "v": 1})
    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "#map circle:not(.grid)")) == 400)
    found = browser.execute_script(MAP)
    assert found["none"].startswith(f"{400 - len(found['names'])} names have no room")
    for one, other in itertools.combinations(found["names"].values(), 2):
        assert not _overlap(one, other)


@pytest.mark.parametrize("run", [made, lambda: days(3)], ids=["short", "long"])
def test_a_power_report_on_a_phone_and_in_the_dark(browser, screen, tmp_path: Path, run):
    _, path = report.write(run(), tmp_path, "power")
    browser.get(path.as_uri())
    for width, scheme in itertools.product((320, 400, 1200), ("light", "dark")):
        screen(width, scheme)
        assert browser.execute_script(OVERFLOW) == [0, []], width
        assert browser.execute_script(CONTRAST) > 4.5, scheme
    assert json.dumps(browser.title)
