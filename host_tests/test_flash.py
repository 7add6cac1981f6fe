"""What the node stores, on a real LittleFS under the real MicroPython, whenever the power goes."""

import json
import os
import subprocess

from host_tests import compiled
from host_tests.patience import COMPUTES_S
from host_tests.test_on_micropython import ROOT, micropython


def run(script: str, *arguments: object) -> dict:
    """The figures that a script prints."""
    done = subprocess.run(
        [micropython(), "-X", "heapsize=16M", "host_tests/flash/" + script, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"COMPILED": compiled.folder()},
        capture_output=True,
        text=True,
        timeout=COMPUTES_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # behind what the node says, if it does


def test_no_loss_of_power_loses_or_damages_a_record():
    """The supply fails at every single block write and erase of 200 appends with acks between."""
    figures = run("power_cut.py")
    print(figures)
    assert figures["appends"] == 200
    assert figures["cuts"] == 2 * figures["writes"] > 1000
    assert (figures["lost"], figures["corrupt"], figures["stuck"]) == (0, 0, 0)


def test_no_loss_of_power_costs_a_setting_a_counter_or_the_log():
    """... at every block write of a life with commands, settings on trial, and a log."""
    figures = run("small_files_cut.py")
    print(figures)
    assert figures["cuts"] == 2 * figures["writes"] > 400
    assert figures["wrong"] == []


def test_no_flipped_bit_stops_a_node():
    """... with blocks of 512 bytes, a bit in each 128 bytes of every block in use."""
    figures = run("flipped_bits.py", 128)
    print(figures)
    assert figures["used"] > 60
    assert figures["tried"] == figures["used"] * 4
    assert figures["wrong"] == []
    # What is lost is counted, to the record.
    assert set(figures["outcomes"]) <= {"all delivered", "the rest counted"}
    assert figures["outcomes"]["all delivered"] > figures["tried"] * 0.8
