"""What the body of a server's answer tells the node."""

from .. import strict_json


def time_in(body: bytes):
    """The ``time`` of a JSON object, of whatever type; None without one."""
    try:
        found = strict_json.loads(body)
    except ValueError:
        return None
    return found.get("time") if isinstance(found, dict) else None
