"""HTTP on the module's own stack (manual 3.7), named as requests names it.

The manual's figures are lost: the forms are inferred (dialect.py). The module keeps the headers
that were set until it restarts, so one client uses the same headers throughout.
"""

import asyncio
import time

from micropython import const

from . import at, dialect
from .http_answer import Answer, Response

_HINTS = const(0)  # for those who check types: a board compiles none of it
if _HINTS:
    from collections.abc import Callable

_FORM = const(0)
_OCTETS = const(2)
_JSON = const(4)
_OTHER = const(5)
_TYPES = {
    "application/x-www-form-urlencoded": _FORM,
    "application/octet-stream": _OCTETS,
    "application/json": _JSON,
}
_URL_LIMIT = const(512)
_BODY_LIMIT = const(4096)
_MORE_MS = const(300)  # until no more comes of a body that is strange
_MARKS = "!#$%&'*+-.^_`|~"  # besides letters and digits in the name of a header (RFC 9110 5.6.2)


def http(modem) -> "Http":
    """modem.http, made once."""
    modem.http = made = Http(modem._channel)
    return made


class Http:
    """modem.http"""

    def __init__(self, channel) -> None:
        self._channel = channel
        self._busy = asyncio.Lock()  # the module has one URL

    async def get(
        self,
        url: str | None = None,
        headers: dict | None = None,
        limit: int = 8192,
        sink: "Callable[[memoryview], object] | None" = None,
    ) -> Response:
        """GET a URL (manual 3.7.3).

        url   -- None for the one that is set
        limit -- bytes of the longest body that is kept
        sink  -- called with each piece of the body instead of keeping it; a piece is valid until
                 the call returns

        Returns a Response, whatever the status. Raises BadArgument before anything is sent,
        Refused when no answer came from the server, CommandError, Overflow, PayloadError,
        BadAnswer, Timeout. An error about the body of an answer has its status as ``status``.
        """
        _check(url, headers)
        async with self._busy:
            await self._prepare(url, headers)
            return await self._request(dialect.HTTP_GET, (), None, limit, sink)

    async def post(
        self,
        url: str | None = None,
        data: bytes | bytearray | memoryview | str | None = None,
        json: object = None,
        headers: dict | None = None,
        limit: int = 8192,
        sink: "Callable[[memoryview], object] | None" = None,
    ) -> Response:
        """POST bytes, text or an object as JSON (manual 3.7.4); otherwise like get().

        data -- str or bytes; without a Content-Type among the headers it is sent as octets
        """
        _check(url, headers)
        kind = "application/octet-stream"
        if json is not None:
            data = _dumped(json)
            kind = "application/json"
        body = _bytes(data)
        for name, value in (headers or {}).items():
            if name.lower() == "content-type":
                kind = value
        async with self._busy:
            await self._prepare(url, headers)
            await self.set_content_type(kind)
            return await self._request(dialect.HTTP_POST, (len(body),), body, limit, sink)

    async def _prepare(self, url: str | None, headers: dict | None) -> None:
        if url is not None:
            await self.set_url(url)
        await self.set_headers(headers)

    async def set_url(self, url: str, length: int | None = None) -> None:
        """Set the URL of the requests that follow (manual 3.7.1).

        length -- to announce; a URL that is shorter is ended by +++
        """
        _check_url(url)
        data = url.encode()
        if length is None:
            length = len(data)
        at.render(dialect.HTTP_URL.send, (length,))
        if length < len(data):  # what is left of it would be taken for a command
            raise at.BadArgument("the URL has %d characters" % len(data), dialect.HTTP_URL.send)
        if length > len(data):
            data += b"+++"
        await self._channel.run(dialect.HTTP_URL, length, data=data)

    async def set_headers(self, headers: dict | None) -> None:
        """Set headers for the requests that follow (manual 3.7.2)."""
        _check_headers(headers)
        for name, value in (headers or {}).items():
            await self._channel.run(dialect.HTTP_HEADER, name, value)

    async def set_content_type(self, kind: str) -> None:
        """Set the content type of the POSTs that follow (manual 3.7.2).

        kind -- a media type; one that the module has no number for must be among the headers
        """
        if not isinstance(kind, str) or "/" not in kind:
            raise at.BadArgument("a content type is text with a /", dialect.HTTP_TYPE.send)
        at.check_line(kind)
        await self._channel.run(dialect.HTTP_TYPE, _TYPES.get(kind.lower(), _OTHER))

    async def _request(self, form, args: tuple, data, limit: int, sink) -> Response:
        channel = self._channel
        answer = Answer(channel, form, limit, sink)
        nobody = channel.payloads.get(form.answer)
        channel.payloads[form.answer] = answer
        channel.last_unknown = ""
        begin = time.ticks_ms()
        coded = True
        try:
            try:
                # An empty body has no prompt to wait for.
                await channel.run(form, *args, data=data)
            except at.Timeout:
                if not answer.ended.is_set():
                    raise
                coded = False
            if not answer.ended.is_set():
                answer.look_back()
            if not answer.ended.is_set():  # the result code came first
                left = form.wait * 1000 - time.ticks_diff(time.ticks_ms(), begin)
                await asyncio.wait_for_ms(answer.ended.wait(), max(left, 0))
            if answer.strange:
                await asyncio.sleep_ms(_MORE_MS)
        except asyncio.TimeoutError:
            raise at.BadAnswer("a result code and no answer", form.send)
        finally:
            channel.payloads[form.answer] = nobody
            channel.abandon(answer)
        return answer.response(coded, data)


# What can be sent -------------------------------------------------------------------------------


def _check(url: str | None, headers: dict | None) -> None:
    """Look at all values before the first byte is sent. Raises BadArgument."""
    if url is not None:
        _check_url(url)
    _check_headers(headers)


def _check_url(url: str) -> None:
    problem = None
    if not isinstance(url, str):
        problem = "is text"
    elif not url.startswith("http://") and not url.startswith("https://"):
        problem = "begins with http:// or https://"
    elif len(url) > _URL_LIMIT or "+++" in url:
        problem = "has at most %d characters, and no +++" % _URL_LIMIT
    elif not all("!" <= c <= "~" for c in url):
        problem = "has no blanks and nothing beyond ASCII"
    elif not _is_host(url[url.find("//") + 2 :]):
        problem = "has a host behind http://, and perhaps a port from 1 to 65535"
    if problem is not None:
        raise at.BadArgument("a URL " + problem, dialect.HTTP_URL.send)


def _is_host(rest: str) -> bool:
    """Whether what follows the scheme begins with a host, and a port that can be."""
    for mark in "/?#":
        rest = rest.split(mark)[0]
    host = rest.split("@")[-1]
    port = "80"
    if ":" in host and not host.endswith("]"):
        i = host.rfind(":")
        port = host[i + 1 :]
        host = host[:i]
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1].replace(":", "")
    named = all(_is_letter(c) or c in "-._" for c in host) and _is_letter(host[:1])
    return named and port.isdigit() and 0 < int(port) < 65536


def _check_headers(headers: dict | None) -> None:
    if headers is not None and not isinstance(headers, dict):
        raise at.BadArgument("headers are a dict", dialect.HTTP_HEADER.send)
    for name, value in (headers or {}).items():
        at.render(dialect.HTTP_HEADER.send, (name, value))
        if not name or not all(_is_letter(c) or c in _MARKS for c in name):
            raise at.BadArgument("not the name of a header: " + name, dialect.HTTP_HEADER.send)


def _is_letter(c: str) -> bool:
    return "a" <= c <= "z" or "A" <= c <= "Z" or "0" <= c <= "9"


def _dumped(value) -> str:
    import json

    try:
        return json.dumps(value)
    except (TypeError, ValueError, RuntimeError):
        raise at.BadArgument("no object that JSON has", dialect.HTTP_POST.send)


def _bytes(data) -> bytes:
    """The body of a POST. Raises BadArgument."""
    try:
        if data is None:
            data = b""
        body = data.encode() if isinstance(data, str) else bytes(memoryview(data))
    except (TypeError, UnicodeError):
        raise at.BadArgument("a body is str or bytes", dialect.HTTP_POST.send)
    if len(body) > _BODY_LIMIT:
        raise at.BadArgument("a body has at most %d bytes" % _BODY_LIMIT, dialect.HTTP_POST.send)
    return body
