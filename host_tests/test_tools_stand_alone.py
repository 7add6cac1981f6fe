"""The tools run on a plain CPython: nothing of the tests' stand-in for MicroPython is there."""

import subprocess
import sys
from pathlib import Path

from host_tests.patience import LIMIT_S

ROOT = Path(__file__).resolve().parents[1]
IMPORTS_ALL = """
import importlib, pkgutil, tools
for found in pkgutil.walk_packages(tools.__path__, "tools."):
    on_a_board = "on_micropython" in found.name or "stand_ins" in found.name
    if not on_a_board and not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print("all are there")
"""


def test_every_module_of_the_tools_is_imported_without_the_tests():
    job = subprocess.run([sys.executable, "-c", IMPORTS_ALL], cwd=ROOT, timeout=LIMIT_S,
                         capture_output=True, text=True, check=False)  # fmt: skip
    assert job.stdout == "all are there\n", job.stderr
