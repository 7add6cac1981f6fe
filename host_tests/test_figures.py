"""`make bench`: its figures as data, and the one that is a promise."""

import argparse
import json
import shutil
from pathlib import Path

import pytest

from tools.bench import cli, figures, receiving


def bench(*options: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return cli.run(parser.parse_args(options))


def test_ring_allocates_nothing_but_the_view_it_hands_out():
    """100,000 lines in 64-byte chunks without any collection."""
    found = figures.on_micropython("ring_allocation.py", "32M")
    print(found)
    assert found["lines"] >= 100_000
    assert found["overflows"] == 0
    assert found["per_line"] <= found["memoryview"]


def test_the_outboxs_cost_does_not_grow_with_the_queue():
    """An erase of flash is what wears it; a record costs about one."""
    found = figures.on_micropython("outbox.py", "16M")
    print(found)
    assert found["many"] < 1.1 * found["few"]
    assert found["erases"] < 1.5


def test_figures_are_written_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    output = tmp_path / "build" / "bench.json"
    assert bench("--only", "sizes", "--output", str(output)) == 0
    written = json.loads(output.read_text())
    assert written["flash: c1100/ring.py as .mpy"]["unit"] == "B"
    assert 500 < written["flash: c1100/ring.py as .mpy"]["value"] < 5000
    assert "flash: c1100/ring.py as .mpy" in capsys.readouterr().out


def test_what_cannot_be_measured_here_is_named_with_the_reason(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert bench("--only", "heap_32_bit") == 0
    assert "heap_32_bit: not measured: node and npm are needed" in capsys.readouterr().out


def test_a_script_that_fails_is_a_failure_and_says_what_it_said(monkeypatch, tmp_path, capsys):
    (tmp_path / "commands.py").write_text("raise ValueError('no such command')")
    monkeypatch.setattr(figures, "SCRIPTS", tmp_path)
    assert bench("--only", "commands") == 1
    assert "ValueError: no such command" in capsys.readouterr().out


@pytest.mark.parametrize("measure", [figures.ring_throughput, figures.commands, figures.lockstep])
def test_it_is_measured(measure, monkeypatch):
    monkeypatch.setattr(figures, "WAKES", 2)
    found = measure()
    assert found
    assert all(value > 0 and unit for value, unit in found.values())


def test_a_received_line_takes_little_heap_beside_what_its_callback_is_handed():
    """Lines with callbacks and payloads, in chunks that cut them; 64-bit."""
    found = receiving.heap()
    print(found)
    assert found["rx.bytes_per_line"][0] <= 64
