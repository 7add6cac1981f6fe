"""What a wake loads: code takes time and heap, and a wake that only samples needs no driver."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = """
import sys
sys.path[:] = [{root!r}, {root!r} + "/lib", ".frozen"]
import firmware.app
print(" ".join(sorted(sys.modules)))
"""


def test_a_wake_begins_without_the_driver():
    micropython = Path(sys.executable).parent / "micropython"
    command = [micropython, "-X", "heapsize=4M", "-c", SCRIPT.format(root=str(ROOT))]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "firmware.app" in loaded
    assert [name for name in loaded if name.split(".")[0] == "c1100"] == []
    later = {"session", "recovery", "uplinks.mqtt", "downlink", "commands"}
    assert {f"firmware.{name}" for name in later} & set(loaded) == set()
