"""Give a node a command over the broker, signed with its key, and print the result.

    python -m tools command field-17 --broker broker.example --secrets secrets.json ping
    python -m tools command field-17 --broker broker.example set report.period_s=600

The command waits at the broker as a retained message until the node wakes and listens, after its
next report; `--live` is for a node that listens now. The key is read from the node's secrets.json
(`--secrets`), from a file (`--key-file`), or from $C1100_COMMAND_KEY, the broker's password from
$MQTT_PASSWORD: neither is ever an argument, because others can see those.
"""

import argparse
import hmac
import json
import os
import queue
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tools.broker import Address, address, unreachable
from tools.deploy import settings

KEY_VARIABLE = "C1100_COMMAND_KEY"
PASSWORD_VARIABLE = "MQTT_PASSWORD"
LEAST_KEY_BYTES = 16
CONNECT_LIMIT_S = 15.0
FINAL = {"done", "failed", "refused", "kept", "taken back"}
WORDS = ("ping", "report", "reboot", "log", "fix", "set")


class Failure(Exception):
    """What cannot be done; the text says why, and what to do."""


def signed(node: str, key: bytes, body: dict[str, Any], counter: int, name: str) -> bytes:
    """The message that a node accepts (firmware/commands.py)."""
    text = json.dumps(body, separators=(",", ":"))
    told = f"c1100-command\n{node}\n{name}\n{counter}\n{text}"
    mac = hmac.new(key, told.encode(), "sha256").hexdigest()
    return json.dumps({"id": name, "counter": counter, "body": text, "mac": mac}).encode()


def body(words: list[str]) -> dict[str, Any]:
    """What the words of the command line say. Raises Failure."""
    do, *rest = words
    if do == "set":
        key, found, text = rest[0].partition("=") if len(rest) == 1 else ("", "", "")
        if not key or not found:
            raise Failure("set needs one KEY=VALUE, for example: set report.period_s=600")
        if key in settings.tables()[1]:
            raise Failure(f"{key} is a secret: provision it, it is not sent through a broker")
        return {"do": do, "key": key, "value": _value(text)}
    if do == "log" and len(rest) == 1 and rest[0].isdecimal():
        return {"do": do, "skip": int(rest[0])}
    if rest:
        raise Failure(f"{do} does not take {' '.join(rest)}")
    return {"do": do}


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:  # plain text needs no quotes
        return text


def read_key(secrets_file: Path | None, key_file: Path | None) -> bytes:
    """The node's key, from the first place that was named. Raises Failure; never shows it."""
    if secrets_file is not None:
        where = str(secrets_file)
        try:
            text = json.loads(secrets_file.read_text()).get("commands", {}).get("key", "")
        except (OSError, ValueError, AttributeError) as error:
            raise Failure(f"{where} cannot be used: {type(error).__name__}") from error
    elif key_file is not None:
        where = str(key_file)
        try:
            text = key_file.read_text().strip()
        except (OSError, ValueError) as error:
            raise Failure(f"{where} cannot be read: {type(error).__name__}") from error
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
            " or make one with `python -m tools provision`"
        )
    return key


class Conversation:
    """With one node over a broker. A context manager. Raises Failure when there is no broker."""

    def __init__(self, node: str, broker: Address, user: str | None) -> None:
        self.results: queue.Queue[dict[str, Any]] = queue.Queue()
        self._topic = f"nodes/{node}/"
        self._settled: queue.Queue[str | None] = queue.Queue()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if user:
            self._client.username_pw_set(user, os.environ.get(PASSWORD_VARIABLE))
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda c, u, mid, reasons, properties: self._settled.put(
            f"subscribing: {reasons[0]}" if reasons[0].is_failure else None
        )
        self._client.on_message = self._arrived
        try:
            self._client.connect(broker.host, broker.port)
        except OSError as error:
            raise Failure(unreachable(broker, error)) from error
        self._client.loop_start()
        try:
            problem = self._settled.get(timeout=CONNECT_LIMIT_S)
        except queue.Empty:
            problem = "it does not answer"
        if problem is not None:
            self.close()
            raise Failure(f"the broker at {broker} cannot be used: {problem}")

    def __enter__(self) -> "Conversation":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def tell(self, message: bytes, retained: bool) -> None:
        """Publish a command; an empty one takes the retained one back. Raises Failure."""
        done = self._client.publish(self._topic + "commands", message, qos=1, retain=retained)
        try:
            done.wait_for_publish(CONNECT_LIMIT_S)
        except (RuntimeError, ValueError) as error:
            raise Failure(f"the command was not published: {error}") from error
        if not done.is_published():
            raise Failure("the broker has not confirmed the command")

    def answers(self, name: str, limit_s: float, show: Callable[[dict[str, Any]], None]) -> str:
        """Show the results of a command until the last one, and return its word. Raises Failure
        when none comes in time.
        """
        limit = time.monotonic() + limit_s
        while True:
            try:
                result = self.results.get(timeout=max(0.0, limit - time.monotonic()))
            except queue.Empty as error:
                raise Failure(
                    f"no result within {limit_s:g} s: does the node report by MQTT, with a key?"
                    " A retained command still waits at the broker"
                ) from error
            if result.get("id") != name:
                continue
            show(result)
            if result.get("result") in FINAL:
                return str(result["result"])

    def _connected(self, client, userdata, flags, reason, properties) -> None:
        if reason.is_failure:
            self._settled.put(str(reason))
        else:
            client.subscribe(self._topic + "results", qos=1)

    def _arrived(self, client, userdata, message) -> None:
        try:
            result = json.loads(message.payload)
        except ValueError:
            return  # not from this firmware
        if isinstance(result, dict):
            self.results.put(result)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("node", help="its id")
    parser.add_argument(
        "words",
        nargs="+",
        metavar="COMMAND",
        help="ping | report | fix | reboot | log [LINES TO SKIP] | set KEY=VALUE",
    )
    parser.add_argument("--broker", required=True, type=address, metavar="HOST[:PORT]")
    parser.add_argument("--user", help=f"at the broker; password in ${PASSWORD_VARIABLE}")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--secrets", type=Path, metavar="FILE", help="the node's secrets.json")
    where.add_argument("--key-file", type=Path, metavar="FILE", help="the key in hexadecimal")
    parser.add_argument("--live", action="store_true", help="not retained: the node listens now")
    parser.add_argument("--wait", type=float, default=3600, metavar="S",
                        help="for the result, 0: do not wait (default: 3600)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Returns 0 when the node has done it, 1 when it refused, failed or did not answer."""
    try:
        if args.words[0] not in WORDS:
            raise Failure(f"there is no command {args.words[0]}; there are {', '.join(WORDS)}")
        what = body(args.words)
        key = read_key(args.secrets, args.key_file)
        name = secrets.token_hex(4)
        # Greater than that of every earlier command, on whatever host that was given.
        message = signed(args.node, key, what, time.time_ns() // 1_000_000, name)
        with Conversation(args.node, args.broker, args.user) as talk:
            talk.tell(message, retained=not args.live)
            if not args.wait:
                return 0
            word = talk.answers(name, args.wait, _show)
            if not args.live:
                talk.tell(b"", retained=True)
        return 0 if word in ("done", "kept") else 1
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1


def _show(result: dict[str, Any]) -> None:
    rest = {k: v for k, v in result.items() if k not in ("id", "counter", "result", "lines")}
    told = sorted(rest.items(), key=lambda pair: (isinstance(pair[1], str), pair))
    print(result.get("result"), *(f"{k}={v}" for k, v in told))
    for line in result.get("lines", []):
        print(" ", line)
    sys.stdout.flush()
