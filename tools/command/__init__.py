"""Give a node a command over the broker, signed with its key, and print the result.

    python -m tools command field-17 --broker broker.example --secrets secrets.json ping
    python -m tools command field-17 --broker broker.example set report.period_s=600
    python -m tools command field-17 --broker broker.example results        what waits, and results
    python -m tools command field-17 --broker broker.example cancel ID      one that waits

Commands wait at the broker, each on a topic of its own, until the node listens, after its next
report; it executes them in the order in which they were given. With `--wait 0` the id is printed
under which `results` tells what has become of it (`results ID`: the whole of it, log lines too);
the broker keeps the last 20.

The key is read from the node's secrets.json (`--secrets`), from a file (`--key-file`), or from
$C1100_COMMAND_KEY, the broker's password from $MQTT_PASSWORD: neither is ever an argument, because
others can see those.
"""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.broker import address
from tools.command.conversation import PASSWORD_VARIABLE, Conversation
from tools.command.standing import GOOD, REPLAY, Standing, behind, values
from tools.command.words import (
    KEY_VARIABLE,
    MOST_COUNTER,
    OURS,
    Failure,
    Usage,
    body,
    check,
    proven,
    read_key,
    signed,
)
from tools.deploy import DeployError, seconds, settings
from tools.monitor.model import plain
from tools.own import folder
from tools.provision.node import SECRETS

__all__ = [
    "KEY_VARIABLE",
    "Failure",
    "Usage",
    "add_arguments",
    "body",
    "read_key",
    "run",
    "signed",
]

MOST = 48  # commands that wait for one node
TRIES = 3  # to get past another host's counter


class Stopped(Exception):
    """By Ctrl-C; the text says how the command stands."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("node", help="its id")
    parser.add_argument(
        "words",
        nargs="+",
        metavar="COMMAND",
        help="ping | report | fix | reboot | log [LINES TO SKIP] | set KEY=VALUE, "
        "or results [ID] | cancel ID",
    )
    parser.add_argument("--broker", required=True, type=address, metavar="HOST[:PORT]")
    parser.add_argument("--user", help=f"at the broker; password in ${PASSWORD_VARIABLE}")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--secrets", type=Path, metavar="FILE", help="the node's secrets.json")
    where.add_argument("--key-file", type=Path, metavar="FILE", help="the key in hexadecimal")
    parser.add_argument("--node", type=Path, metavar="FOLDER", dest="own",
                        help="the node's folder: its sensors, and its secrets.json")  # fmt: skip
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--live", action="store_true", help="not kept: the node listens now")
    how.add_argument("--single", action="store_true",
                     help="for firmware that knows one waiting command only")  # fmt: skip
    parser.add_argument("--after", type=_counter, default=0, metavar="COUNTER",
                        help="what the node has taken last, where a clock was ahead")  # fmt: skip
    parser.add_argument("--wait", type=seconds, default=3600, metavar="S",
                        help="for the result, 0: print its id (default: 3600)")  # fmt: skip


def _counter(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text[:20]) < MOST_COUNTER:
        raise argparse.ArgumentTypeError(f"{text!r} is no counter: 0 to {MOST_COUNTER - 1}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Returns 0 when the node has done it, 1 when it refused, failed or did not answer, 2 for what
    should not have been typed.
    """
    try:
        if not _is_name(args.node):
            raise Usage(f"{args.node!r} is no node's id")
        if args.words[0] in OURS:
            return _at_the_broker(args)
        what = body(args.words)
        own = _folder(args.own)
        check(what, own)
        secrets_file = args.secrets
        if own and not (args.secrets or args.key_file) and not os.environ.get(KEY_VARIABLE):
            secrets_file = own.path / SECRETS
        return _command(args, what, read_key(secrets_file, args.key_file))
    except Stopped as stop:
        print(plain(str(stop)), file=sys.stderr)
        return 130
    except Failure as failure:
        print(plain(str(failure)), file=sys.stderr)
        return 2 if isinstance(failure, Usage) else 1


def _folder(path: Path | None) -> folder.Folder | None:
    try:
        return folder.Folder.at(path) if path else None
    except DeployError as error:
        raise Failure(str(error)) from error


def _is_name(node: str) -> bool:
    try:
        return settings.is_name(node)
    except DeployError as error:
        raise Failure(str(error)) from error


def _at_the_broker(args: argparse.Namespace) -> int:
    do, *rest = args.words
    if len(rest) > 1 or (do == "cancel" and not rest):
        raise Usage(f"{do} takes {'the' if do == 'cancel' else 'no more than one'} id")
    with Conversation(args.node, args.broker, args.user) as talk:
        if do == "cancel":
            late = talk.withdrawn(rest[0])
            if late is None:
                print(f"{rest[0]} is withdrawn")
                return 0
            print("too late:", end=" ")
            _show(late)
            return 1
        talk.tidy()
        standing = talk.standing
        if rest:
            if rest[0] in standing.results:
                _show(standing.results[rest[0]])
            elif rest[0] in standing.waiting:
                print(standing.told(rest[0]))
            else:
                raise Failure(
                    f"{rest[0]} neither waits nor has a result: `results` lists what does"
                )
            return 0
        lines = standing.listing()
        print("\n".join(lines or [f"nothing waits for {args.node}, and no result is kept"]))
        print(standing.heard())
        return 0


def _command(args: argparse.Namespace, what: dict[str, Any], key: bytes) -> int:
    with Conversation(args.node, args.broker, args.user) as talk:
        standing = talk.standing
        if standing.genuine(args.node, key) >= MOST:
            raise Failure(f"{MOST} commands wait for {args.node} already: cancel some")
        if args.single and standing.single is not None:
            raise Failure(
                f"the single place is taken by {standing.single.message.get('id')}: wait for its "
                "result, or cancel it"
            )
        talk.tidy()
        told: dict[str, Any] = {}
        for _ in range(TRIES):
            given = _given(args, talk, what, key)
            if given is None:
                return 0
            told = given
            if told.get("why") != REPLAY:
                return 0 if told["result"] in GOOD else 1
            if not proven(args.node, key, told):
                break
            print(f"{behind(told)}. It is given again, behind that one")
            if args.single:
                talk.cleared()
        raise Failure(f"{behind(told)}. {_way_past(talk.standing)}")


def _given(
    args: argparse.Namespace, talk: Conversation, what: dict[str, Any], key: bytes
) -> dict[str, Any] | None:
    """Give a command. Returns its last result, None if nobody waits for that."""
    name = secrets.token_hex(4)
    queued = not (args.live or args.single)

    def sign(counter: int) -> bytes:
        if counter > MOST_COUNTER:
            raise Failure(
                f"{args.node} has taken a command with the last counter that there is: remove "
                "commands.counter from its board, and give it a new key (provision)"
            )
        return signed(args.node, key, what, counter, name)

    def counter() -> int:
        known = talk.standing.next_counter(args.node, key, time.time())
        return max(known, args.after + 1)

    message = b""
    try:
        if queued:
            message = talk.put(name, sign, counter)
        else:
            talk.tell("commands", sign(counter()), retained=args.single)
        since = time.time()
        if not args.wait:
            print(talk.standing.told(name) if queued else name)
            return None
        with _terminal(args, talk, name, since) as look:
            result = talk.answers(name, args.wait, look.show, message, look.tick)
    except KeyboardInterrupt as stop:
        if queued and name not in talk.standing.waiting:  # our own message may be under way
            talk.settle()
        raise Stopped(f"stopped: {_how_it_stands(args, talk, name)}") from stop
    if result is None:
        raise Failure(f"no result within {args.wait:g} s: {_how_it_stands(args, talk, name)}")
    if args.single:
        talk.tell("commands", b"")
    return result


def _way_past(standing: Standing) -> str:
    """For firmware that does not prove what its counter is."""
    found = standing.greatest()
    known = f"; the greatest that a result here tells is {found}" if found else ""
    return f"With --after COUNTER it is given behind that one, if you know its counter{known}"


def _how_it_stands(args: argparse.Namespace, talk: Conversation, name: str) -> str:
    if args.live:
        return "does the node listen now, has it this key?"
    standing = talk.standing
    if args.single:
        told = f"{name} waits at the broker; {standing.heard()}"
    elif name in standing.waiting or name in standing.results:
        told = standing.told(name).replace("waits since", "waits at the broker since")
    else:
        told = f"{name} is not seen at the broker; {standing.heard()}"
    return (
        f"{told}; does the node report by MQTT, with a key? "
        f"`results {name}` tells what becomes of it, `cancel {name}` withdraws it"
    )


class _Look:
    """What is seen of the waiting: a line that changes, where standard error is a terminal."""

    def __init__(self, talk: Conversation, name: str, since: float) -> None:
        self._talk = talk
        self._name = name
        self._since = since
        self._lively = sys.stderr.isatty()

    def show(self, result: dict[str, Any]) -> None:
        """A result has come."""
        self.clear()
        _show(result)

    def tick(self) -> None:
        """A second has passed."""
        if self._lively:
            minutes, seconds = divmod(int(time.time() - self._since), 60)
            gone = "the broker is gone, it is tried again; " if self._talk.gone else ""
            told = self._talk.standing.told(self._name)
            line = f"{minutes}:{seconds:02d}  {gone}{told}"
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._lively:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@contextmanager
def _terminal(
    args: argparse.Namespace, talk: Conversation, name: str, since: float
) -> Iterator[_Look]:
    look = _Look(talk, name, since)
    try:
        yield look
    finally:
        look.clear()


def _show(result: dict[str, Any]) -> None:
    print(plain(f"{result.get('result')} {values(result)}".rstrip()))
    lines = result.get("lines", [])
    for line in lines if isinstance(lines, list) else []:
        print(" ", plain(str(line)))
    sys.stdout.flush()
