"""A folder for a node of your own: configuration, a sensor to begin with, a README.

    python -m tools new field-17
    python -m tools new field-17 --sensor bme280 --sensor pulse

What is in it is yours, and needs no change to driver or firmware. Then:

    python -m tools demo --node field-17
    python -m tools deploy --node field-17 --port /dev/ttyUSB0
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tools.calling import COMMAND
from tools.deploy import DeployError, settings
from tools.own import folder
from tools.provision import wiring
from tools.provision.node import CONFIG, SECRETS, nested

READY = Path(__file__).parent / "ready"
EXAMPLE = "example"
CONFIGS = "config"  # what a sensor needs in config.json
IGNORED = "secrets.json\n*.good\n*.pem\n*.key\nbuild/\n"
README = """\
# {name}

A node: `config.json`, `sensors/`, and `secrets.json`, which git ignores. What a sensor is, and
what else may stand in `config.json`, is in docs/own-node.md of the firmware.

    {command} demo --node {path}                       its life in software
    {command} simulate --node {path} --days 30         how long its battery lasts
    {command} provision --node {path}                  broker, passwords, pins
    {command} deploy --node {path} --port /dev/ttyUSB0 onto the board

`virtual/` says what the virtual board's pins and buses give: a CSV of values over time, or a
Python file for a device.
"""


def ready() -> dict[str, Path]:
    """Sensor -> file, of those that come with the tools."""
    return {path.stem: path for path in sorted((READY / folder.SENSORS).glob("*.py"))}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="its name is the node's id")
    parser.add_argument("--sensor", action="append", choices=list(ready()), metavar="NAME",
                        help=f"one of {', '.join(ready())} (default {EXAMPLE})")  # fmt: skip
    parser.add_argument("--wiring", choices=wiring.WIRINGS, default="esp32",
                        help="pins as README draws them (default esp32)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Make it. Returns 0, or 1 when it cannot be made."""
    try:
        make(args.folder, args.sensor or [EXAMPLE], args.wiring)
    except DeployError as error:
        print(f"new: {error}", file=sys.stderr)
        return 1
    print(f"{args.folder}: a node called {args.folder.name}. See it live:")
    print(f"  {COMMAND} demo --node {args.folder}")
    print(f"Its sensors are in {args.folder / folder.SENSORS}, its README says what else.")
    return 0


def make(path: Path, sensors: list[str], wired: str) -> None:
    """Write the folder. Raises DeployError when there is something already."""
    name = path.resolve().name
    if not settings.is_name(name):
        raise DeployError(f"{name} is no name for a node: {settings.refusal('id', name)}")
    if path.exists() and any(path.iterdir()):
        raise DeployError(f"{path} is there and not empty: another name, or remove it")
    config: dict[str, Any] = {
        "id": name,
        "mqtt": {"host": "broker.example", "port": 1883},
        "sample": {"period_s": 900},
        "report": {"period_s": 900},
        "health": {"period_s": 86400},
        **nested(wiring.WIRINGS[wired].settings),
    }
    for sensor in sensors:
        needed = READY / CONFIGS / f"{sensor}.json"
        if needed.is_file():
            for section, values in json.loads(needed.read_text()).items():
                config[section] = {**config.get(section, {}), **values}
    texts = {
        CONFIG: json.dumps(config, indent=2) + "\n",
        SECRETS: "{}\n",
        ".gitignore": IGNORED,
        "README.md": README.format(name=name, path=path, command=COMMAND),
    }
    for sensor in dict.fromkeys(sensors):
        texts[f"{folder.SENSORS}/{sensor}.py"] = ready()[sensor].read_text()
        for given in sorted((READY / folder.VIRTUAL / sensor).iterdir()):
            texts[f"{folder.VIRTUAL}/{given.name}"] = given.read_text()
    for target, text in texts.items():
        file = path / target
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600 if target == SECRETS else 0o644)
        file.write_text(text)
