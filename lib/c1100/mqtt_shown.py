"""A message is compared with what the module shows of it, where the line loses bytes."""

from micropython import const

from . import at, dialect

_TRIES = const(3)  # of a message that is not shown as it was said
_ENDS = const(8)  # characters by which one is known that has lost others


async def compare(session, steps: list) -> None:
    """Have the module show what it will publish (manual 3.6.4 step 2), and say it again if that is
    something else. Raises BadAnswer.

    session -- mqtt.MQTT; steps -- that have said the message, topic and payload first
    """
    topic, said = [at.render(form.send, args)[form.send.find("{") :] for form, args in steps[:2]]
    for _ in range(_TRIES):
        try:
            shown = "".join(await session.channel.run(dialect.MQTT_SHOW)).lower()
        except at.CommandError:
            return  # it shows nothing
        if not _damaged(topic, shown) and not _damaged(said, shown):
            return
        session.told.clear()
        await session.tell(steps)
    raise at.BadAnswer("another message is shown than was said", dialect.MQTT_SHOW.send)


def _damaged(said: str, shown: str) -> bool:
    """Whether what is shown has this in it, but not whole. How it is laid out is not known."""
    said = said.strip('"').lower()
    ends = (said[:_ENDS], said[-_ENDS:])
    return said not in shown and any(end in shown for end in ends)
