"""A node on a desk, as docs/first-node.md has it: the same commands, in that order."""

import os
import re
import select
import time
from typing import NamedTuple

from host_tests.docs import shown
from host_tests.docs.desk import LIMIT_S, Desk, Running
from host_tests.docs.markdown import Document, commands
from host_tests.docs.stand_ins import Way, way
from tools import installed
from tools.broker import NotInstalled, free_port

PORT = "build/board"  # of the virtual board


class Step(NamedTuple):
    """A command, what the document shows of it, and what it has said."""

    command: str
    shown: str
    code: int
    said: str


def live(desk: Desk, document: Document, heading: str) -> list[Step]:
    """Do what a section says. Raises NotInstalled where there is no mosquitto."""
    if installed.program("mosquitto") is None:
        raise NotInstalled("mosquitto")
    port = str(free_port())
    real = {"desk_port": port, "desk_broker": f"127.0.0.1:{port}"}
    running: list[Running] = []
    steps: list[Step] = []
    blocks = [block for block in document.blocks if block.heading == heading]
    try:
        for block in blocks:
            if block.language == "text" and steps and not steps[-1].shown:
                steps[-1] = _with_what_is_shown(desk, steps[-1], block.text)
            for command in commands(block) if block.language == "sh" else []:
                how = way(command)
                started = desk.start(command, **real)
                if how.way is not Way.UNTIL:
                    steps.append(Step(command, "", *started.ended()))
                elif how.text:
                    steps.append(Step(command, "", 0, started.until(how.text)))
                    running.append(started)
                else:  # the monitor
                    started.until("desk")
                    steps.append(Step(command, "", *started.interrupt()))
    finally:
        for started in reversed(running):
            started.interrupt()
    return steps


def _with_what_is_shown(desk: Desk, step: Step, text: str) -> Step:
    """A step and what comes behind it; on a slow machine the board has not said all of it yet."""
    said = step.said
    if "deploy" in step.command and shown.missing(text, said):
        said += _heard(desk, text.splitlines()[-1].rpartition("| ")[2])
    return step._replace(shown=text, said=said)


def _heard(desk: Desk, last: str) -> str:
    """What the board says until it says a line like this, as deploy shows it."""
    pattern = re.sub(r"\d+", r"\\d+", re.escape(last))
    heard = b""
    limit = time.monotonic() + LIMIT_S
    fd = os.open(desk.root / PORT, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        while not re.search(pattern.encode(), heard) and time.monotonic() < limit:
            if select.select([fd], [], [], 0.2)[0]:
                heard += os.read(fd, 4096)
    finally:
        os.close(fd)
    return "".join(f"{PORT}: | {line}\n" for line in heard.decode().splitlines())
