"""HTTP on the module's own stack (manual 3.7), named as requests names it.

The manual's figures are lost: the forms are inferred (dialect.py). The module keeps the headers
that were set until it restarts, so one client uses the same headers throughout.
"""

from micropython import const

from . import at, dialect

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


class Response:
    """status_code, content, text, json(); ``with`` and close() as users of requests expect."""

    def __init__(self, status_code: int, content) -> None:
        self.status_code = status_code
        self.content = content

    @property
    def text(self) -> str:
        return str(self.content, "utf-8")

    def json(self):
        import json

        return json.loads(self.content)

    def close(self) -> None:
        self.content = b""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.close()


class Http:
    """modem.http"""

    def __init__(self, channel) -> None:
        self._channel = channel

    async def get(
        self, url: str | None = None, headers: dict | None = None, limit: int = 8192, sink=None
    ) -> Response:
        """GET a URL (manual 3.7.3).

        url   -- None for the one that is set
        limit -- bytes of the longest body that is kept
        sink  -- called with each piece of the body instead of keeping it; a piece is valid until
                 the call returns

        Returns a Response, whatever the status. Raises BadArgument, CommandError when no answer
        came from the server, Overflow, PayloadError, Timeout.
        """
        self._check(url, headers)
        if url is not None:
            await self.set_url(url)
        await self.set_headers(headers)
        return await self._request(dialect.HTTP_GET, (), None, limit, sink)

    async def post(
        self,
        url: str | None = None,
        data=None,
        json=None,
        headers: dict | None = None,
        limit: int = 8192,
        sink=None,
    ) -> Response:
        """POST bytes, text or an object as JSON (manual 3.7.4); otherwise like get().

        data -- str or bytes; without a Content-Type among the headers it is sent as octets
        """
        kind = "application/octet-stream"
        if json is not None:
            import json as codec

            data = codec.dumps(json)
            kind = "application/json"
        body = data.encode() if isinstance(data, str) else bytes(data or b"")
        if len(body) > _BODY_LIMIT:
            raise at.BadArgument(
                "a body has at most %d bytes" % _BODY_LIMIT, dialect.HTTP_POST.send
            )
        for name, value in (headers or {}).items():
            if name.lower() == "content-type":
                kind = value
        self._check(url, headers)
        if url is not None:
            await self.set_url(url)
        await self.set_headers(headers)
        await self.set_content_type(kind)
        return await self._request(dialect.HTTP_POST, (len(body),), body, limit, sink)

    async def set_url(self, url: str, length: int | None = None) -> None:
        """Set the URL of the requests that follow (manual 3.7.1).

        length -- to announce; a URL that is shorter is ended by +++
        """
        self._check(url, None)
        data = url.encode()
        if length is not None and length > len(data):
            data += b"+++"
        await self._channel.run(dialect.HTTP_URL, length or len(data), data=data)

    async def set_headers(self, headers: dict | None) -> None:
        """Set headers for the requests that follow (manual 3.7.2)."""
        self._check(None, headers)
        for name, value in (headers or {}).items():
            await self._channel.run(dialect.HTTP_HEADER, name, value)

    async def set_content_type(self, kind: str) -> None:
        """Set the content type of the POSTs that follow (manual 3.7.2).

        kind -- a media type; one that the module has no number for must be among the headers
        """
        await self._channel.run(dialect.HTTP_TYPE, _TYPES.get(kind.lower(), _OTHER))

    def _check(self, url: str | None, headers: dict | None) -> None:
        """Look at all values before the first byte is sent. Raises BadArgument."""
        if url is not None:
            at.check_line(url)
            if not url.startswith("http://") and not url.startswith("https://"):
                raise at.BadArgument(
                    "a URL begins with http:// or https://", dialect.HTTP_URL.send
                )
            if len(url) > _URL_LIMIT or " " in url or "+++" in url:
                raise at.BadArgument(
                    "a URL has at most %d characters, no blank and no +++" % _URL_LIMIT,
                    dialect.HTTP_URL.send,
                )
        for name, value in (headers or {}).items():
            at.render(dialect.HTTP_HEADER.send, (name, value))

    async def _request(self, form, args: tuple, data, limit: int, sink) -> Response:
        body = _Body(limit, sink)
        payloads = self._channel.payloads
        nobody = payloads[form.answer]
        payloads[form.answer] = body
        try:
            # An empty body has no prompt to wait for.
            await self._channel.run(form, *args, data=data)
        finally:
            payloads[form.answer] = nobody
        return body.response(form)


class _Body:
    """Takes the three numbers and the body behind them (payload.py)."""

    fields = 0
    hex = False

    def __init__(self, limit: int, sink) -> None:
        self._limit = limit
        self._sink = sink
        self._numbers = []
        self._content = bytearray()
        self._error = None

    def begin(self, values: list) -> int:
        self._numbers = values
        length = values[2] if len(values) > 2 and isinstance(values[2], int) else 0
        if self._sink is None and length > self._limit:
            self._error = at.Overflow("the body has %d bytes, %d allowed" % (length, self._limit))
        return length

    def data(self, view) -> None:
        if self._sink is not None:
            self._sink(view)
        elif self._error is None:
            self._content.extend(view)

    def end(self, error) -> None:
        self._error = self._error or error

    def response(self, form) -> Response:
        if len(self._numbers) < 2:
            raise at.BadAnswer("no status", form.send)
        if self._numbers[0] != 0:
            raise at.CommandError("no answer from the server", form.send)
        if self._error is not None:
            raise self._error
        return Response(self._numbers[1], bytes(self._content))
