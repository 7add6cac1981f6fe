"""Commands to a node: who may give them, what they may say, where they wait.

A command is a JSON object, retained on nodes/<node>/commands/<id>, a topic of its own:

    {"id": "a7", "counter": 1795453200123, "body": "{\"do\":\"ping\"}", "mac": "<64 hex digits>"}

    id      -- 1 to 32 characters ``!`` to ``~`` without quotes, and on a topic of its own without
               ``/ + #``; the result carries it
    counter -- a whole number from 1 to 2**53 - 1, greater than that of every command before it;
               `python -m tools command` takes Unix time in milliseconds
    body    -- JSON as text, because the bytes that are signed must be the bytes that are read
    mac     -- HMAC-SHA256 with the node's ``commands.key``, over the UTF-8 bytes of

                   c1100-command LF <node> LF <id> LF <counter, decimal> LF <body>

               No field before the body can hold a line feed, so no two commands have the same
               bytes. The node's name is among them: what one node was told is worth nothing at
               another, even if both have the same key.

Bodies, and what the result has besides id, counter and result:

    {"do": "ping"}                                start, wake, backlog, version; driver if another
    {"do": "report"}                              backlog: what was sampled just now is delivered
    {"do": "set", "key": "report.period_s", "value": 600}   key; later again: kept, taken back
    {"do": "reboot"}
    {"do": "log", "skip": 0}                      lines, the newest last, and more: how many there
                                                  are before; skip -- how many newest are left out
    {"do": "fix"}                                 lat, lon, alt

The queue. After a report by MQTT the node subscribes to nodes/<node>/commands/#, with QoS 1 and a
clean session, and takes what comes until nothing has come for ``commands.listen_s``. Then it
executes in the order of the counters, whatever the order in which the broker told them: eight in a
session, the rest in the next. Of each command:

    1. its counter is stored; whatever happens now, it is never executed again
    2. it is executed, and the result is stored
    3. the result is published, QoS 1: on nodes/<node>/results, for whoever listens to all of them,
       and retained on nodes/<node>/results/<id>
    4. nodes/<node>/commands/<id> is cleared: an empty message, retained, or ``-`` where the module
       publishes none that is empty. Both say nothing to a node

A node that is stopped between 1 and 3 finds the command again, and tells the stored result; where
there is none, ``failed``, ``cut short``. Behind ``set`` and ``reboot`` the node restarts: what
comes after waits for that, and behind ``set`` until it is known whether the setting is kept. Who
wants a command back clears its topic. What is refused is answered and cleared likewise. Of the
topics whose names no command can have one is answered in a session, none is looked at.

A refused ``replay`` has besides last, the counter that is to be passed, and proof: HMAC-SHA256
with the key, over ``c1100-counter`` LF <node> LF <id> LF <last>. It tells those who have the key
how to get past a command of a host whose clock was ahead.

A result is a JSON object: id, counter, result and the fields above. On a topic of its own it has
besides do; time, Unix time in seconds of the result; due, when the node is to report next.

    result      trying (set, not the last word), done, kept; failed, taken back, refused with why

On nodes/<node>/commands itself one command may be given as before, retained, where a second one
takes the place of the first, or not retained to a node that listens now. It is answered on
nodes/<node>/results only, and cleared once others have passed it.

Nothing here does anything: a `Gate` says what is to be done.
"""

from binascii import hexlify, unhexlify
from collections import namedtuple

from micropython import const

from . import strict_json
from .hmac import hmac_sha256, same

_MOST_BYTES = const(1024)
_MOST_COUNTER = 2**53 - 1  # what every JSON reader keeps exactly
_ID_CHARACTERS = const(32)
_LABEL = "c1100-command"
_PROOF = "c1100-counter"
_ENVELOPE = ("id", "counter", "body", "mac")

NOTHING = (b"", b"-")  # what is left of a command; a module may refuse to publish the first
WHY_CHARACTERS = const(120)

DONE = "done"
FAILED = "failed"
REFUSED = "refused"
TOO_LONG = "too long"
MALFORMED = "malformed"
BAD_MAC = "not signed with this node's key"
REPLAY = "replay"
REPEATED = "has been executed"  # the last one again: what is retained comes in every session
UNKNOWN = "unknown command"
CUT_SHORT = "cut short"

# do: {argument: (type, whether it must be given)}; a type of None: any
_BODIES = {
    "ping": {},
    "report": {},
    "set": {"key": (str, True), "value": (None, True)},
    "reboot": {},
    "log": {"skip": (int, False)},
    "fix": {},
}

# A command that is genuine: its id and counter, what to do, the rest of its body.
Order = namedtuple("Order", ("id", "counter", "do", "args"))


class Gate:
    """node    -- the node's id
    key     -- the secret, 16 bytes at least
    counter -- of the last genuine command, 0 if there was none
    """

    def __init__(self, node: str, key: bytes, counter: int) -> None:
        self._node = node
        self._key = key
        self.counter = counter

    def judge(self, payload: bytes) -> tuple:
        """(Order, None) for a command to execute, or (None, result) for one that is refused.

        Once this returns with another ``counter``, store that before anything is executed.
        """
        found, result = self.genuine(payload)
        return (None, result) if found is None else self.admit(found)

    def genuine(self, payload: bytes) -> tuple:
        """(its id, counter and body as a dict, None) for a command that is signed and has its
        turn still to come, or (None, result) for one that is refused.

        The reason of a refusal names no more than its class: whoever has no key learns nothing
        about key or counter.
        """
        if len(payload) > _MOST_BYTES:
            return None, refusal(None, TOO_LONG)
        found = _object(payload)
        id = None if found is None else found.get("id")
        id = id if _is_id(id) else None
        if found is None or not _is_whole(found):
            return None, refusal(id, MALFORMED)
        try:
            mac = signature(self._key, self._node, found["id"], found["counter"], found["body"])
        except ValueError:  # half a surrogate pair, which has no UTF-8
            return None, refusal(id, MALFORMED)
        if not same(mac, unhexlify(found.pop("mac"))):
            return None, refusal(id, BAD_MAC)
        if found["counter"] <= self.counter:
            return None, refusal(id, REPEATED if found["counter"] == self.counter else REPLAY)
        return found, None

    def prove(self, result: dict) -> None:
        """Have a refused replay tell the counter that is to be passed, signed: any number that
        anybody could have written might be the last one that there is.
        """
        text = "%s\n%s\n%s\n%d" % (_PROOF, self._node, result["id"], self.counter)
        result["last"] = self.counter
        result["proof"] = hexlify(hmac_sha256(self._key, text.encode())).decode()

    def admit(self, found: dict) -> tuple:
        """As judge(), for what is genuine: its counter is used up."""
        self.counter = found["counter"]
        body = _object(found["body"])
        if body is None or not isinstance(body.get("do"), str):
            return None, refusal(found["id"], MALFORMED)
        do = body.pop("do")
        if do not in _BODIES:
            return None, refusal(found["id"], UNKNOWN)
        if not _are_arguments(body, _BODIES[do]):
            return None, refusal(found["id"], MALFORMED)
        return Order(found["id"], found["counter"], do, body), None


def signature(key: bytes, node: str, id: str, counter: int, body: str) -> bytes:
    """The mac of a command, 32 bytes."""
    text = "%s\n%s\n%s\n%d\n%s" % (_LABEL, node, id, counter, body)
    return hmac_sha256(key, text.encode())


def refusal(id: str | None, why: str) -> dict:
    """The result of a command that is not executed. id -- None if it has none that can be read"""
    return {"id": id, "result": REFUSED, "why": why}


def _object(text) -> dict | None:
    try:
        found = strict_json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _is_id(id) -> bool:
    return (
        isinstance(id, str)
        and 1 <= len(id) <= _ID_CHARACTERS
        and all("!" <= c <= "~" and c != '"' for c in id)
    )


def is_name(name: str) -> bool:
    """Can a command be on a topic of this name? "" is the one place that all share"""
    return not name or (_is_id(name) and not any(c in name for c in "/+#"))


def _is_whole(found: dict) -> bool:
    if len(found) != len(_ENVELOPE) or not all(name in found for name in _ENVELOPE):
        return False
    if not _is_id(found["id"]) or not isinstance(found["body"], str):
        return False
    counter = found["counter"]
    if type(counter) is not int or not 1 <= counter <= _MOST_COUNTER:
        return False
    try:
        return len(unhexlify(found["mac"])) == 32
    except (ValueError, TypeError):
        return False


def _are_arguments(given: dict, allowed: dict) -> bool:
    for name, value in given.items():
        if name not in allowed:
            return False
        kind = allowed[name][0]
        if kind is not None and type(value) is not kind:
            return False
    return all(name in given for name, rule in allowed.items() if rule[1])
