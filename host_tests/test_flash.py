"""The outbox on a real LittleFS under the real MicroPython."""

import json
import subprocess

from host_tests.test_on_micropython import ROOT, micropython


def test_no_loss_of_power_loses_or_damages_a_record():
    """The supply fails at every single block write and erase of 200 appends with acks between."""
    done = subprocess.run(
        [micropython(), "-X", "heapsize=64M", "host_tests/flash/power_cut.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    print(figures)
    assert figures["appends"] == 200
    assert figures["cuts"] == 2 * figures["writes"] > 1000
    assert (figures["lost"], figures["corrupt"], figures["stuck"]) == (0, 0, 0)
