"""Two processes that take turns run fastest on one CPU: waking another one takes far longer."""

import contextlib
import os
from collections.abc import Iterator


def current() -> int | None:
    """The CPU that this thread runs on; None where the system does not tell."""
    try:
        with open("/proc/thread-self/stat") as stat:
            # proc(5): the fields after the command's name in brackets begin with the third.
            return int(stat.read().rpartition(")")[2].split()[36])
    except OSError:
        return None


@contextlib.contextmanager
def only(cpu: int | None) -> Iterator[None]:
    """Keep this thread, and the processes that it starts, on one CPU meanwhile; None: anywhere."""
    if cpu is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
