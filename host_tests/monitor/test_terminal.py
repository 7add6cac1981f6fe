"""What somebody at the terminal sees."""

import asyncio
import time

import pytest
from textual.widgets import DataTable, RichLog

from host_tests.monitor.test_model import NOW, pack
from tools.monitor.model import Fleet
from tools.monitor.terminal import Monitor, ago, when, zone


def test_nodes_and_events_appear_and_change():
    fleet = Fleet()
    now = NOW
    topic = "nodes/field-17/telemetry"

    def snapshot() -> dict:
        return fleet.snapshot(now) | {"broker": "b.example:1883", "state": "connected"}

    def table(app: Monitor) -> list[list[str]]:
        found = app.query_one(DataTable)
        return [[str(cell) for cell in found.get_row(key)] for key in found.rows]

    async def life() -> None:
        nonlocal now
        app = Monitor(snapshot)
        async with app.run_test(size=(110, 30)) as pilot:
            assert table(app) == []
            assert app.query_one(RichLog).border_title == "Events"
            fleet.message(topic, pack({"n": "battery", "u": "V", "v": 3.61}, node="field-17"), now)
            now += 60
            app.show()
            await pilot.pause()
            assert table(app) == [["field-17", "60 s ago", "3.61 V", "-", "-", "-", "0", "0"]]
            hostile = "[bold red]x[/] \x1b[31m"
            fleet.message(topic, pack({"n": "event", "vs": hostile}, node="field-17"), now)
            app.show()
            await pilot.pause()
            assert table(app)[0][-1] == "1"
            lines = [strip.text for strip in app.query_one(RichLog).lines]
            assert any("[bold red]x[/]" in line for line in lines)  # as text, not as a style
            assert not any("\x1b" in line for line in lines)
            assert "b.example:1883: connected" in app.sub_title
            assert lines[0].startswith("Times are local, UTC")
            assert sum("UTC" in line for line in lines) == 1
            assert any(when(now - 100 - 60, now).rsplit(":", 1)[0] in line for line in lines)
            soil = {"n": "soil <b>", "u": "%RH", "v": 41}
            fleet.message(topic, pack(soil, {"n": "lid", "vb": True}, node="field-17"), now)
            fleet.message(
                "nodes/z/telemetry", pack({"n": "water", "u": "m3", "v": 3}, node="z"), now
            )
            app.show()
            await pilot.pause()
            said = str(app.query_one("#values").render())
            assert "soil <b> 41 % RH" in said
            assert "lid true" in said
            await pilot.press("down")
            await pilot.pause()
            assert "water 3 m³" in str(app.query_one("#values").render())
            await pilot.press("q")
        assert app.return_code == 0

    asyncio.run(life())


def test_spans_have_the_unit_that_fits():
    assert [ago(s) for s in (-3, 5, 119, 120, 7199, 7200, 200_000)] == [
        "0 s", "5 s", "119 s", "2 min", "120 min", "2 h", "2 d",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "at", "says", "offset"),
    [
        ("UTC", 1_800_000_000, "15 Jan 08:00:00", "UTC+00:00"),
        ("Asia/Kathmandu", 1_800_000_000, "15 Jan 13:45:00", "UTC+05:45"),
        ("America/St_Johns", 1_800_000_000, "15 Jan 04:30:00", "UTC-03:30"),
        ("UTC", 1_700_000_000, "14 Nov 2023 22:13:20", "UTC+00:00"),
        ("Pacific/Kiritimati", 1_798_700_000, "31 Dec 2026 20:53:20", "UTC+14:00"),
        ("UTC", 0, "1 Jan 1970 00:00:00", "UTC+00:00"),
        ("UTC", 1_800_000_000 + 3600 * 24 * 360, "10 Jan 2028 08:00:00", "UTC+00:00"),
    ],
)
def test_a_moment_has_its_date_and_the_year_when_it_is_not_this_one(
    monkeypatch, place, at, says, offset
):
    with monkeypatch.context() as patch:
        patch.setenv("TZ", place)
        time.tzset()
        found = when(at, NOW), zone(NOW)
    time.tzset()
    assert found == (says, offset)
