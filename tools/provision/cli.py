"""Write a node's config.json and secrets.json, checked by the firmware's own table.

    python -m tools provision --port /dev/ttyUSB0             asks for what is needed
    python -m tools provision --folder node-1 --id node-1 --broker broker.example:1883
    python -m tools provision --batch nodes.csv --keys --folder nodes

Secrets are asked for, or come from a file (--secrets) or the environment: the setting
mqtt.password is $NODE_MQTT_PASSWORD. They are never taken from the command line, nor shown.

Provisioning again keeps what a node has, its secrets and its key too; what is given by name takes
its place. `--fresh` begins anew.

The columns of a batch file are settings, and "port" for a board to write to. What was written
where goes to manifest.json, the keys alone to keys.csv.
"""

import argparse
import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from tools import failure
from tools.deploy import DeployError, seconds, settings
from tools.deploy.connection import Connection
from tools.deploy.reach import countdown
from tools.own.folder import Folder
from tools.power.wording import count
from tools.provision import questions, table, wiring
from tools.provision.node import CONFIG, KEY, OWN, SECRETS, Node, Tables, fingerprint

PORT = "port"
KEYS = "keys.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--port", help="serial port of the board to write to")
    parser.add_argument("--wait", type=seconds, default=10, metavar="SECONDS",
                        help="for a board that sleeps to wake (default 10)")  # fmt: skip
    parser.add_argument("--folder", type=Path, metavar="DIR", help="write the files here")
    parser.add_argument("--node", type=Path, dest="folder", metavar="FOLDER", help="as --folder")
    parser.add_argument("--id", help="the node's name")
    parser.add_argument("--apn", help="access point name")
    parser.add_argument("--broker", metavar="HOST[:PORT]", help="MQTT broker")
    parser.add_argument("--user", help="name at the broker")
    parser.add_argument("--wiring", choices=wiring.WIRINGS,
                        help="pins as README draws them; --set changes single ones")  # fmt: skip
    parser.add_argument("--board", choices=wiring.CHIPS,
                        help="chip whose pins are checked (default: the wiring's)")  # fmt: skip
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                        help="any other setting, as README names it")  # fmt: skip
    parser.add_argument("--secrets", type=Path, metavar="FILE", help="secrets.json to begin with")
    parser.add_argument("--key", action="store_true", dest="keys", help="as --keys")
    parser.add_argument("--keys", action="store_true",
                        help="a new key for commands where none is given")  # fmt: skip
    parser.add_argument("--tls", type=Path, metavar="DIR",
                        help="where the files of tls.* are; default: the folder")  # fmt: skip
    parser.add_argument("--batch", type=Path, metavar="CSV", help="many nodes, one in each row")
    parser.add_argument("--fresh", action="store_true",
                        help="keep nothing of what it has, no secret, no key")  # fmt: skip
    parser.add_argument("--no-input", action="store_true", help="ask nothing")


def run(args: argparse.Namespace) -> int:
    """Write what is asked for. Returns 0, or 1 with a message."""
    try:
        if not args.port and not args.folder and not args.batch:
            raise DeployError("where to? give --port PORT, --folder DIR, or both")
        tables = Tables.load()
        if args.batch:
            _batch(args, tables)
        else:
            _one(args, tables)
    except (DeployError, OSError) as error:
        print(f"FAILED: {failure.words(error)}", file=sys.stderr)
        return 1
    return 0


# One node ---------------------------------------------------------------------------------------


def _one(args: argparse.Namespace, tables: Tables) -> None:
    node = Node(tables)
    if args.folder:
        node.sensors = Folder(args.folder).tables()
    if not args.fresh:
        if args.folder:
            _keep_folder(node, args.folder)
        elif args.port:
            _keep_board(node, args.port, args.wait)
    kept = dict(node.given)
    _common(node, args)
    new_key = args.keys
    if sys.stdin.isatty() and not args.no_input:
        new_key = questions.ask(node, args.keys, _is_wired(node, args))
    if new_key:
        node.make_key()
    files = node.files(args.tls or args.folder)
    for place in _write(files, args.port, args.folder, args.wait):
        print(f"{node.id}: {CONFIG} and {SECRETS} written to {place['to']}")
    _tell_kept(node, kept)
    _tell_wiring(node)
    if new_key:
        print(f"{node.id}: the key's fingerprint is {fingerprint(node.given[KEY])}")


def _is_wired(node: Node, args: argparse.Namespace) -> bool:
    return args.wiring is not None or any(key.startswith("pins.") for key in node.given)


def _tell_kept(node: Node, kept: dict[str, Any]) -> None:
    """Names, never values: what was there and still is."""
    names = [key for key, value in kept.items() if node.given.get(key) == value]
    if names:
        print(f"{node.id}: kept as it was: {', '.join(sorted(names))}")


def _tell_wiring(node: Node) -> None:
    if node.ruled_out:
        print(f"{node.id}: wiring: {node.ruled_out}")


def _keep_folder(node: Node, folder: Path) -> None:
    """What the node has already in its folder."""
    for name in (CONFIG, SECRETS):
        path = folder / name
        if path.exists():
            _take(node, _flat(_json(path)), str(path))


def _keep_board(node: Node, port: str, wait_s: float) -> None:
    """What the node has already on its board."""
    with Connection(port, wait_s, countdown(port)) as board:
        node.chip = wiring.chip_of(board.about().machine)
        for name in (CONFIG, SECRETS):
            text = board.read(name)
            if text is not None:
                _take(node, _flat(_parsed(text, f"{name} of the board")), name)


def _take(node: Node, found: dict[str, Any], where: str) -> None:
    for key, value in found.items():
        if key not in node.tables.config and key not in node.tables.secrets:
            raise DeployError(
                f"{where}: there is no setting {key}{node.nearest(key)} (--fresh begins anew)"
            )
        node.given[key] = value


def _common(node: Node, args: argparse.Namespace) -> None:
    """What options, file and environment say."""
    node.chip = args.board or node.chip
    if args.secrets:
        for key, value in _flat(_json(args.secrets)).items():
            _secret(node, key, value, str(args.secrets))
    for key in node.tables.secrets:
        value = os.environ.get("NODE_" + key.upper().replace(".", "_"))
        if value is not None:
            node.put(key, value)
    host, _, port = (args.broker or "").partition(":")
    given = {"id": args.id, "apn": args.apn, "mqtt.host": host, "mqtt.port": port,
             "mqtt.user": args.user}  # fmt: skip
    for key, value in given.items():
        if value:
            node.put(key, value)
    for pair in args.set:
        key, equals, value = pair.partition("=")
        if not equals:
            raise DeployError(f"--set {pair}: it must be KEY=VALUE")
        if key in node.tables.secrets:
            raise DeployError(
                f"{key} is a secret: give it at the prompt, in a file (--secrets), or as "
                f"$NODE_{key.upper().replace('.', '_')}"
            )
        node.put(key, value)
    if args.wiring:
        node.wire(args.wiring)


def _secret(node: Node, key: str, value: Any, where: str) -> None:
    if key not in node.tables.secrets:
        raise DeployError(
            f"{where}: {key} is no secret; known are {', '.join(sorted(node.tables.secrets))}"
        )
    node.put(key, str(value))


def _write(
    files: dict[str, bytes], port: str | None, folder: Path | None, wait_s: float
) -> Iterable[dict[str, str]]:
    """Write both files; yields where to, and which board that is."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            path = folder / name
            with failure.naming(path):
                path.touch(mode=0o600)
                path.chmod(0o644 if name == CONFIG else 0o600)
                path.write_bytes(data)
        yield {"to": str(folder)}
    if port:
        with Connection(port, wait_s, countdown(port)) as board:
            about = board.about()
            for name, data in files.items():
                board.write(name, data, lambda count: None)
            board.restart(0, print)
        yield {"to": port, "board": about.unique_id}


# Many -------------------------------------------------------------------------------------------


def _batch(args: argparse.Namespace, tables: Tables) -> None:
    rows = table.rows(args.batch)
    base = args.folder or args.batch.parent
    known = {} if args.fresh else _known_keys(base / KEYS)
    nodes: list[tuple[Node, str | None]] = []
    for number, row in enumerate(rows, 2):
        node = Node(tables)
        name = row.get("id", "")
        if name in known:  # a batch that is run again gives the same keys
            node.given[KEY] = known[name]
        port = row.pop(PORT, None) or None
        try:
            if args.folder and not args.fresh and settings.is_name(name):
                _keep_folder(node, args.folder / name)
            _common(node, args)
            for key, value in row.items():
                if value:
                    node.put(key, value)
            if args.keys:
                node.make_key()
            node.files(args.tls)
        except DeployError as error:
            raise DeployError(f"{args.batch}, line {number}: {error}") from error
        if not port and not args.folder:
            raise DeployError(f"{args.batch}, line {number}: no port; or give --folder DIR")
        nodes.append((node, port))
    ids = [node.id for node, _ in nodes]
    for each in ids:
        if ids.count(each) > 1:
            raise DeployError(f"{args.batch}: {ids.count(each)} nodes are called {each}")
    # Nothing has been written so far: a batch is right as a whole, or not begun.
    base.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    keys = dict(known)
    for node, port in nodes:
        folder = args.folder / node.id if args.folder else None
        files = node.files(args.tls)
        key = str(node.given.get(KEY, ""))
        if key:  # kept before it is used: a node whose key is lost cannot be talked to
            keys[node.id] = key
            _save_keys(base / KEYS, keys)
        for place in _write(files, port, folder, args.wait):
            entry = {"id": node.id, **place}
            entry["config.json"] = sha256(files[CONFIG]).hexdigest()
            entry["key"] = fingerprint(key)
            entries.append(entry)
            print(f"{node.id}: written to {place['to']}")
        _tell_wiring(node)
        with failure.naming(base / "manifest.json"):
            (base / "manifest.json").write_text(json.dumps(entries, indent=2) + "\n")
    print(f"{count(len(nodes), 'node')}; what went where is in {base / 'manifest.json'}")
    if keys:
        print(f"the keys are in {base / KEYS}, which only you can read: keep it safe")


def _known_keys(path: Path) -> dict[str, str]:
    """node -> key, of an earlier run; also of nodes that are in no batch any more."""
    if not path.exists():
        return {}
    return {row["id"]: row["key"] for row in table.rows(path) if row.get("id") and row.get("key")}


def _save_keys(path: Path, keys: dict[str, str]) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    with failure.naming(path), path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "key"), *keys.items()])


def _json(path: Path) -> dict[str, Any]:
    return _parsed(path.read_bytes(), str(path))


def _parsed(text: bytes, where: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for name, times in Counter(name for name, _ in pairs).items():
            if times > 1:
                raise ValueError(f'"{name}" is there twice')
        return dict(pairs)

    try:
        found = json.loads(text, object_pairs_hook=once)
    except ValueError as error:
        raise DeployError(f"{where} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise DeployError(f"{where} must hold one JSON object")
    return found


def _flat(tree: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict) and key not in OWN:
            flat |= {f"{key}.{name}": each for name, each in value.items()}
        else:
            flat[key] = value
    return flat
