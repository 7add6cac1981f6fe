"""The view as a web page: one page, its state as JSON, and news as server-sent events."""

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

PAGE = Path(__file__).parent / "page"
LOOK_S = 0.3
OVERDUE_S = 5.0  # what changes by itself is seen that late
DAY_S = 86400.0
# Nothing but this page's own files, and no script or style that stands in the page itself.
POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def application(
    snapshot: Callable[[], dict[str, Any]],
    history: Callable[[str, float], dict[str, Any]],
    mark: Callable[[], object],
) -> web.Application:
    """snapshot -- called for the present state, see model.Fleet.snapshot
    history -- called for a node's values over time, see feed.Feed.history
    mark -- called for what differs when there is news: to look costs less than a snapshot
    """

    async def state(_request: web.Request) -> web.Response:
        return web.json_response(snapshot(), headers=HEADERS)

    async def news(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers=HEADERS | {"Content-Type": "text/event-stream"})
        with contextlib.suppress(ConnectionResetError):  # the page was closed: nobody listens
            await stream.prepare(request)
            await tell(stream)
        return stream

    async def tell(stream: web.StreamResponse) -> None:
        last, seen, looked = "", None, 0.0
        while True:
            present, now = mark(), time.monotonic()
            if last and present == seen and now - looked < OVERDUE_S:
                await asyncio.sleep(LOOK_S)
                continue
            seen, looked = present, now
            found = snapshot()
            text = json.dumps({key: value for key, value in found.items() if key != "now"})
            if text != last:
                last = text
                await stream.write(f"data: {json.dumps(found)}\n\n".encode())
            await asyncio.sleep(LOOK_S)

    async def past(request: web.Request) -> web.Response:
        try:
            days = float(request.query.get("days", "7"))
        except ValueError:
            days = math.nan
        if not days > 0:
            raise web.HTTPBadRequest(text="days is a number above 0", headers=HEADERS)
        node = request.query.get("node", "")
        found = await asyncio.to_thread(history, node, days * DAY_S)
        return web.json_response(found, headers=HEADERS)

    async def page(request: web.Request) -> web.FileResponse:
        name = request.match_info.get("name") or "index.html"
        if name not in {path.name for path in PAGE.iterdir()}:
            raise web.HTTPNotFound
        return web.FileResponse(PAGE / name, headers=HEADERS)

    app = web.Application()
    app.router.add_get("/state", state)
    app.router.add_get("/news", news)
    app.router.add_get("/history", past)
    app.router.add_get("/", page)
    app.router.add_get("/{name}", page)
    return app


async def serve(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Begin to serve. Raises OSError when the port is taken."""
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
