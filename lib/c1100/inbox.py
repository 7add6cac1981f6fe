"""Incoming MQTT messages: from the line (payload.py) into a bounded queue, and the methods of
mqtt.MQTT that fetch them. Loaded with the first message, or when one is asked for.
"""

import asyncio
from collections import namedtuple

from micropython import const

from . import at, dialect, payload

_HINTS = const(0)  # for those who check types: a board compiles none of it
if _HINTS:
    from collections.abc import Callable

_ROOM = const(4096)  # bytes of the messages that wait to be fetched
_EACH = const(64)  # bytes that a waiting message costs besides its topic and payload
_LONGEST = const(16384)  # bytes of a message, from which on its length is not believed

Message = namedtuple("Message", ("topic", "payload", "retained", "qos"))


def inbox(session) -> "Inbox":
    """Of a session, made once."""
    session.inbox = made = Inbox()
    session.wanted = made.arrived
    return made


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
            raise at.NotConnected("the MQTT session has ended", dialect.MQTT_MESSAGE)
        await box.arrived.wait()


def lost(session) -> int:
    """Messages that came damaged, or while the queue was full."""
    return session.inbox.lost


class Inbox:
    """callback -- called with topic and payload of each message, instead of queueing it
    lost -- messages that came damaged, or for which there was no room
    """

    hex = False
    limit = _LONGEST

    def __init__(self) -> None:
        self._names = dialect.MQTT_MESSAGE_FIELDS
        self.fields = len(self._names)
        # Of what cannot be read, the length matters most: where the message ends.
        self.shape = "".join(["i" if name == "length" else "S" for name in self._names])
        self.messages = []
        self.arrived = asyncio.Event()
        self.callback: Callable[[str, bytes], object] | None = None
        self.lost = 0
        self._used = 0  # bytes of the messages
        self._head = {}
        self._data = bytearray()
        self._whole = True

    def begin(self, values: list) -> int | None:
        self._head = dict(zip(self._names, values))
        self._data = bytearray()
        self._whole = True
        return self._head.get("length", payload.REST)

    def data(self, view) -> None:
        if len(self._data) + len(view) > _ROOM:
            self._whole = False
        if self._whole:
            self._data.extend(view)

    def damaged(self, _line: str) -> None:
        self.lost += 1

    def end(self, error) -> None:
        message = self._message() if error is None and self._whole else None
        self._data = bytearray()
        if message is None:
            self.lost += 1
        elif self.callback is not None:
            self.callback(message.topic, message.payload)
        elif self._used + _size(message) > _ROOM:
            self.lost += 1
        else:
            self._used += _size(message)
            self.messages.append(message)
            self.arrived.set()

    def _message(self) -> Message | None:
        """What has come; None if its header cannot be right."""
        head = self._head
        data = bytes(self._data)
        if "length" not in head and len(data.strip()) > 1:
            bare = data.strip()
            if bare[:1] == b'"' and bare[-1:] == b'"':
                data = bare[1:-1]
        topic = head.get("topic", "")
        qos = _number(head.get("qos"), 2)
        retained = _number(head.get("retained"), 1)
        if qos is None or retained is None or (not topic and "topic" in head):
            return None
        return Message(topic, data, bool(retained), qos)

    def take(self) -> Message | None:
        """The message that has waited longest."""
        if not self.messages:
            return None
        message = self.messages.pop(0)
        self._used -= _size(message)
        return message


def _number(text: str | None, largest: int) -> int | None:
    """0 where nothing was told, None where it makes no sense."""
    values = at.read(text or "0", "i")
    return values[0] if values and 0 <= values[0] <= largest else None


def _size(message: Message) -> int:
    return _EACH + len(message.topic) + len(message.payload)
