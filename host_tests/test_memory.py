"""What the driver costs in heap, measured on the real MicroPython."""

import json
import subprocess
from pathlib import Path

from host_tests.test_on_micropython import ROOT, micropython

SCRIPTS = Path("host_tests/memory")


def measured(script: str, heap: str) -> dict:
    done = subprocess.run(
        [micropython(), "-X", f"heapsize={heap}", str(SCRIPTS / script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout)


def test_ring_allocates_nothing_but_the_view_it_hands_out():
    """100,000 lines in 64-byte chunks without any collection."""
    figures = measured("ring_allocation.py", "32M")
    print(figures)
    assert figures["lines"] >= 100_000
    assert figures["overflows"] == 0
    assert figures["per_line"] <= figures["memoryview"]
