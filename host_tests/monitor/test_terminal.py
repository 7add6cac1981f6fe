"""What somebody at the terminal sees."""

import asyncio

from textual.widgets import DataTable, RichLog

from host_tests.monitor.test_model import NOW, pack
from tools.monitor.model import Fleet
from tools.monitor.terminal import Monitor, ago


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
            await pilot.press("q")
        assert app.return_code == 0

    asyncio.run(life())


def test_spans_have_the_unit_that_fits():
    assert [ago(s) for s in (-3, 5, 119, 120, 7199, 7200, 200_000)] == [
        "0 s", "5 s", "119 s", "2 min", "120 min", "2 h", "2 d",
    ]  # fmt: skip
