"""Subscriptions (manual 3.6.2, 3.6.3). Loaded with the first one."""

from . import dialect, topics
from .mqtt import checked


async def switch(session, topic: str, qos: int, on: bool) -> None:
    """subscribe() and unsubscribe() of mqtt.MQTT, which is the session."""
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
