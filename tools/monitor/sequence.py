"""What the sequence numbers of a node's records tell: what is missing, and what came twice."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

LARGEST = 2**53  # of a number that is exact in JSON
MOST_AT_ONCE = 1000  # numbers that are missing after a jump
MOST = 5000  # of a node's, that are known one by one


@dataclass
class Sequence:
    """life -- how often the count has begun again: a node whose flash was erased begins with 1

    missing -- numbers that were skipped while we listened
    unheard -- numbers that were skipped while we did not: the node has sent them, for all we know
    forgotten -- missing ones that are not known one by one any more
    """

    life: int = 0
    highest: int = 0
    newest: float = 0.0  # time of record `highest`
    first: int = 0  # digest of record 1, 0: not known
    missing: set[int] = field(default_factory=set)
    unheard: set[int] = field(default_factory=set)
    forgotten: int = 0
    repeated: int = 0
    resumed: bool = False  # whether the next gap was made while nobody listened

    def take(self, seq: int, at: float, digest: int) -> bool:
        """Count a record. Returns whether it is new. digest -- of what is in it but its time"""
        if seq > self.highest:
            if self.highest:
                self._skip(range(max(self.highest + 1, seq - MOST_AT_ONCE), seq))
            self._newest(seq, at, digest)
            return True
        for gaps in (self.missing, self.unheard):
            if seq in gaps:
                gaps.discard(seq)
                return True
        if seq == 1 and self.highest > 1 and digest != self.first and at >= self.newest:
            self.life += 1
            self.forgotten += len(self.missing)
            self.missing.clear()
            self.unheard.clear()
            self._newest(seq, at, digest)
            return True
        self.repeated += 1
        return False

    def _newest(self, seq: int, at: float, digest: int) -> None:
        self.highest, self.newest, self.resumed = seq, at, False
        if seq == 1:
            self.first = digest

    def _skip(self, numbers: range) -> None:
        gaps = self.unheard if self.resumed else self.missing
        gaps.update(numbers)
        if len(gaps) > MOST:
            oldest = sorted(gaps)[: len(gaps) - MOST]
            gaps.difference_update(oldest)
            self.forgotten += 0 if self.resumed else len(oldest)

    def never_given(self, numbers: range) -> None:
        """No record has ever had these: none of them is missing."""
        for gaps in (self.missing, self.unheard):
            gaps.difference_update([seq for seq in gaps if seq in numbers])

    def state(self) -> dict[str, Any]:
        """As JSON has it."""
        gaps = {"missing": _ranges(self.missing), "unheard": _ranges(self.unheard)}
        return asdict(self) | gaps | {"resumed": True}

    @classmethod
    def of(cls, state: dict[str, Any]) -> "Sequence":
        """What `state` has given. Raises TypeError, ValueError for what is none."""
        gaps: dict[str, Any] = {
            key: {seq for first, last in state[key] for seq in _range(first, last)}
            for key in ("missing", "unheard")
        }
        found = cls(**(state | gaps))
        for value in (found.life, found.highest, found.newest, found.first, found.forgotten):
            if not isinstance(value, int | float):
                raise ValueError("no count")
        return found


def _range(first: int, last: int) -> range:
    if not 0 < first <= last <= LARGEST or last - first > MOST:
        raise ValueError("no range of numbers")
    return range(first, last + 1)


def _ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers as [first, last] of each run."""
    found: list[list[int]] = []
    for n in sorted(numbers):
        if found and n == found[-1][1] + 1:
            found[-1][1] = n
        else:
            found.append([n, n])
    return found


def numbered(value: object) -> int | None:
    """A sequence number; None for a value that is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 < value < LARGEST and value == int(value) else None
