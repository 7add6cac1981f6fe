"""The unit tests once more, on the real MicroPython."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from host_tests import compiled
from host_tests.patience import COMPUTES_S

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "host_tests" / "unit").glob("test_*.py"))


def micropython() -> str:
    """The interpreter that pip has installed beside this Python."""
    found = shutil.which("micropython", path=str(Path(sys.executable).parent))
    assert found, "no micropython beside this Python: pip install -r requirements.txt"
    return found


def mp_runner(path: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of one file, named from the project's root."""
    return subprocess.run(
        [micropython(), "-X", "heapsize=8M", "host_tests/mp_runner.py", path],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=COMPUTES_S,
        check=False,
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_unit_tests_on_micropython(path):
    done = mp_runner(path.relative_to(ROOT).as_posix(), COMPILED=compiled.folder())
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(" 0 failed on micropython\n")
    assert "\n0 passed" not in "\n" + done.stdout, "no test was found"
