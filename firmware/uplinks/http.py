"""Uplink by HTTP POST (manual 3.7.4): a status of 2xx confirms the whole batch.

The module tells no headers of the answer. So a server that wants to set the node's clock says
``{"time": 1700000000}`` in the body.
"""

from micropython import const

import c1100.http  # noqa: F401 -- loaded now, while the heap is in one piece
from c1100 import CommandError

from . import joined

_BATCH_BYTES = const(2048)
_LEAST_TIME = const(1600000000)
_HEADERS = {"Content-Type": "application/senml+json"}


class Uplink:
    """settings -- as config.load() returns them; modem -- a started C1100"""

    batch_bytes = _BATCH_BYTES
    time = None

    def __init__(self, settings: dict, modem) -> None:
        self._http = modem.http
        self._url = settings["http.url"]
        self._headers = dict(_HEADERS)
        self._headers["X-Node"] = settings["id"]
        if settings["http.token"]:
            self._headers["Authorization"] = "Bearer " + settings["http.token"]

    async def send(self, batch: list) -> int:
        """Post a batch. Raises C1100Error, also when the server answers with another status."""
        reply = await self._http.post(self._url, joined(batch), headers=self._headers)
        if not 200 <= reply.status_code < 300:
            raise CommandError("the server answers with status %d" % reply.status_code, "POST")
        self._look_at_clock(reply)
        return batch[-1][0]

    def _look_at_clock(self, reply) -> None:
        try:
            found = reply.json()
        except ValueError:
            return
        told = found.get("time") if isinstance(found, dict) else None
        if isinstance(told, int) and told > _LEAST_TIME:
            self.time = told

    async def close(self) -> None:
        """There is no session."""
