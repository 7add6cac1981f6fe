"""What the demo's node gets: the project's own files, and a configuration for the bench."""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tools.broker import Address
from tools.deploy import DeployError, project, settings
from tools.lockstep import Bench

COMMAND_LIMIT_S = 600  # the machine may be busy
TICK_S = 0.1  # to look through the flash takes longer than all that the bench does meanwhile


def build(folder: Path, node_id: str, broker: Address, period_s: int, **others: dict) -> None:
    """Put all of a node's files into a folder that is a board's flash."""
    for target, source in project.sources().items():
        path = folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, path)
    configure(folder, node_id, broker, period_s, **others)


def configure(folder: Path, node_id: str, broker: Address, period_s: int, **others: dict) -> None:
    """Put the node's config.json into a folder."""
    config = {
        "id": node_id,
        "apn": "internet",
        "sample": {"period_s": period_s},
        "report": {"period_s": period_s},
        "mqtt": {"host": broker.host, "port": broker.port},
        "pins": {"pwrkey": 4, "wake": 5, "status": 18, "battery": 34, "temperature": 35},
        **others,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def differing(folder: Path) -> list[str]:
    """The settings of the config.json in a folder that are not the defaults, as "key value"."""
    given = json.loads((folder / "config.json").read_text())
    flat: dict[str, object] = {}
    for name, value in given.items():
        inner = value if isinstance(value, dict) else {"": value}
        flat |= {f"{name}.{key}".rstrip("."): found for key, found in inner.items()}
    usual = settings.tables()[0]
    return [f"{key} {value}" for key, value in flat.items() if value != usual.get(key)]


def count(folder: Path) -> int:
    """The number of files below `folder`."""
    return sum(f.is_file() for f in folder.rglob("*"))


def deploy(bench: Bench, staging: Path, tick: Callable[[], None], whole: bool = False) -> None:
    """Bring config.json and what is beside it in `staging`, driver and firmware onto the board.

    whole -- it is a node's own folder, which `deploy` takes as it is

    `tick()` is called every TICK_S meanwhile, and at the end. Raises DeployError.
    """
    command = ["tools", "deploy", "--port", bench.tty, "--no-reset"]
    if whole:
        command += ["--node", str(staging)]
    else:
        files = sorted(path.name for path in staging.iterdir())
        _run(bench, staging, ["mpremote", "connect", bench.tty, "fs", "cp", *files, ":"], tick)
    _run(bench, project.ROOT, command, tick)


def reset(bench: Bench, cwd: Path) -> None:
    """Reset the board with mpremote: it starts what is on its flash. Raises DeployError."""
    lives = len(bench.wakes)
    command = ["mpremote", "connect", bench.tty, "resume", "reset"]
    # What then starts is nobody's to attend, however long mpremote takes to end.
    _run(bench, cwd, command, lambda: None, lambda: len(bench.wakes) > lives)
    # mpremote does not wait for the code that it has sent: the board may still be reading it.
    limit = time.monotonic() + COMMAND_LIMIT_S
    bench.run(until=lambda: len(bench.wakes) > lives or time.monotonic() > limit, attended=True)


def _run(
    bench: Bench,
    cwd: Path,
    command: list[str],
    tick: Callable[[], None],
    served: Callable[[], bool] = lambda: False,
) -> None:
    """Run a command that talks to the board, until it has ended or has been `served`."""
    job = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    limit = time.monotonic() + COMMAND_LIMIT_S
    ticked = 0.0

    def over() -> bool:
        nonlocal ticked
        is_over = job.poll() is not None
        now = time.monotonic()
        if is_over or now >= ticked + TICK_S:
            ticked = now
            tick()
        return is_over or served() or now > limit

    try:
        bench.run(until=over, attended=True)
    finally:
        why = "failed"
        if served():
            with contextlib.suppress(subprocess.TimeoutExpired):
                job.wait(COMMAND_LIMIT_S)
        if job.poll() is None:
            job.kill()
            why = f"has not ended within {COMMAND_LIMIT_S} s"
        output = job.communicate()[0].decode(errors="replace")
    if job.returncode:
        raise DeployError(f"{' '.join(command)} {why}:\n{output.strip()}")
