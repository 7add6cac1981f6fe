"""Incoming MQTT messages, from the line (payload.py) into the queue. Loaded with the first one, or
when one is asked for.
"""

from micropython import const

from . import at, dialect, payload
from .messages import ROOM, Message, Queue

_LONGEST = const(16384)  # bytes of a message, from which on its length is not believed


def inbox(session) -> "Inbox":
    """Of a session, made once."""
    session.inbox = made = Inbox()
    session.wanted = made.arrived
    return made


class Inbox(Queue):
    """The queue, and what fills it."""

    command = dialect.MQTT_MESSAGE
    hex = False
    limit = _LONGEST

    def __init__(self) -> None:
        Queue.__init__(self)
        self._names = dialect.MQTT_MESSAGE_FIELDS
        self.fields = len(self._names)
        # Of what cannot be read, the length matters most: where the message ends.
        self.shape = "".join(["i" if name == "length" else "S" for name in self._names])
        self._head = {}
        self._data = bytearray()
        self._whole = True

    def begin(self, values: list) -> int | None:
        self._head = dict(zip(self._names, values))
        self._data = bytearray()
        self._whole = True
        return self._head.get("length", payload.REST)

    def data(self, view) -> None:
        if len(self._data) + len(view) > ROOM:
            self._whole = False
        if self._whole:
            self._data.extend(view)

    def damaged(self, _line: str) -> None:
        self.lost += 1

    def end(self, error) -> None:
        message = self._message() if error is None and self._whole else None
        self._data = bytearray()
        self.put(message)

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


def _number(text: str | None, largest: int) -> int | None:
    """0 where nothing was told, None where it makes no sense."""
    values = at.read(text or "0", "i")
    return values[0] if values and 0 <= values[0] <= largest else None
