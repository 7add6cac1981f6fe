"""One HTTP request of the module to a real server, in a thread so that the clock can go on."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from tools.virtual_c1100.peers import resolve
from tools.virtual_c1100.profile import Address

REDIRECTS = (301, 302, 303, 307, 308)
REDIRECT_LIMIT = 5  # inferred
REPLY_HEAD = 200  # bytes of status line and headers on the air (inferred)


@dataclass
class Request:
    """What is asked for."""

    method: str
    url: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Reply:
    """What came: `status` 0 when nothing that is HTTP did."""

    status: int = 0
    body: bytes = b""


class HttpRequest:
    """A peer in the sense of `VirtualC1100.peers()`; `on_reply(reply)` is called by `on_ready`.

    Redirects are followed: the DTE never sees a Location (inferred).
    timeout_s, patience_s -- real seconds: of each network operation, and for which virtual time
        waits for the server
    """

    cause = "http"
    want_read = True
    want_write = False

    def __init__(
        self,
        request: Request,
        routes: dict[Address, Address],
        on_reply: Callable[[Reply], None],
        timeout_s: float,
        patience_s: float,
    ) -> None:
        self._request = request
        self._routes = routes
        self._on_reply = on_reply
        self._timeout_s = timeout_s
        self._patient_until = time.monotonic() + patience_s
        self._reply = Reply()
        self._connection: http.client.HTTPConnection | None = None
        self._done, self._signal = socket.socketpair()
        self._cancelled = False
        threading.Thread(target=self._work, name="virtual C1100 HTTP", daemon=True).start()

    def fileno(self) -> int:
        return self._done.fileno()

    def arrived(self) -> int:
        return len(self._reply.body) + REPLY_HEAD

    @property
    def pending(self) -> bool:
        """Virtual time waits, but not for ever: some servers never answer."""
        return time.monotonic() < self._patient_until

    def on_ready(self) -> None:
        """The thread has ended."""
        if not self._cancelled:
            self.cancel()
            self._on_reply(self._reply)

    def cancel(self) -> None:
        """Nobody is interested any more."""
        self._cancelled = True
        self._done.close()
        connection = self._connection
        if connection and connection.sock:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)  # wakes the thread

    def _work(self) -> None:
        try:
            self._reply = self._follow()
        except (OSError, http.client.HTTPException, ValueError):
            self._reply = Reply()
        with contextlib.suppress(OSError):
            self._signal.send(b"x")
        self._signal.close()

    def _follow(self) -> Reply:
        request = self._request
        followed = 0
        while True:
            reply, location = self._one(request)
            if reply.status not in REDIRECTS or not location or followed == REDIRECT_LIMIT:
                return reply
            followed += 1
            method, body = request.method, request.body
            if reply.status == 303 or (reply.status in (301, 302) and method == "POST"):
                method, body = "GET", None
            request = Request(method, urljoin(request.url, location), body, request.headers)

    def _one(self, request: Request) -> tuple[Reply, str | None]:
        parts = urlsplit(request.url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError("the module speaks plain HTTP")
        address = resolve(self._routes, parts.hostname, parts.port or 80)
        if address is None:
            raise OSError("unreachable")
        self._connection = http.client.HTTPConnection(*address, timeout=self._timeout_s)
        try:
            self._connection.connect()
            if self._cancelled:  # before there was a socket that could be shut
                raise OSError("nobody is interested any more")
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"Host": parts.netloc, **request.headers}
            self._connection.request(request.method, target, request.body, headers)
            answer = self._connection.getresponse()
            return Reply(answer.status, answer.read()), answer.getheader("Location")
        finally:
            self._connection.close()
