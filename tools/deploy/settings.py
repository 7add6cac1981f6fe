"""config.json and secrets.json, checked by the firmware's own table before they go anywhere."""

import difflib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.deploy import DeployError, project
from tools.virtual_board.process import BoardError, interpreter

_CHECK = """\
import json
import sys
sys.path[:] = [{!r}, ".frozen"]
from firmware import config
from firmware.own import checking
kinds = {{"int": int, "float": float, "str": str}}
def row(given):
    if len(given) == 2:
        return given[0], tuple(given[1])
    return (given[0], kinds.get(given[1], given[1])) + tuple(given[2:])
tables = json.loads({!r})
checking.TABLES = {{s: t and {{k: row(t[k]) for k in t}} for s, t in tables.items()}}
try:
    all = config.load({!r}, json.loads({!r}))
except config.ConfigError as e:
    print(e)
    sys.exit(3)
print(json.dumps({{key: all[key] for key in config.SCHEMA}}))
"""
_TABLES = """\
import json
import sys
sys.path[:] = [{!r}]
from firmware import config
print(json.dumps([{{k: t[k][0] for k in t}} for t in (config.SCHEMA, config.SECRETS)]))
"""
_ONE = """\
import json
import sys
sys.path[:] = [{!r}]
from firmware import config
key, value = json.loads(sys.stdin.read())
schema = config.SCHEMA if key in config.SCHEMA else config.SECRETS
if not config.fits(key, value, schema[key]):
    print(config.allowed(key, schema[key]))
"""
_WIRING = """\
import json
import sys
sys.path[:] = [{!r}]
from firmware import wiring_cost
print(wiring_cost.told(json.loads(sys.stdin.read())))
"""
_REFUSED = 3
_NO_SETTING = re.compile(r"there is no setting ((?!sensors|rules|fences|dead_bands)\S+)$")

# Setting of a sensor: (default, type as text or choices, least, most), as in its SETTINGS.
Table = dict[str, list[Any]]


def micropython() -> str:
    """The executable of MicroPython on this host. Raises DeployError when there is none."""
    try:
        found = interpreter()
    except BoardError as error:
        raise DeployError(str(error)) from error
    # What pip installs is a library with a script beside Python's.
    return str(Path(sys.executable).with_name("micropython")) if found.endswith(".so") else found


def checked(
    files: dict[str, bytes],
    names: Mapping[str, object] | None = None,
    tables: Mapping[str, Table] | None = None,
    change: tuple[str, Any] | None = None,
) -> dict[str, Any]:
    """All settings but the secrets, flat and complete, as the firmware reads them.

    files -- content of "config.json", and of "secrets.json" if there is one
    names -- what they are called where they come from, for messages
    tables -- settings of the sensors in the node's folder; None: there is no folder to look at
    change -- (key, value) that takes the place of what config.json has

    Real MicroPython runs the firmware's config.py. Raises DeployError with its words.
    """
    with tempfile.TemporaryDirectory(prefix="settings.") as folder:  # nobody else may read it
        for name, data in files.items():
            Path(folder, name).write_bytes(data)
        known = json.dumps(_unknown(files, change) if tables is None else dict(tables))
        code = _CHECK.format(str(project.ROOT), known, folder + "/", json.dumps(change))
        done = _run(code)
        said = done.stdout.replace(folder + "/", "").strip()
    if done.returncode == _REFUSED:
        for name, known_as in (names or {}).items():
            if said.startswith(name) and known_as:
                said = f"{known_as}, as {said}"
                break
        raise DeployError(said + _hint(said))
    return json.loads(_said(done))


def _hint(said: str) -> str:
    strange = _NO_SETTING.search(said)
    if strange is None:
        return ""
    meant = _meant(strange[1], [key for table in tables() for key in table])
    return f": did you mean {meant}?" if meant else ""


def nearest(key: str, known: list[str]) -> str:
    """What may have been meant, for a message."""
    meant = _meant(key, known)
    return f": did you mean {meant}?" if meant else "; known are " + ", ".join(sorted(known))


def _meant(key: str, known: list[str]) -> str:
    """The nearest name, by the whole or by its last part; "" where none is near."""
    known = sorted(known)
    close = difflib.get_close_matches(key, known, 1, 0.6) or difflib.get_close_matches(
        key.rpartition(".")[2], [name.rpartition(".")[2] for name in known], 1, 0.8
    )
    if not close:
        return ""
    return next(name for name in known if name in close or name.endswith("." + close[0]))


def _unknown(files: dict[str, bytes], change: tuple[str, Any] | None = None) -> dict[str, None]:
    """The sensors that a configuration names, of which nothing is known."""
    found: dict[str, None] = {}
    try:
        found.update(dict.fromkeys(map(str, json.loads(files["config.json"])["sensors"])))
    except (KeyError, TypeError, ValueError):
        pass
    key, value = change or ("", None)
    section, *path = key.split(".")
    if section == "sensors":
        named = path[:1] if path else value if isinstance(value, dict) else ()
        found.update(dict.fromkeys(named))
    return found


def refusal(key: str, value: Any) -> str:
    """What the firmware says to one setting; "" if it takes it. The value is not in the text."""
    said = _said(_run(_ONE.format(str(project.ROOT)), json.dumps([key, value]))).strip()
    return f"{key}: {said}" if said else ""


def wiring(given: dict[str, Any]) -> str:
    """What the firmware says of a node's wires: what they rule out, and its price; "" if nothing.

    given -- as checked() returns it
    """
    return _said(_run(_WIRING.format(str(project.ROOT)), json.dumps(given))).strip()


def is_name(text: str) -> bool:
    """Whether a node may be called so; then a folder may, too."""
    return not refusal("id", text)


def tables() -> list[dict[str, Any]]:
    """All settings and all secrets that the firmware knows, by name, each with its default."""
    found = json.loads(_said(_run(_TABLES.format(str(project.ROOT)))))
    return [dict(sorted(table.items())) for table in found]  # MicroPython keeps no order


def _run(code: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [micropython(), "-c", code], input=given, capture_output=True, text=True, check=False
    )


def _said(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode:
        raise DeployError(f"the firmware's config.py does not run:\n{done.stdout}{done.stderr}")
    return done.stdout
