"""MQTT messages that have come, in a bounded queue, and the methods of mqtt.MQTT and mqtts.MQTTS
that fetch them. Loaded with the first one, or when one is asked for.
"""

import asyncio
from collections import namedtuple

from micropython import const

from . import at

_HINTS = const(0)  # for those who check types: a board compiles none of it
if _HINTS:
    from collections.abc import Callable

ROOM = const(4096)  # bytes of the messages that wait to be fetched
_EACH = const(64)  # bytes that a waiting message costs besides its topic and payload

Message = namedtuple("Message", ("topic", "payload", "retained", "qos"))


class Queue:
    """callback -- called with topic and payload of each message, instead of queueing it
    lost -- messages that came damaged, or for which there was no room
    """

    command: str | None = None  # what brings them

    def __init__(self) -> None:
        self.messages = []
        self.arrived = asyncio.Event()
        self.callback: Callable[[str, bytes], object] | None = None
        self.lost = 0
        self._used = 0  # bytes of the messages

    def put(self, message: Message | None) -> None:
        """Keep a message; None: one that is lost."""
        if message is not None and self.callback is not None:
            self.callback(message.topic, message.payload)
            return
        size = 0 if message is None else _size(message)
        if not size or self._used + size > ROOM:
            self.lost += 1
            return
        self._used += size
        self.messages.append(message)
        self.arrived.set()

    def take(self) -> Message | None:
        """The message that has waited longest."""
        if not self.messages:
            return None
        message = self.messages.pop(0)
        self._used -= _size(message)
        return message


def _size(message: Message) -> int:
    return _EACH + len(message.topic) + len(message.payload)


def set_callback(session, callback: "Callable[[str, bytes], object] | None") -> None:
    """Call ``callback(topic, payload)`` for each message instead of queueing it."""
    session.inbox.callback = callback


def check_msg(session) -> "Message | None":
    """The next queued Message, None if there is none."""
    return session.inbox.take()


async def wait_msg(session) -> "Message":
    """Wait for the next Message. Raises NotConnected when the session ends before one."""
    box = session.inbox
    while True:
        box.arrived.clear()
        message = box.take()
        if message is not None:
            return message
        if not session.connected:
            raise at.NotConnected("the MQTT session has ended", box.command)
        await box.arrived.wait()


def lost(session) -> int:
    """Messages that came damaged, or while the queue was full."""
    return session.inbox.lost
