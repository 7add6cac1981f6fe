"""What a document shows against what was really printed: numbers and keys differ."""

import re

REST = "..."  # a line of a document: here is more


def missing(shown: str, said: str) -> list[str]:
    """Lines that a document shows, and that were not said in that order."""
    found = iter([alike(line) for line in said.splitlines()])
    wanted = [line for line in shown.splitlines() if line != REST]
    return [line for line in wanted if alike(line) not in found]


def alike(line: str) -> str:
    """A line without what differs from run to run."""
    line = re.sub(r"\b[0-9a-f]{16,64}\b", "0", line)
    return re.sub(r"\d+(\.\d+)*", "0", line).strip()
