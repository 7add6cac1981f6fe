"""A LwM2M server on aiocoap in a thread of its own: registration interface and requests."""

import asyncio
import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiocoap
from aiocoap import defaults, resource

from host_tests.patience import LIMIT_S

# CoAP over UDP alone: by TCP the port's number may be somebody else's.
TRANSPORTS = [
    name for name in defaults.get_default_servertransports() if name.startswith(("udp", "simple"))
]

PORTS = 3  # that are tried


def free_udp_port() -> int:
    """A UDP port of the loopback interface that nobody uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Registration:
    """One client as it has registered."""

    endpoint: str
    lifetime_s: int
    links: str
    base: str  # coap://host:port
    timer: asyncio.TimerHandle


class _Directory(resource.Resource, resource.PathCapable):
    """/rd: register, update, deregister, and the end of the lifetime."""

    def __init__(self, told: Callable[[str], None]) -> None:
        super().__init__()
        self.clients: dict[str, Registration] = {}
        self._told = told

    async def render(self, request: aiocoap.Message) -> aiocoap.Message:
        path = request.opt.uri_path
        query = dict(item.partition("=")[::2] for item in request.opt.uri_query)
        if request.code == aiocoap.POST and not path:
            number = secrets.token_hex(3)
            self._keep(number, query["ep"], int(query["lt"]), request)
            self._told("register")
            return aiocoap.Message(code=aiocoap.CREATED, location_path=("rd", number))
        if len(path) != 1 or path[0] not in self.clients:
            return aiocoap.Message(code=aiocoap.NOT_FOUND)
        old = self.clients[path[0]]
        if request.code == aiocoap.POST:
            lifetime = int(query.get("lt", old.lifetime_s))
            old.timer.cancel()
            self._keep(path[0], old.endpoint, lifetime, request, old.links)
            self._told("update")
            return aiocoap.Message(code=aiocoap.CHANGED)
        self.drop(path[0], "deregister")
        return aiocoap.Message(code=aiocoap.DELETED)

    def _keep(
        self, number: str, endpoint: str, lifetime: int, request: aiocoap.Message, links: str = ""
    ) -> None:
        timer = asyncio.get_running_loop().call_later(lifetime, self.drop, number, "expired")
        links = request.payload.decode() or links
        base = request.remote.uri
        self.clients[number] = Registration(endpoint, lifetime, links, base, timer)

    def drop(self, number: str, why: str) -> None:
        self.clients.pop(number).timer.cancel()
        self._told(why)


class _Root(resource.Resource):
    """aiocoap does not give /rd itself to a PathCapable at /rd."""

    def __init__(self, directory: _Directory) -> None:
        super().__init__()
        self._directory = directory

    async def render(self, request: aiocoap.Message) -> aiocoap.Message:
        return await self._directory.render(request)


class Lwm2mServer:
    """`events`: register, update, deregister, expired, in order. `notified`: observed values.

    port -- 0: a free one; `address` has it as soon as the context has begun
    """

    def __init__(self, port: int = 0) -> None:
        self.address = ("127.0.0.1", port)
        self.events: list[str] = []
        self.notified: list[bytes] = []
        self._directory = _Directory(self.events.append)
        self._loop = asyncio.new_event_loop()
        self._observer: asyncio.Task[None] | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def client(self) -> Registration:
        """The only client that is registered."""
        (client,) = self._directory.clients.values()
        return client

    def forget(self) -> None:
        """Lose all registrations, as after a restart."""

        async def forget() -> None:
            for number in list(self._directory.clients):
                self._directory.drop(number, "forgotten")

        self._call(forget())

    def request(self, code: aiocoap.Code, path: str, payload: bytes = b"") -> "Future":
        """Send a request to the client; the answer is the future's result."""
        message = aiocoap.Message(code=code, uri=self.client.base + path, payload=payload)
        return self._submit(self._answer(message))

    def observe(self, path: str) -> "Future":
        """Observe a resource; the first value is the future's result, later ones `notified`."""
        message = aiocoap.Message(code=aiocoap.GET, uri=self.client.base + path, observe=0)
        return self._submit(self._observe(message))

    def wait_for(self, event: str, count: int = 1) -> None:
        """Until `event` has happened so often."""
        end = time.monotonic() + LIMIT_S
        while self.events.count(event) < count:
            assert time.monotonic() < end, f"no {event}, only {self.events}"
            time.sleep(0.01)

    async def _answer(self, message: aiocoap.Message) -> aiocoap.Message:
        return await asyncio.wait_for(self._context.request(message).response, LIMIT_S)

    async def _observe(self, message: aiocoap.Message) -> aiocoap.Message:
        running = self._context.request(message)
        first = await asyncio.wait_for(running.response, LIMIT_S)
        self._observer = asyncio.create_task(self._keep_observing(running))
        return first

    async def _keep_observing(self, running: Any) -> None:
        with contextlib.suppress(aiocoap.error.Error):  # how aiocoap ends an observation
            async for message in running.observation:
                self.notified.append(message.payload)

    def _submit(self, work: Coroutine[Any, Any, aiocoap.Message]) -> "Future":
        return Future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        site = resource.Site()
        site.add_resource(["rd"], self._directory)
        site.add_resource(["rd"], _Root(self._directory))
        self._context = await self._bound(site)
        self._stop = asyncio.Event()
        self._ready.set()
        await self._stop.wait()
        if self._observer:
            self._observer.cancel()
        await self._context.shutdown()

    async def _bound(self, site: resource.Site) -> aiocoap.Context:
        """A port that was free may be somebody else's by now: then another one."""
        host, port = self.address
        for left in reversed(range(PORTS)):
            self.address = (host, port or free_udp_port())
            try:
                return await aiocoap.Context.create_server_context(
                    site, bind=self.address, transports=TRANSPORTS
                )
            except OSError:
                if port or not left:
                    raise
        raise AssertionError("the last try returns or raises")

    def __enter__(self) -> "Lwm2mServer":
        self._thread.start()
        assert self._ready.wait(LIMIT_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(LIMIT_S)


class Future:
    """The answer to a request; `done` and `result` are called from the test's thread."""

    def __init__(self, future: Any) -> None:
        self._future = future

    def done(self) -> bool:
        return self._future.done()

    def result(self) -> aiocoap.Message:
        return self._future.result(0)
