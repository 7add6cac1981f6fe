"""What the demo's node gets: the project's own files, and a configuration for the bench."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tools.broker import Address
from tools.lockstep import Bench

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("boot.py", "main.py", "firmware", "lib")
COMMAND_LIMIT_S = 120


class DeployError(Exception):
    """mpremote could not bring the files onto the board; the text holds what it said."""


def build(folder: Path, node_id: str, broker: Address, period_s: int) -> list[str]:
    """Put the node's files into `folder`. Returns the names of its top level."""
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=ignore)
        else:
            shutil.copy(source, folder / part)
    config = {
        "id": node_id,
        "apn": "internet",
        "sample": {"period_s": period_s},
        "report": {"period_s": period_s},
        "mqtt": {"host": broker.host, "port": broker.port},
        "pins": {"pwrkey": 4, "wake": 5, "status": 18, "battery": 34, "temperature": 35},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    return [*PARTS, "config.json"]


def size(folder: Path) -> int:
    """Bytes of all files below `folder`."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def deploy(bench: Bench, staging: Path, names: list[str], tick: Callable[[], None]) -> None:
    """Copy `names` from `staging` to the board with mpremote.

    `tick()` is called many times a second. Raises DeployError.
    """
    _mpremote(bench, staging, ["fs", "cp", "-r", *names, ":/"], tick)


def reset(bench: Bench, cwd: Path) -> None:
    """Reset the board with mpremote: it starts what is on its flash. Raises DeployError."""
    lives = len(bench.wakes)
    _mpremote(bench, cwd, ["resume", "reset"], lambda: None)
    # mpremote does not wait for the code that it has sent: the board may still be reading it.
    limit = time.monotonic() + COMMAND_LIMIT_S
    bench.run(until=lambda: len(bench.wakes) > lives or time.monotonic() > limit, attended=True)


def _mpremote(bench: Bench, cwd: Path, command: list[str], tick: Callable[[], None]) -> None:
    job = subprocess.Popen(
        [sys.executable, "-m", "mpremote", "connect", bench.tty, *command],
        cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    limit = time.monotonic() + COMMAND_LIMIT_S

    def over() -> bool:
        tick()
        return job.poll() is not None or time.monotonic() > limit

    try:
        bench.run(until=over, attended=True)
    finally:
        if job.poll() is None:
            job.kill()
        output = job.communicate()[0].decode(errors="replace")
    if job.returncode:
        raise DeployError(f"mpremote {' '.join(command)} failed:\n{output.strip()}")
