"""The view in the terminal (textual)."""

import time
from collections.abc import Callable
from typing import Any

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import DataTable, Footer, Header, RichLog

COLUMNS = ("node", "heard", "battery", "temperature", "signal", "backlog", "missing", "recovery")
REFRESH_S = 0.5


def ago(seconds: float) -> str:
    """A span in the unit that fits."""
    for least, factor, unit in ((172800, 86400, "d"), (7200, 3600, "h"), (120, 60, "min")):
        if seconds >= least:
            return f"{seconds / factor:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


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

    CSS = "DataTable { height: 2fr; } RichLog { height: 1fr; border-top: solid $primary; }"
    BINDINGS = [Binding("q", "quit", "Quit")]  # noqa: RUF012
    TITLE = "C1100 nodes"

    def __init__(self, snapshot: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self._snapshot = snapshot
        self._told: list[tuple[float, str, str]] = []

    def compose(self) -> ComposeResult:
        yield Header()
        yield DataTable(cursor_type="row", zebra_stripes=True)
        yield RichLog(max_lines=500, wrap=True)
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for column in COLUMNS:
            table.add_column(column, key=column)
        self.set_interval(REFRESH_S, self.show)
        self.show()

    def show(self) -> None:
        """Bring table and log up to date."""
        state = self._snapshot()
        self.sub_title = f"{state['broker']}: {state['state']}"
        table = self.query_one(DataTable)
        for node in state["nodes"]:
            line = cells(node, state["now"])
            if node["id"] in table.rows:
                for column, cell in zip(COLUMNS, line, strict=True):
                    table.update_cell(node["id"], column, cell, update_width=True)
            else:
                table.add_row(*line, key=node["id"])
                table.sort("node", key=str)
        events = [(e["at"], e["node"], e["text"]) for e in state["events"]]
        log = self.query_one(RichLog)
        for at, node_id, text in events:
            if (at, node_id, text) not in self._told:
                clock = time.strftime("%H:%M:%S", time.localtime(at))
                log.write(Text(f"{clock}  {node_id}  {text}"))
        self._told = events
