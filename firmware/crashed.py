"""What the record of a crash has besides its event: where it was raised, the last lines from the
module, and some counters. Loaded when there is one, where ``health.period_s`` is not 0.
"""

import io
import sys

from micropython import const

from . import last_good

_TRACE = const(150)  # characters, of UTF-8 with quotes and backslashes as JSON has them
_LINES = const(150)
_LINE = const(24)
_MOST_LINES = const(10)
_HIDDEN = "***"


def samples(node, error: BaseException) -> list:
    """In one record with the event. No value of the node's is in it: of the traceback its places
    and the error's kind, of a command no argument.
    """
    stats = {} if node.modem is None else node.modem.stats
    return [
        ("trace", None, _cut(trace(error), _TRACE)),
        ("at", None, _cut(" | ".join(heard(node)), _LINES) or None),
        ("start", None, node.state.starts),
        ("wake", None, node.state.wakes),
        ("failures", None, node.state.failures),
        ("commands", None, stats.get("commands")),
        ("timeouts", None, stats.get("timeouts")),
    ]


def trace(error: BaseException) -> str:
    """file:line function of each place, the innermost last, and the error's kind."""
    text = io.StringIO()
    sys.print_exception(error, text)  # pyright: ignore[reportArgumentType] -- stub
    said = text.getvalue()  # pyright: ignore[reportAttributeAccessIssue] -- stub
    places = []
    for line in said.split("\n"):
        line = line.strip()
        if line.startswith('File "'):
            path, _, rest = line[6:].partition('", line ')
            number, _, name = rest.partition(", in ")
            # Compiled, it is called as its module: firmware.app, not firmware/app.py.
            path = path[:-3] if path.endswith(".py") else path
            file = path[max(path.rfind("/"), path.rfind(".")) + 1 :]
            places.append("%s.py:%s %s" % (file, number, name))
    return " | ".join(places + [type(error).__name__])


def heard(node) -> list:
    """The last lines of the module, and the command that was said last."""
    if node.modem is None:
        return []
    from c1100 import past

    secrets = [node.settings[key] for key in last_good.SECRETS if node.settings[key]]
    found = []
    for line in past.lines(node.modem, _MOST_LINES):
        if "AT" in line and "=" in line:
            line = line[: line.index("=") + 1]
        for secret in secrets:
            line = line.replace(secret, _HIDDEN)
        found.append(line[:_LINE])
    return found


def _cut(text: str, most: int) -> str:
    """The end of a text: that says most. Without what JSON would write as two characters."""
    for c in '"\\':
        text = text.replace(c, "'")
    return text[-most:]
