"""Settings of one node: from texts to the two files, checked by the firmware's own table."""

import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tools.deploy import DeployError, settings

CONFIG, SECRETS = "config.json", "secrets.json"
KEY = "commands.key"
KEY_BYTES = 32


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

    def put(self, key: str, text: str) -> None:
        """Take a value as text. Raises DeployError for a key that the firmware does not know."""
        if key in self.tables.config:
            default = self.tables.config[key]
        elif key in self.tables.secrets:
            default = self.tables.secrets[key]
        else:
            known = ", ".join([*self.tables.config, *self.tables.secrets])
            raise DeployError(f"there is no setting {key}; known are {known}")
        value: Any = text
        if default is not None and not isinstance(default, str):
            try:
                value = json.loads(text)
            except ValueError:
                value = text  # a pin's name, or wrong: the firmware's table says so
        self.given[key] = value

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

    def files(self) -> dict[str, bytes]:
        """Content of both files. Raises DeployError when the firmware would refuse it."""
        made = {
            CONFIG: _nested({k: v for k, v in self.given.items() if k in self.tables.config}),
            SECRETS: _nested({k: v for k, v in self.given.items() if k in self.tables.secrets}),
        }
        settings.checked(made)
        return made


def fingerprint(key: str) -> str:
    """Enough of a key to tell it from others, and no help in guessing it."""
    return sha256(key.encode()).hexdigest()[:16] if key else ""


def _nested(flat: dict[str, Any]) -> bytes:
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        section, _, name = key.rpartition(".")
        (tree.setdefault(section, {}) if section else tree)[name] = value
    return (json.dumps(tree, indent=2) + "\n").encode()
