"""Where a node goes that cannot work: to sleep, to safe mode, to its prompt. Else not loaded."""

import sys
import time

from micropython import const

from . import boards, config, files, log

_SAFE_MODE_S = const(600)
_PROMPT_MS = const(5000)
_TRACES = ("config.good", "outbox")  # of a node that has been at work


def defaults() -> dict:
    """Settings, where none are known."""
    return {key: rule[0] for key, rule in config.SCHEMA.items()}


def was_at_work() -> bool:
    """Whether this node has ever had a configuration that could be used."""
    return any(files.is_there(name) for name in _TRACES)


def sleep(settings: dict | None, ms: int) -> None:
    """Deep sleep where nothing that the node has can be relied on."""
    time.sleep_ms(_PROMPT_MS)  # Ctrl-C, which mpremote sends first, ends it
    try:
        boards.board(settings or defaults()).sleep(ms)
    except Exception as error:  # a pin that this board does not have
        sys.print_exception(error)
        import machine

        machine.deepsleep(ms)


def safe_mode(unfinished: int) -> None:
    """The node keeps restarting: leave the module alone, and the prompt to whoever comes.

    Ctrl-C, which mpremote sends first, ends it. Afterwards the node sleeps, and tries again.
    """
    log.error("safe mode: %d wakes in a row did not end in sleep", unfinished)
    for _ in range(_SAFE_MODE_S):
        time.sleep(1)
