"""The view in the terminal (textual)."""

import time
from collections.abc import Callable
from typing import Any

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Footer, Header, RichLog, Static

from tools.power.wording import count

COLUMNS = ("node", "heard", "battery", "temperature", "signal", "backlog", "missing", "recovery")
REFRESH_S = 0.5
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def ago(seconds: float) -> str:
    """A span in the unit that fits."""
    for least, factor, unit in ((172800, 86400, "d"), (7200, 3600, "h"), (120, 60, "min")):
        if seconds >= least:
            return f"{seconds / factor:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


def when(at: float, now: float) -> str:
    """A moment in local time, with the year when it is not this one."""
    moment = time.localtime(at)
    year = "" if moment.tm_year == time.localtime(now).tm_year else f" {moment.tm_year}"
    day = f"{moment.tm_mday} {MONTHS[moment.tm_mon - 1]}{year}"
    return f"{day} {moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02}"


def zone(now: float) -> str:
    """By how much local time is ahead of UTC, such as UTC+01:00."""
    minutes = time.localtime(now).tm_gmtoff // 60
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def measured(node: dict[str, Any]) -> Text:
    """All that a node has measured."""
    found = Text.assemble((node["id"], "bold"))
    for name, value in node["values"].items():
        found.append("   ")
        found.append(f"{name} ", style="dim")
        found.append(f"{value['value']} {value['unit']}".strip())
    if node["unshown"]:
        found.append(f"   and {node['unshown']} more, too many to show")
    if node["unheard"]:
        found.append(f"   {count(node['unheard'], 'record')} while nobody listened")
    return found


def cells(node: dict[str, Any], now: float) -> list[Text]:
    """A node's line in the table."""
    bad = "bold red" if node["overdue"] else ""
    heard = f"{ago(now - node['heard'])} ago" if node["heard"] else "never"
    found = [Text(node["id"], style=bad), Text(heard, style=bad)]
    for name in COLUMNS[2:6]:
        value = node["values"].get(name)
        found.append(Text(f"{value['value']} {value['unit']}".strip() if value else "-"))
    lost = node["missing"]
    found.append(Text(str(lost), style="red" if lost else ""))
    found.append(Text(str(node["recoveries"]), style="yellow" if node["recoveries"] else ""))
    return found


class Monitor(App[None]):
    """snapshot -- called for the present state, see model.Fleet.snapshot"""

    CSS = """
    DataTable { height: 2fr; }
    VerticalScroll { height: auto; max-height: 8; border-top: solid $primary; }
    RichLog { height: 1fr; border-top: solid $primary; }
    """
    BINDINGS = [Binding("q", "quit", "Quit")]  # noqa: RUF012
    TITLE = "C1100 nodes"

    def __init__(self, snapshot: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self._snapshot = snapshot
        self._told: list[tuple[float, str, str]] = []

    def compose(self) -> ComposeResult:
        yield Header()
        yield DataTable(cursor_type="row", zebra_stripes=True)
        values = VerticalScroll(Static(id="values"), can_focus=True)
        values.border_title = "Values"
        yield values
        events = RichLog(max_lines=500, wrap=True)
        events.border_title = "Events"
        yield events
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for column in COLUMNS:
            table.add_column(column, key=column)
        now = self._snapshot()["now"]
        self.query_one(RichLog).write(Text(f"Times are local, {zone(now)}.", style="dim"))
        self.set_interval(REFRESH_S, self.show)
        self.show()

    def on_data_table_row_highlighted(self, _event: DataTable.RowHighlighted) -> None:
        """Another node is chosen."""
        self.show()

    def show(self) -> None:
        """Bring table and log up to date."""
        state = self._snapshot()
        problem = state.get("store", "")
        self.sub_title = f"{state['broker']}: {state['state']}{problem and f'; {problem}'}"
        table = self.query_one(DataTable)
        for node in state["nodes"]:
            line = cells(node, state["now"])
            if node["id"] in table.rows:
                for column, cell in zip(COLUMNS, line, strict=True):
                    table.update_cell(node["id"], column, cell, update_width=True)
            else:
                table.add_row(*line, key=node["id"])
                table.sort("node", key=str)
        at = table.cursor_coordinate
        key = table.coordinate_to_cell_key(at).row_key.value if table.row_count else None
        chosen = [node for node in state["nodes"] if node["id"] == key]
        self.query_one("#values", Static).update(measured(chosen[0]) if chosen else "")
        events = [(e["at"], e["node"], e["text"]) for e in state["events"]]
        log = self.query_one(RichLog)
        for event in state["events"]:
            at, node_id, text = event["at"], event["node"], event["text"]
            if (at, node_id, text) not in self._told:
                line = Text(f"{when(at, state['now'])}  {node_id}  {text}")
                log.write(line.append(f"  {event['words']}", style="dim"))
        self._told = events
