"""Records that the far side has refused, each by itself, while it took others.

They leave the backlog, which would wait for them, and are tried again once in a report, in a queue
of their own: what was refused for a passing reason gets through. After some tries a record is set
aside for good: counted, told as an event, and kept as text in a small file for whoever comes.
"""

import os

from micropython import const

from c1100 import C1100Error

from . import dates, log, uplinks
from .outbox import Full, Outbox
from .uplinks.refusal import Unfit

TRIES = const(3)  # each in another report
_BYTES = const(8192)
_FILE = "set_aside"
_FILE_BYTES = const(4096)
_AT_ONCE = const(4)  # records of earlier reports that are tried in one
_PEEK_BYTES = const(2048)
_REASON_CHARACTERS = const(100)


class Aside:
    """node -- app.Node; folder -- of the queue, made when missing"""

    def __init__(self, node, folder: str) -> None:
        self._node = node
        self._box = None
        self._last = 0  # that earlier reports have left
        try:
            self._box = Outbox(folder, _BYTES)
            self._last = self._box.next - 1
        except (OSError, ValueError) as error:
            log.error("no queue of refused records: %s", error)

    def put(self, seq: int, stored: bytes, why: C1100Error) -> None:
        """A record of the backlog was refused by itself; the caller takes it out there."""
        log.warning("record %d refused: %s", seq, why)
        self._keep(seq, 1, stored, why)

    async def again(self, send) -> None:
        """Try what earlier reports have left, each by itself, once in a session.

        send -- async callable that takes a batch, as an uplink's send()

        Raises C1100Error, OSError.
        """
        last, self._last = self._last, 0
        box = self._box
        if box is None or not last:
            return
        for place, kept in box.peek(_PEEK_BYTES)[:_AT_ONCE]:
            if place > last:
                break
            try:
                tries, seq, stored = kept.split(b" ", 2)
                tries, seq = int(tries), int(seq)
            except ValueError:  # none of ours
                box.ack(place)
                continue
            try:
                record = uplinks.whole(dates.dated(stored, dates.steps()), self._node.settings)
                await send([(seq, record)])
                log.info("record %d taken after all", seq)
            except Unfit as unfit:
                self._keep(seq, tries + 1, stored, unfit.error)
            box.ack(place)

    def _keep(self, seq: int, tries: int, stored: bytes, why: C1100Error) -> None:
        try:
            box = self._box
            if box is None:
                raise OSError("it cannot be kept")
            dropped = box.dropped
            if tries < TRIES:
                box.append(b"%d %d %s" % (tries, seq, stored))
                if box.dropped == dropped:
                    return
                count = box.dropped - dropped
                told = "1 refused record dropped"
                if count > 1:
                    told = "%d refused records dropped" % count
            else:
                box.dropped += 1
                told = "record %d set aside: %s" % (seq, str(why)[:_REASON_CHARACTERS])
                self._write(stored)
            count = box.dropped
        except (Full, OSError, ValueError) as error:
            told = "record %d lost: %s" % (seq, error)
            count = None
        log.error(told)
        self._node.keep([("event", None, told), ("set_aside", None, count)])

    def _write(self, stored: bytes) -> None:
        settings = self._node.settings.copy()
        settings["payload.format"] = uplinks.JSON  # for whoever reads it
        stored = uplinks.whole(dates.dated(stored, dates.steps()), settings)
        size = os.stat(_FILE)[6] if _FILE in os.listdir() else 0
        with open(_FILE, "ab" if size + len(stored) < _FILE_BYTES else "wb") as file:
            file.write(stored + b"\n")
