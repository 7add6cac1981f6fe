"""Settings of one node: from texts to the two files, checked by the firmware's own table."""

import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from tools.deploy import DeployError, settings
from tools.provision import tls, wiring

CONFIG, SECRETS = "config.json", "secrets.json"
KEY = "commands.key"
KEY_BYTES = 32
OWN = ("sensors", "rules", "fences", "dead_bands")  # objects of a node's own


@dataclass
class Tables:
    """The firmware's keys with their defaults; None: the key must be given."""

    config: dict[str, Any]
    secrets: dict[str, Any]

    @classmethod
    def load(cls) -> "Tables":
        """As the firmware on this disk has them."""
        return cls(*settings.tables())


@dataclass
class Node:
    """given -- flat, key -> value, of both tables"""

    tables: Tables
    given: dict[str, Any] = field(default_factory=dict)
    chip: str = ""  # of the board, where it is known
    sensors: dict[str, settings.Table] | None = None  # of the node's folder, if it has one
    ruled_out: str = ""  # by its wiring, as files() has found

    def put(self, key: str, text: str) -> None:
        """Take a value as text. Raises DeployError for a key that the firmware does not know."""
        if key.partition(".")[0] in OWN and "." in key:
            self._put_own(key.split("."), text)
            return
        if key in self.tables.config:
            default = self.tables.config[key]
        elif key in self.tables.secrets:
            default = self.tables.secrets[key]
        else:
            raise DeployError(f"there is no setting {key}{self.nearest(key)}")
        value: Any = text
        if default is not None and not isinstance(default, str):
            try:
                value = json.loads(text)
            except ValueError:
                value = text  # a pin's name, or wrong: the firmware's table says so
        self.given[key] = value

    def _put_own(self, path: list[str], text: str) -> None:
        """``sensors.soil.dry_v``: the last name stands in an object of the others."""
        top = path[0]
        at = self.given[top] = json.loads(json.dumps(self.given.get(top, {})))
        for name in path[1:-1]:
            at = at.setdefault(name, {})
            if not isinstance(at, dict):
                raise DeployError(f"{'.'.join(path)}: {name} is no object")
        try:
            at[path[-1]] = json.loads(text)
        except ValueError:
            at[path[-1]] = text

    def nearest(self, key: str) -> str:
        """What may have been meant, for a message."""
        return settings.nearest(key, [*self.tables.config, *self.tables.secrets])

    def wire(self, name: str) -> None:
        """Take a wiring of README; what is given by name stays."""
        preset = wiring.WIRINGS[name]
        self.given = preset.settings | self.given
        self.chip = self.chip or preset.chip

    def check(self, key: str) -> None:
        """Whether the firmware takes this setting. Raises DeployError with its words."""
        told = settings.refusal(key, self.given[key])
        if told:
            raise DeployError(told)

    def make_key(self) -> None:
        """Give the node a key of its own for commands, unless it has one."""
        if KEY not in self.tables.secrets:
            raise DeployError(f"this firmware has no setting {KEY}")
        if not self.given.get(KEY):
            self.given[KEY] = secrets.token_hex(KEY_BYTES)

    @property
    def id(self) -> str:
        """The node's name."""
        return str(self.given.get("id", ""))

    def files(self, folder: Path | None = None) -> dict[str, bytes]:
        """Content of both files, and of those that tls.* names in a folder. Raises DeployError
        when the firmware would refuse it.
        """
        made, whole = self._checked()
        self.ruled_out = settings.wiring(whole)
        return made | tls.files(whole, folder)

    def refusal(self) -> str:
        """What the firmware would say to all that is given so far; "" if it takes it."""
        try:
            self._checked()
        except DeployError as error:
            return str(error)
        return ""

    def _checked(self) -> tuple[dict[str, bytes], dict[str, Any]]:
        made = {
            CONFIG: _text({k: v for k, v in self.given.items() if k in self.tables.config}),
            SECRETS: _text({k: v for k, v in self.given.items() if k in self.tables.secrets}),
        }
        whole = settings.checked(made, tables=self.sensors)
        wiring.check_whole(self.chip, whole)
        return made, whole


def fingerprint(key: str) -> str:
    """Enough of a key to tell it from others, and no help in guessing it."""
    return sha256(key.encode()).hexdigest()[:16] if key else ""


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    """Settings as a file has them: section -> name -> value."""
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        section, _, name = key.rpartition(".")
        (tree.setdefault(section, {}) if section else tree)[name] = value
    return tree


def _text(flat: dict[str, Any]) -> bytes:
    return (json.dumps(nested(flat), indent=2) + "\n").encode()
