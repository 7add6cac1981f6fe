"""What a setting may be, in words. Loaded once one is refused."""

from .config import HEX, PIN

_SHOWN = 60  # characters of a value in a message
_WORD = "text without spaces or quotes"
_HOST = "a host's name or address, without scheme, port and path"
_FILE = "the name of a file in the node's folder"
_WORDS = {
    "id": "letters, digits and -_. without spaces or quotes",
    "mqtt.host": _HOST,
    "tcp.host": _HOST,
    "http.url": "a URL that begins with http:// or https://",
    "pin": "digits",
    "tls.ca": _FILE,
    "tls.cert": _FILE,
    "tls.key": _FILE,
}


def shown(value) -> str:
    """A value in a message."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def allowed(key: str, rule: tuple) -> str:
    """What a setting may be, in words."""
    if len(rule) == 2:
        return "allowed is one of " + ", ".join(rule[1])
    _, kind, least, most = rule
    if kind is dict:
        return "allowed is an object: {...}"
    if kind is PIN:
        return "allowed is a number from %d to %d, or a pin's name" % (least, most)
    if kind is HEX:
        return "allowed is nothing, or %d to %d bytes in hexadecimal" % (least // 2, most // 2)
    if kind is str:
        return "allowed is %s, %d to %d characters" % (_WORDS.get(key, _WORD), least, most)
    if kind is int:
        return "allowed is a whole number from %d to %d" % (least, most)
    return "allowed is a number from %g to %g" % (least, most)
