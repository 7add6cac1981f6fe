"""Uplink by HTTP POST (manual 3.7.4): a status of 2xx confirms the whole batch.

The module tells no headers of the answer. So a server that wants to set the node's clock says
``{"time": 1700000000}`` in a body of up to 512 bytes: a whole number, seconds or milliseconds.
"""

from micropython import const

import c1100.http  # noqa: F401 -- loaded now, while the heap is in one piece
from c1100 import C1100Error, Refused

from .. import log
from . import joined, type_of
from .told import time_in

_BATCH_BYTES = const(2048)
_READ_BYTES = const(512)  # of an answer


class Uplink:
    """settings -- as config.load() returns them; modem -- a started C1100"""

    batch_bytes = _BATCH_BYTES

    def __init__(self, settings: dict, modem) -> None:
        self._http = modem.http
        self._url = settings["http.url"]
        self._headers = {}
        self._headers["X-Node"] = settings["id"]
        if settings["http.token"]:
            self._headers["Authorization"] = "Bearer " + settings["http.token"]
        self._answer = b""

    async def send(self, batch: list) -> int:
        """Post a batch. Raises C1100Error, also when the server answers with another status."""
        self._answer = b""
        body = joined(batch)
        self._headers["Content-Type"] = type_of(body)
        code = await self._post(body)
        if not isinstance(code, int) or not 200 <= code < 300:
            from . import status

            raise status.error(code)
        return batch[-1][0]

    async def _post(self, body: bytes) -> int:
        """The status of the answer. What is wrong with its body does not count."""
        post = self._http.post
        try:
            return (
                await post(self._url, body, headers=self._headers, sink=self._take)
            ).status_code
        except C1100Error as error:
            code = getattr(error, "status", None)
            if code is None:
                if isinstance(error, Refused):
                    log.error("no answer from %s: check http.url, and the server", self._url)
                raise
            log.warning("answer %d: %s", code, error)
            self._answer = b""
            return code

    def _take(self, piece) -> None:
        """What is too long to be told to a node is not kept: it is confirmed all the same."""
        if len(self._answer) <= _READ_BYTES:
            self._answer += bytes(piece)

    @property
    def time(self):
        """What the last answer told."""
        if not self._answer or len(self._answer) > _READ_BYTES:
            return None
        return time_in(self._answer)

    async def close(self) -> None:
        """There is no session."""
