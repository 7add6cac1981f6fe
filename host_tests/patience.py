"""How long a test waits for what happens in real time: one place, and generous, since the machine
may be busy. No test asserts that something was fast: `make bench` has figures of speed.
"""

import time
from collections.abc import Callable

LIMIT_S = 300.0
COMPUTES_S = 1800.0  # for what computes all the time, on a machine that has more to do
ANSWER_S = 1.0  # that a virtual module waits for a peer which lives in a thread of the test's
LOOK_S = 0.01


def until(condition: Callable[[], object], failure: str = "it has not happened") -> None:
    """Wait until the condition holds. Fails with the text."""
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end, failure
        time.sleep(LOOK_S)
