"""A slice of what host_tests/damage.py tries: damaged queues, calls that fail, long lives."""

from firmware import marks
from host_tests import damage


def test_whatever_flash_does_to_a_queue():
    """No record but the damaged ones is lost, those are counted, and no number is given twice."""
    counts, wrong = damage.tried(step=9)
    print(f"{sum(counts.values())} queues: {dict(counts)}")
    assert wrong == []
    assert len(counts) == 2 * len(damage.SHAPES) + 1
    assert sum(counts.values()) > 9000


def test_the_oracle_sees_what_is_wrong(monkeypatch):
    """... by a queue that believes what it reads, or begins to count again."""
    monkeypatch.setattr(damage.segment, "sound", _believing)
    assert any("a damaged record" in why for why in damage.tried(step=300)[1])
    monkeypatch.undo()
    monkeypatch.setattr(marks, "numbers", lambda path: None)
    wrong = damage.tried(step=300)[1]
    assert any("given twice" in why for why in wrong)
    assert any("counted" in why for why in wrong)


def _believing(block: bytes):
    at = 0
    while at + 10 <= len(block):
        end = at + 10 + int.from_bytes(block[at : at + 2], "little")
        yield int.from_bytes(block[at + 2 : at + 6], "little"), at + 10, min(end, len(block))
        at = end
