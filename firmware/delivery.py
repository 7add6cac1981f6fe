"""Delivery: what waits in the outbox, by the first uplink that works; and what the far side tells
the node besides: the time, and commands.
"""

import asyncio
import os
import time

from micropython import const

from c1100 import BadAnswer, BadArgument, C1100Error, Refused

from . import clock, log, uplinks
from .sensors import SENSORS
from .uplinks.refusal import Unfit

_ASIDE = "refused"  # folder
_REFUSED = const(4)  # records that are tried in vain before the far side is to blame
_RESERVE_MS = const(60000)  # of the wake, that nothing is tried in vain in
_DOUBLINGS = const(4)  # of that, after failures in a row
_PATIENCE = const(4)  # reports in a row that fail before a record may be why the module fails
_BASE_BYTES = const(18)  # what a base name has around the id, and `"bt":0,`
_LARGE_S = const(60)  # no drift, or one of days


class Delivery:
    """node -- app.Node; modem -- a C1100, in the network once this is used
    forgets -- async callable: whether the module loses its connections once this is done
    """

    def __init__(self, node, modem, forgets=None) -> None:
        self._node = node
        self._modem = modem
        self._forgets = forgets
        self._knows_time = False  # whether it has been told in this session
        self._aside = None  # once it is needed

    async def set_clock(self) -> int:
        """Compare the clock with the network's. Returns by how many seconds it was set."""
        try:
            known = clock.parse(await self._modem.clock())
        except C1100Error as error:
            log.warning("no time: %s", error)
            return 0
        if known is None:
            return 0
        step = self._node.set_clock(known)
        self._knows_time = not self._node.state.doubt  # else a server may say the same
        return step

    async def run(self) -> None:
        """Deliver the backlog by the first uplink that works."""
        names = uplinks.chosen(self._node.settings)
        for name in names[:-1]:
            try:
                return await self._deliver_by(name)
            except C1100Error as error:
                log.warning("no delivery by %s: %s: %s", name, type(error).__name__, error)
                if getattr(error, "code", None) is not None:
                    from . import backoff

                    if backoff.cause(error) is not None:
                        raise error  # the network's own: each try may begin its timer anew
        return await self._deliver_by(names[-1])

    async def _deliver_by(self, name: str) -> None:
        """Send the backlog, oldest first; a record leaves the outbox only when the far side has
        confirmed it. What the session has no time for waits for the next one.
        """
        node = self._node
        uplink = uplinks.load(name).Uplink(node.settings, self._modem)
        try:
            sent = await self._send_all(uplink, name)
        except C1100Error:
            await _close(uplink)
            raise
        await asyncio.sleep_ms(0)  # the watchdog's turn: what follows is noted on flash
        node.delivered(sent > 0)
        await asyncio.sleep_ms(0)
        # All is delivered: whatever happens now is no reason to try again.
        if sent:
            await self._try_refused(uplink)
        if hasattr(uplink, "mqtt") and node.settings["commands.key"]:
            try:
                await self._listen(uplink, name)
            except (C1100Error, OSError) as error:
                log.warning("no more commands: %s", error)
        if await self._may_leave(uplink):
            uplink.leave()
        else:
            await _close(uplink)

    async def _may_leave(self, uplink) -> bool:
        """Whether a session needs no goodbye: a broker that has confirmed all of it misses the
        node's pings, or sees it again before that.
        """
        settings = self._node.settings
        if self._forgets is None or not hasattr(uplink, "mqtt"):
            return False
        if not settings["mqtt.qos"] or not settings["mqtt.keepalive_s"]:
            return False
        try:
            return await self._forgets()
        except C1100Error as error:
            log.warning("psm not known: %s", error)
            return False

    async def _send_all(self, uplink, name: str) -> int:
        """Send what waits, as far as there is time. Returns the number of records.

        What is refused for its content goes in smaller batches. A record that is refused by itself
        is to blame once another one is accepted, and put aside. Where nothing is accepted the far
        side is to blame, and everything stays as it is.
        """
        node = self._node
        limit_ms = node.settings["report.limit_s"] * 1000
        begin = time.ticks_ms()
        sent = 0
        size = uplink.batch_bytes
        refused = []  # (number, error) of records, since one was accepted
        most = _REFUSED << min(node.state.failures, _DOUBLINGS)
        while True:
            batch = self._batch(size, refused[-1][0] if refused else 0)
            if not batch:
                break
            try:
                confirmed = await self._send(uplink, batch)
            except Unfit as unfit:
                if len(refused) >= most or node.time_left() < _RESERVE_MS:
                    raise unfit.error
                if len(batch) > 1 and not unfit.first:
                    size = sum([len(record) for _, record in batch]) // 2
                    continue
                refused.append((batch[0][0], unfit.error))
                size = size if unfit.first else 1
                continue
            if refused:
                self._put_aside(refused)
                refused = []
                size = uplink.batch_bytes
            node.outbox.ack(confirmed)
            if node.settings["battery.kind"] != "none" and not node.load_v:
                from . import battery

                battery.delivering(node)
            count = len([seq for seq, _ in batch if seq <= confirmed])
            sent += count
            log.info("delivered %s by %s", log.count(count, "record"), name)
            self._hear(uplink)
            if time.ticks_diff(time.ticks_ms(), begin) > limit_ms:
                left = len(node.outbox)
                waiting = "%s wait%s for the next report"
                log.info(waiting, log.count(left, "record"), "s" if left == 1 else "")
                break
        if refused and not sent:
            raise refused[-1][1]
        self._put_aside(refused)
        return sent

    def _batch(self, size: int, after: int) -> list:
        """The next records, as they are sent; one that is no SenML pack is a batch of its own."""
        batch = []
        known = None
        settings = self._node.settings
        base = len(settings["id"]) + _BASE_BYTES
        for seq, stored in self._node.outbox.peek(max(size - base, 1), after):
            record = stored
            if stored[:1] == b"~":  # from before the clock was set
                from . import dates

                known = dates.steps() if known is None else known
                record = dates.dated(stored, known)
            record = uplinks.whole(record, settings)
            size -= len(record)
            if batch and (size < 0 or not uplinks.is_pack(record)):
                break
            size += len(settings["id"])  # the name stands once in a pack
            batch.append((seq, record))
            if not uplinks.is_pack(record):
                break
        return batch

    async def _send(self, uplink, batch: list) -> int:
        """Returns the last number that is confirmed, which is one of the batch. Raises Unfit only
        where a record may be to blame.
        """
        if not uplinks.is_pack(batch[0][1]):
            raise Unfit(BadArgument("it is no SenML pack"), True)
        try:
            confirmed = await uplink.send(batch)
        except Unfit as unfit:
            # The module may have its reasons too, and so may a line that loses bytes: they are
            # given some reports, with all rungs of the ladder.
            theirs = isinstance(unfit.error, (Refused, BadArgument))
            if theirs or self._node.state.failures >= _PATIENCE:
                raise
            raise unfit.error
        if confirmed < batch[0][0]:
            raise BadAnswer("the uplink confirms nothing")
        self._node.sent += sum([len(record) for seq, record in batch if seq <= confirmed])
        return min(confirmed, batch[-1][0])

    def _put_aside(self, refused: list) -> None:
        """Out of the backlog with records that are to blame; they are the oldest in it."""
        box = self._node.outbox
        for seq, error in refused:
            for head, stored in box.peek(1):
                if head == seq:
                    self._refused.put(seq, stored, error)
                    box.ack(seq)

    async def _try_refused(self, uplink) -> None:
        """What earlier reports have put aside."""
        try:
            if _ASIDE in os.listdir():
                await self._refused.again(lambda batch: self._send(uplink, batch))
        except (C1100Error, OSError) as error:
            log.warning("refused records wait: %s", error)

    @property
    def _refused(self):
        if self._aside is None:
            from .aside import Aside  # rarely needed

            self._aside = Aside(self._node, _ASIDE)
        return self._aside

    def _hear(self, uplink) -> None:
        """Look at the time that the far side has told, if the network has told none."""
        if self._knows_time:
            return
        try:
            said = uplink.time
            told = clock.told(said)
            if told is not None:
                self._knows_time = True
                before = clock.unix(self._node.now())
                step = self._node.set_clock(told)
                if before is not None and abs(step) > _LARGE_S:
                    self._node.keep([("clock_step", "s", step)])  # records have the time before
            elif said is not None:
                log.warning("time: the server tells none that can be")
        except Exception as error:  # it must not cost what has just been confirmed
            log.error("time not taken: %s: %s", type(error).__name__, error)

    async def _listen(self, uplink, name: str) -> None:
        """Take the commands that wait for the node."""
        from .downlink import Downlink

        async def report() -> None:
            node = self._node
            node.keep(await node.sample(SENSORS + ("link",)))
            await self._send_all(uplink, name)

        await Downlink(self._node, uplink.mqtt, report).run()


async def _close(uplink) -> None:
    try:
        await uplink.close()
    except C1100Error as error:
        log.warning("session not closed: %s", error)
