"""Subscriptions (manual 3.6.2, 3.6.3), and a will that is told later: methods of mqtt.MQTT, loaded
when first called.
"""

from . import dialect, topics
from .mqtt import checked


async def subscribe(session, topic: str, qos: int = 1) -> None:
    """Subscribe; returns when the broker has confirmed (manual 3.6.2).

    topic -- may have the wildcards + and #

    Raises what publish() raises.
    """
    await _switch(session, topic, qos, True)


async def unsubscribe(session, topic: str) -> None:
    """Undo a subscription (manual 3.6.3)."""
    await _switch(session, topic, 0, False)


async def _switch(session, topic: str, qos: int, on: bool) -> None:
    form = dialect.MQTT_SUBSCRIBE
    topics.check(topic, form.send, True)
    steps = checked([(dialect.MQTT_TOPIC, (topic,)), (dialect.MQTT_QOS, (qos,))])
    async with session.busy:
        session.check_open(form)
        session.told.clear()  # rare enough to be said as the manual does
        await session.tell(steps)
        # No broker can refuse to unsubscribe: 0 tells that it is off.
        refusal = "the broker refused the subscription to " + topic if on else None
        await session.confirmed(form, refusal, on)


def set_last_will(
    session, topic: str, payload: str | bytes, retain: bool = False, qos: int = 0
) -> None:
    """What the broker publishes when the node vanishes; takes effect with connect()."""
    session._will = (topic, payload, retain, qos)
