"""Subscriptions, and a will that is told later: methods of mqtts.MQTTS, loaded when needed."""

from micropython import const

from . import at, topics
from .mqtts import text

_SUBSCRIBE = const(0x82)
_SUBACK = const(0x90)
_UNSUBSCRIBE = const(0xA2)
_UNSUBACK = const(0xB0)


async def subscribe(session, topic: str, qos: int = 1) -> None:
    """Subscribe; returns when the broker has confirmed. Raises what publish() raises."""
    topics.check(topic, "mqtts", True)
    async with session._busy:
        number = session._next()
        body = number + text(topic) + bytes((qos,))
        said = await session._ask(_SUBSCRIBE, body, _SUBACK, number)
        if said[2:3] == b"\x80":
            raise at.Refused("the broker refused the subscription to " + topic)


async def unsubscribe(session, topic: str) -> None:
    """Undo a subscription."""
    async with session._busy:
        number = session._next()
        await session._ask(_UNSUBSCRIBE, number + text(topic), _UNSUBACK, number)


def set_last_will(
    session, topic: str, payload: str | bytes, retain: bool = False, qos: int = 0
) -> None:
    """What the broker publishes when the node vanishes; takes effect with connect()."""
    session._will = (topic, payload, retain, qos)
