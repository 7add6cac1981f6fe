"""What sessions with TLS cost: counted by the command, and told in docs/tls.md."""

import re

import pytest

from host_tests.test_lint_and_types import ROOT
from tools.power import tls_cost

SOME = 0.05  # of what is told: certificates differ by some bytes


@pytest.mark.parametrize("key", ["P-256", "RSA-2048"])
def test_the_document_tells_what_the_command_counts(key) -> None:
    told = {}
    for line in (ROOT / "docs/tls.md").read_text().splitlines():
        if found := re.match(r"\| (mqtts?|https) \| (\S*) ?\| (.*) \|", line):
            told[found[1], found[2]] = found[3].split(" | ")
    assert set(told) == set(tls_cost.ROWS)
    life = tls_cost.lived("mqtts", key, 0.2, 3600)
    assert not life.run.problem
    assert life.secured
    assert life.said("Traceback") == []  # a session without a goodbye is left to the collector
    counted = tls_cost.cost("mqtts", key, life)[2:6]
    for found, said in zip(counted, told["mqtts", key], strict=False):
        assert float(found) == pytest.approx(float(said), rel=2 * SOME), (counted, told)
