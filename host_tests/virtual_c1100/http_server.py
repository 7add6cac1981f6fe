"""A real HTTP server (aiohttp) on loopback in a thread of its own; it keeps what it was asked."""

import asyncio
import threading
from dataclasses import dataclass

from aiohttp import web

from host_tests.patience import LIMIT_S

PAGE = b'{"a":1}\r\nOK\r\n0\r\r\n\r\n'


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class HttpServer:
    """`/...` a page, `/bytes/N` N bytes, `/status/N`, `/redirect/N` N times, `/slow`, POST: ok.

    `/echo` answers with the body.
    """

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.address = ("127.0.0.1", 0)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append(Seen(request.method, request.path_qs, dict(request.headers), body))
        kind, _, value = request.path[1:].partition("/")
        if kind == "bytes":
            return web.Response(body=bytes(n % 256 for n in range(int(value))))
        if kind == "status":
            return web.Response(status=int(value), body=f"status {value}".encode())
        if kind == "redirect":
            left = int(value) - 1
            raise web.HTTPFound(f"/redirect/{left}" if left else "/index.html")
        if kind == "slow":
            await asyncio.sleep(3600)
        if kind == "chunked":
            stream = web.StreamResponse()
            stream.enable_chunked_encoding()
            await stream.prepare(request)
            for part in (b"one ", b"two ", b"three"):
                await stream.write(part)
            return stream
        if kind == "echo":
            return web.Response(body=body)
        return web.Response(body=b"ok" if request.method == "POST" else PAGE)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        self.address = site._server.sockets[0].getsockname()[:2]
        self._stop = asyncio.Event()
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    def __enter__(self) -> "HttpServer":
        self._thread.start()
        assert self._ready.wait(LIMIT_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(LIMIT_S)
