"""HTTP (manual 3.7.1 to 3.7.4): URL, headers, content type, GET and POST."""

from collections.abc import Callable

from tools.timeline import Timer
from tools.virtual_c1100.commandline import Int, Text
from tools.virtual_c1100.commands import LATER, Call, Command, Failure, Later
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.http_request import HttpRequest, Reply, Request
from tools.virtual_c1100.network import Network

URL_LIMIT, BODY_LIMIT, HEADER_LIMIT = 512, 4096, 256  # inferred
HANDSHAKE = 120  # bytes of the TCP handshake on the air (inferred)
ESCAPE, ESCAPE_PAUSE_S = b"+++", 0.05
FROM_HEADERS = 5
CONTENT_TYPES = {
    0: "application/x-www-form-urlencoded",
    2: "application/octet-stream",
    4: "application/json",
}


class Http:
    """AT+LSHTTP...: one request at a time."""

    def __init__(self, core: Core, network: Network) -> None:
        self._core = core
        self._network = network
        self._running: HttpRequest | None = None
        self.boot()
        self.commands = (
            Command("+LSHTTPURL", "M 3.7.1", self._set_url, (Int(1, URL_LIMIT),), self._show_url),
            Command("+LSHTTPHEADERINFO", "M 3.7.2", self._set_header,
                    (Text(64, 1), Text(HEADER_LIMIT))),
            Command("+LSHTTPCFG", "M 3.7.2", self._configure, (Text(32), Int(0, 5))),
            Command("+LSHTTPGET", "M 3.7.3", run=self._get),
            Command("+LSHTTPPOST", "M 3.7.4", self._post, (Int(0, BODY_LIMIT),)),
        )  # fmt: skip

    def boot(self) -> None:
        """Settings and the running request are gone."""
        if self._running:
            self._running.cancel()
        self._running = None
        self._url = ""
        self._headers: dict[str, str] = {}
        self._content_type = 0

    def peers(self) -> list[HttpRequest]:
        """The request under way."""
        return [self._running] if self._running else []

    # Settings -------------------------------------------------------------------------------

    def _set_url(self, call: Call) -> Later:
        """Ended by its length, or by +++ when less comes (manual 3.7.1)."""

        def done(data: bytes) -> None:
            if not data.isascii() or any(byte <= 32 for byte in data):
                call.fail(Failure())
                return
            self._url = data.decode()
            call.finish()

        _Collector(self._core, call, call.args[0], True, done)
        return LATER

    def _show_url(self, call: Call) -> None:
        call.info(f'+LSHTTPURL: "{self._url}"')

    def _set_header(self, call: Call) -> None:
        name, value = call.args
        if not name.replace("-", "").isalnum() or not name.isascii():
            raise Failure
        self._headers[name] = value

    def _configure(self, call: Call) -> None:
        key, value = call.args
        if key.lower() != "contenttype" or value not in (*CONTENT_TYPES, FROM_HEADERS):
            raise Failure
        self._content_type = value

    # Requests -------------------------------------------------------------------------------

    def _get(self, call: Call) -> Later:
        self._require_url()
        return self._start(call, Request("GET", self._url, None, dict(self._headers)))

    def _post(self, call: Call) -> Later:
        self._require_url()

        def done(data: bytes) -> None:
            headers = dict(self._headers)
            if self._content_type != FROM_HEADERS:
                headers = {k: v for k, v in headers.items() if k.lower() != "content-type"}
                headers["Content-Type"] = CONTENT_TYPES[self._content_type]
            self._start(call, Request("POST", self._url, data, headers))

        if call.args[0] == 0:
            done(b"")
            return LATER
        _Collector(self._core, call, call.args[0], False, done)
        return LATER

    def _require_url(self) -> None:
        """The manual's remark at 3.7.3 and 3.7.4: the URL must be set before."""
        if not self._url or not self._network.attached or self._running:
            raise Failure

    def _start(self, call: Call, request: Request) -> Later:
        profile = self._core.profile
        limit = self._core.later(
            profile.latency.http_timeout, lambda: self._finish(call, request, Reply())
        )

        def reply(got: Reply) -> None:
            limit.cancel()
            self._finish(call, request, got)

        def go() -> None:
            self._running = HttpRequest(
                request, profile.routes, reply, profile.latency.http_timeout, profile.patience_s
            )

        head = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
        size = HANDSHAKE + len(request.url) + head + len(request.body or b"")
        self._network.uplink(size, "http", profile.latency.connect, go)
        return LATER

    def _finish(self, call: Call, request: Request, reply: Reply) -> None:
        """The three numbers, the body, the result (forms inferred, manual 3.7.3 has numbers)."""
        if self._running:
            self._running.cancel()
            self._running = None
        failed = 0 if reply.status else 1
        name = f"+LSHTTP{request.method}"
        body = self._core.said("http", reply.body)
        call.info(f"{name}: {failed},{reply.status},{len(body)}")
        if body:
            call.send(body)
        call.finish()


class _Collector:
    """Takes `length` bytes, or fewer with +++ behind them and then a pause.

    The pause lets a body hold +++ anywhere (inferred; the manual only says that +++ ends an input
    that is shorter than announced). An escape that straddles the announced length counts; one that
    ends just there counts in a URL, while of a body it is the last part (inferred).
    """

    def __init__(
        self, core: Core, call: Call, length: int, is_url: bool, done: Callable[[bytes], None]
    ) -> None:
        self._core = core
        self._call = call
        self._length = length
        self._ends = range(length - (3 if is_url else 2), length)  # where an escape may begin
        self._done = done
        self._data = bytearray()
        self._pause: Timer | None = None
        call.collect(b">", self._take)

    def _take(self, data: bytes) -> bytes | None:
        if self._pause:
            self._pause.cancel()
            self._pause = None
        self._data += data
        full = len(self._data) >= self._length
        if full and not self._may_become_escape():
            return self._finish()
        if full or self._data.endswith(ESCAPE):
            self._pause = self._core.later(ESCAPE_PAUSE_S, self._paused)
        return None

    def _may_become_escape(self) -> bool:
        tails = (bytes(self._data[end:]) for end in self._ends if end >= 0)
        return any(tail in (b"+", b"++") for tail in tails)

    def _paused(self) -> None:
        self._call.release(self._finish())

    def _finish(self) -> bytes:
        """Hand over what belongs to the input; returns the rest."""
        size, used = self._length, self._length
        if len(self._data) < self._length:
            size, used = len(self._data) - len(ESCAPE), len(self._data)
        for end in self._ends:
            if end >= 0 and self._data[end : end + len(ESCAPE)] == ESCAPE:
                size, used = end, end + len(ESCAPE)
                break
        self._done(bytes(self._data[:size]))
        return bytes(self._data[used:])
