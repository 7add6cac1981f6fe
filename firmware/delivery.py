"""Delivery: what waits in the outbox, by the first uplink that works; and what the far side tells
the node besides: the time, and commands.
"""

import time

from c1100 import C1100Error

from . import clock, log, uplinks
from .sensors import SENSORS, link


class Delivery:
    """node -- app.Node; modem -- a C1100, in the network once this is used"""

    def __init__(self, node, modem) -> None:
        self._node = node
        self._modem = modem
        self._knows_time = False  # whether the network has told

    async def set_clock(self) -> int:
        """Compare the clock with the network's. Returns by how many seconds it was set."""
        try:
            known = clock.parse(await self._modem.clock())
        except C1100Error as error:
            log.warning("no time: %s", error)
            return 0
        if known is None:
            return 0
        self._knows_time = True
        return self._node.set_clock(known)

    async def run(self) -> None:
        """Deliver the backlog by the first uplink that works."""
        names = uplinks.chosen(self._node.settings)
        for name in names[:-1]:
            try:
                return await self._deliver_by(name)
            except C1100Error as error:
                log.warning("no delivery by %s: %s: %s", name, type(error).__name__, error)
        return await self._deliver_by(names[-1])

    async def _deliver_by(self, name: str) -> None:
        """Send the backlog, oldest first; a record leaves the outbox only when the far side has
        confirmed it. What the session has no time for waits for the next one.
        """
        node = self._node
        uplink = uplinks.load(name).Uplink(node.settings, self._modem)
        sent = await self._send_all(uplink, name)
        if uplink.time is not None and not self._knows_time:
            node.set_clock(uplink.time)
        node.delivered(sent > 0)
        # All is delivered: whatever happens now is no reason to try again.
        if name == "mqtt" and node.settings["commands.key"]:
            try:
                await self._listen(uplink)
            except (C1100Error, OSError) as error:
                log.warning("no more commands: %s", error)
        try:
            await uplink.close()
        except C1100Error as error:
            log.warning("session not closed: %s", error)

    async def _send_all(self, uplink, name: str) -> int:
        """Send what waits, as far as there is time. Returns the number of records."""
        node = self._node
        limit_ms = node.settings["report.limit_s"] * 1000
        begin = time.ticks_ms()
        sent = 0
        while True:
            batch = node.outbox.peek(uplink.batch_bytes)
            if not batch:
                break
            node.outbox.ack(await uplink.send(batch))
            sent += len(batch)
            log.info("delivered %d records by %s", len(batch), name)
            if time.ticks_diff(time.ticks_ms(), begin) > limit_ms:
                log.info("%d records wait for the next report", len(node.outbox))
                break
        return sent

    async def _listen(self, uplink) -> None:
        """Take the commands that wait for the node."""
        from .downlink import Downlink

        async def report() -> None:
            node = self._node
            node.keep(await node.sample(SENSORS + (link,)))
            await self._send_all(uplink, "mqtt")

        await Downlink(self._node, uplink.mqtt, report).run()
