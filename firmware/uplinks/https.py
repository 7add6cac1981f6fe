"""Uplink by HTTP POST over TLS, whose certificate is checked; otherwise as uplinks/http.py.

Ours, because the module's own stack has no way to say which certificate to trust.
"""

from micropython import const

from c1100 import BadAnswer, BadArgument, Refused

from . import joined, type_of
from .told import time_in
from .trust import trusted

_BATCH_BYTES = const(2048)
_READ_BYTES = const(512)  # of an answer's body
_LINE_BYTES = const(512)
_LINES = const(64)
_ANSWER_S = const(60)
_SCHEME = "https://"
_HEAD = (
    "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nX-Node: %s\r\n"
    "Content-Type: %s\r\n%sContent-Length: %d\r\n\r\n"
)


class Uplink:
    """settings -- as config.load() returns them; modem -- a started C1100"""

    batch_bytes = _BATCH_BYTES

    def __init__(self, settings: dict, modem) -> None:
        url = settings["http.url"]
        if not url.startswith(_SCHEME):
            raise BadArgument("http.url: the uplink https needs one that begins with https://")
        self._host, _, path = url[len(_SCHEME) :].partition("/")
        self._path = "/" + path
        self._id = settings["id"]
        token = settings["http.token"]
        self._login = "Authorization: Bearer %s\r\n" % token if token else ""
        self._modem = modem
        self._tls = trusted(settings)
        self._apn = settings["apn"]
        self._answer = b""

    async def send(self, batch: list) -> int:
        """Post a batch. Raises C1100Error, also when the server answers with another status."""
        self._answer = b""
        async with self._modem.pdp(self._apn):
            code = await self._post(joined(batch))
        if not 200 <= code < 300:
            from . import status

            raise status.error(code)
        return batch[-1][0]

    async def _post(self, body: bytes) -> int:
        from c1100.tls import LIMIT_S, connect

        host, _, port = self._host.partition(":")
        sock = await connect(self._modem, self._tls, host, int(port or 443), None, LIMIT_S, 4096)
        async with sock:
            head = _HEAD % (
                self._path,
                self._host,
                self._id,
                type_of(body),
                self._login,
                len(body),
            )
            await sock.sendall(head.encode() + body)
            return await self._read(sock)

    async def _read(self, sock) -> int:
        """The status of the answer. What is wrong with its body does not count."""
        rest = b""
        code = None
        for _ in range(_LINES):
            while b"\n" not in rest:
                piece = await sock.recv(_LINE_BYTES, _ANSWER_S)
                if not piece:
                    raise Refused("no answer from the server: it ends the connection")
                rest += piece
                if len(rest) > 4 * _LINE_BYTES:
                    raise BadAnswer("the server's answer is no HTTP")
            line, _, rest = rest.partition(b"\n")
            line = line.strip()
            if code is None:
                words = line.split()
                if len(words) < 2 or words[0][:5] != b"HTTP/" or not words[1].isdigit():
                    raise BadAnswer("the server's answer is no HTTP")
                code = int(words[1])
            elif not line:
                if 100 <= code < 200:
                    code = None  # the final answer follows
                    continue
                break
        while len(rest) <= _READ_BYTES:
            piece = await sock.recv(_LINE_BYTES, _ANSWER_S)
            if not piece:
                break
            rest += piece
        self._answer = rest
        return code or 0

    @property
    def time(self):
        """What the last answer told."""
        if not self._answer or len(self._answer) > _READ_BYTES:
            return None
        return time_in(self._answer)

    async def close(self) -> None:
        """There is no session."""
