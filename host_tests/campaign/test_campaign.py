"""A short slice of `make soak`: every kind of fault once."""

from pathlib import Path

from rich.console import Console

from host_tests.campaign.__main__ import report
from host_tests.campaign.faults import FAULTS
from host_tests.campaign.run import campaign
from host_tests.peers import any_broker

WAKES = 250


def test_a_node_under_mixed_faults_keeps_its_promises(tmp_path: Path) -> None:
    with any_broker() as broker:
        made = campaign(tmp_path, broker, WAKES, 5, lambda name, wakes: None, lasting=False)
    report(made, 0, 5, Console())
    assert made.problems == []
    assert len(made.faults) >= len(FAULTS) - 3
    assert made.sampled > WAKES / 2
