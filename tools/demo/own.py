"""What `demo --node` needs of a node's own folder: a copy with stand-ins, and what must arrive."""

import json
import shutil
from pathlib import Path
from typing import Any

from tools.demo import far_side
from tools.demo.far_side import Arrived
from tools.lockstep import Bench
from tools.own import folder
from tools.own.folder import Folder
from tools.power import delivery
from tools.provision.node import SECRETS

LEFT_OUT = (folder.VIRTUAL, "build", ".git")


def stage(node: Folder, target: Path, arrived: Arrived) -> None:
    """Copy the folder as it is to be deployed: with whom to trust, and without the SIM's PIN, as
    the virtual SIM has none.
    """
    shutil.copytree(node.path, target, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for name, data in arrived.files.items():
        (target / name).write_bytes(data)
    if SECRETS in node.config:
        (target / SECRETS).write_text(json.dumps(node.secrets))


def uplink(given: dict[str, Any]) -> str:
    """The first one that it uses."""
    return far_side.uplinks(given)[0]


def problems(bench: Bench, arrived: Arrived, given: dict[str, Any]) -> list[str]:
    """What of its records is not where it should be; nothing when all is well."""
    span_s = bench.timeline.now_us / 1e6
    found = delivery.of(bench.console, arrived.records, span_s, given)
    if not found.arrived and not found.problem:
        return ["no record arrived"]
    return [found.problem] if found.problem else []
