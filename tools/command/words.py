"""What an operator types: checked with the firmware's own table, and signed."""

import difflib
import hmac
import json
import math
import os
from pathlib import Path
from typing import Any

from tools.calling import COMMAND
from tools.deploy import DeployError, settings
from tools.own.folder import Folder
from tools.provision.node import OWN, Node, Tables

KEY_VARIABLE = "C1100_COMMAND_KEY"
LEAST_KEY_BYTES = 16
WORDS = ("ping", "report", "fix", "log", "set", "reboot")  # what a node does
OURS = ("results", "cancel")  # what is done at the broker
MOST_COUNTER = 2**53 - 1
LOG_DIGITS = 4  # of the number of lines to skip; no log has more
SHOWN = 60  # characters of a value in a message
# What makes one field of a rule or fence a whole one that can be checked.
WHOLE = {"rules": ({"of": "x"}, ("above", "below", "change", "rate"), 0),
         "fences": ({}, ("circle", "polygon"), [0, 0, 1])}  # fmt: skip


class Failure(Exception):
    """What cannot be done; the text says why, and what to do."""


class Usage(Failure):
    """What should not have been typed: nothing has been sent."""


def body(words: list[str]) -> dict[str, Any]:
    """What the words of the command line say. Raises Usage."""
    do, *rest = words
    if do not in WORDS:
        near = difflib.get_close_matches(do, (*WORDS, *OURS), 1)
        raise Usage(
            f"there is no command {do}"
            + (f": did you mean {near[0]}?" if near else f"; there are {', '.join(WORDS + OURS)}")
        )
    if do == "set":
        key, found, text = rest[0].partition("=") if len(rest) == 1 else ("", "", "")
        if not key or not found:
            raise Usage("set needs one KEY=VALUE, for example: set report.period_s=600")
        config, hidden = _tables()
        if key in hidden:
            raise Usage(f"{key} is a secret: provision it, it is not sent through a broker")
        is_text = isinstance(config.get(key), str) and text[:1] != '"'
        return {"do": do, "key": key, "value": text if is_text else _value(text)}
    if do == "log" and len(rest) == 1 and rest[0].isdecimal() and len(rest[0]) <= LOG_DIGITS:
        return {"do": do, "skip": int(rest[0])}
    if rest:
        raise Usage(f"{do} does not take {' '.join(rest)}")
    return {"do": do}


def check(what: dict[str, Any], folder: Folder | None = None) -> None:
    """Whether a node of this firmware can take it, as far as that does not hang on what else it
    has been set to. Raises Usage.

    folder -- the node's, if it is here: what hangs on its config.json and sensors is checked, too
    """
    if what["do"] != "set":
        return
    key, value = what["key"], what["value"]
    if key == "id":
        raise Usage("id is set by provisioning only: whoever waits would wait at the wrong place")
    if key.partition(".")[0] in OWN and "." in key:
        _check_own(key, value, folder)
        return
    tables = _tables()
    if key not in tables[0]:
        raise Usage(f"there is no setting {key}{Node(Tables(*tables)).nearest(key)}")
    try:
        said = settings.refusal(key, value).removeprefix(f"{key}: ")
    except DeployError as error:
        raise Failure(str(error)) from error
    if said:
        shown = json.dumps(value)
        shown = shown if len(shown) <= SHOWN else shown[:SHOWN] + "..."
        raise Usage(f"{key}: {shown} is not allowed; {said}")
    if key in OWN:
        _check_own(key, value, folder)


def _check_own(key: str, value: Any, folder: Folder | None) -> None:
    """A sensor's setting, a rule, a fence, a dead band, or all of them."""
    given: dict[str, Any] = {"id": "n", "mqtt": {"host": "h"}}
    section, *path = key.split(".")
    if folder is None and section in WHOLE and len(path) > 1:
        of, kinds, usual = WHOLE[section]
        of = of if path[-1] in kinds else {**of, kinds[0]: usual}
        given[section] = {".".join(path[:-1]): of}
    try:
        if folder is None:
            settings.checked({"config.json": json.dumps(given).encode()}, change=(key, value))
        else:
            settings.checked(folder.config, None, folder.tables(), (key, value))
    except DeployError as error:
        raise Usage(str(error).removeprefix("config.json: ")) from error


def _tables() -> list[dict[str, Any]]:
    try:
        return settings.tables()
    except DeployError as error:
        raise Failure(str(error)) from error


def _value(text: str) -> object:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # plain text needs no quotes
        return text
    return text if isinstance(value, float) and not math.isfinite(value) else value


def shown(what: Any) -> str:
    """A body in the words that it was typed in."""
    if not isinstance(what, dict) or not isinstance(what.get("do"), str):
        return "?"
    if what["do"] == "set":
        value = what.get("value")
        return f"set {what.get('key')}={value if isinstance(value, str) else json.dumps(value)}"
    return f"log {what['skip']}" if what.get("skip") else what["do"]


def signed(node: str, key: bytes, body: dict[str, Any], counter: int, name: str) -> bytes:
    """The message that a node accepts (firmware/commands.py)."""
    text = json.dumps(body, separators=(",", ":"))
    mac = _mac(node, key, name, counter, text)
    return json.dumps({"id": name, "counter": counter, "body": text, "mac": mac}).encode()


def is_genuine(node: str, key: bytes, message: dict[str, Any]) -> bool:
    """Whether a command is signed with this key."""
    name, counter, text, mac = (message.get(part) for part in ("id", "counter", "body", "mac"))
    if not all(isinstance(part, str) for part in (name, text, mac)) or type(counter) is not int:
        return False
    told = str(mac).encode("utf-8", "replace")
    return hmac.compare_digest(_mac(node, key, name, counter, text).encode(), told)


def proven(node: str, key: bytes, result: dict[str, Any]) -> int:
    """The counter that a node has told with its refusal of a replay; 0 if it has told none, or
    somebody else has: what anybody could have written might be the last counter that there is.
    """
    name, last, proof = (result.get(part) for part in ("id", "last", "proof"))
    if type(last) is not int or not 0 < last < MOST_COUNTER:
        return 0
    told = f"c1100-counter\n{node}\n{name}\n{last}".encode("utf-8", "replace")
    mac = hmac.new(key, told, "sha256").hexdigest()
    return last if hmac.compare_digest(mac.encode(), str(proof).encode("utf-8", "replace")) else 0


def _mac(node: str, key: bytes, name: Any, counter: int, text: Any) -> str:
    told = f"c1100-command\n{node}\n{name}\n{counter}\n{text}"
    return hmac.new(key, told.encode("utf-8", "replace"), "sha256").hexdigest()


def _why(error: Exception) -> str:
    """Never the text of what was read: it is secret."""
    return str(error.strerror) if isinstance(error, OSError) else type(error).__name__


def read_key(secrets_file: Path | None, key_file: Path | None) -> bytes:
    """The node's key, from the first place that was named. Raises Failure; never shows it."""
    if secrets_file is not None:
        where = str(secrets_file)
        try:
            text = json.loads(secrets_file.read_text()).get("commands", {}).get("key", "")
        except (OSError, ValueError, AttributeError) as error:
            raise Failure(f"{where} cannot be used: {_why(error)}") from error
    elif key_file is not None:
        where = str(key_file)
        try:
            text = key_file.read_text().strip()
        except (OSError, ValueError) as error:
            raise Failure(f"{where} cannot be read: {_why(error)}") from error
    else:
        where = f"${KEY_VARIABLE}"
        text = os.environ.get(KEY_VARIABLE, "").strip()
    try:
        key = bytes.fromhex(text)
    except (ValueError, TypeError) as error:
        raise Failure(f"{where}: the key is not hexadecimal") from error
    if len(key) < LEAST_KEY_BYTES:
        raise Failure(
            f"{where} has no key of {LEAST_KEY_BYTES} bytes or more: name --secrets or --key-file,"
            f" or make one with `{COMMAND} provision`"
        )
    return key
