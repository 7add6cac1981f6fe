"""MQTT topics: names to publish to, and filters to subscribe to (MQTT 3.1.1 clause 4.7)."""

from . import at


def check(topic, command: str, wildcards: bool = False) -> None:
    """Raise BadArgument for what is no topic name or, with wildcards, no topic filter."""
    if not isinstance(topic, str) or not topic:
        raise at.BadArgument("a topic is text of at least one character", command)
    levels = topic.split("/")
    for i, level in enumerate(levels):
        for wildcard in "+#":
            if wildcard not in level:
                continue
            if not wildcards:
                raise at.BadArgument("a topic to publish to has no + and no #", command)
            if level != wildcard or (wildcard == "#" and i < len(levels) - 1):
                raise at.BadArgument("+ and # stand for whole levels, # for the last", command)
