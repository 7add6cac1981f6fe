"""What cannot be as the documents print it, and what stands in: each with its reason.

A command that is in no table is run as printed, to its end, and must succeed.
"""

from enum import Enum
from typing import NamedTuple


class Name(NamedTuple):
    """printed -- in a document's command; real -- what stands in, `{...}` is made by the desk

    of -- beginnings of the commands in which it does; () for all
    """

    printed: str
    real: str
    of: tuple[str, ...]
    why: str


TALKS = ("python -m tools monitor", "python -m tools command")
BOARDS = (
    *(f"python -m tools {name}" for name in ("provision", "deploy", "flash", "log")),
    "mpremote",
)
NAMES = (
    Name("broker.example:1883", "{broker}", TALKS, "no host is called so: a mosquitto"),
    Name("broker.example ", "{broker} ", TALKS, "the same"),
    Name("127.0.0.1:1884", "{desk_broker}", (), "somebody may have that port: a free one"),
    Name("-p 1884", "-p {desk_port}", ("mosquitto",), "the same"),
    Name("--web 8080", "--web {port}", (), "the same"),
    Name(" PORT", " {board}", BOARDS, "no board is here: a virtual one"),
    Name("/dev/ttyUSB0", "{board}", BOARDS, "the same"),
    Name("/dev/ttyACM0", "{board}", BOARDS, "the same"),
    Name("/dev/ttyUSB1", "{module}", ("python -m tools bridge",), "no C1100 is here"),
    Name("/dev/ttyUSB0", "{line}", ("python -m tools virtual-c1100", "python -m tools bridge"),
         "no serial port is here: a pseudo terminal"),
    Name("/dev/shm/", "{folder}/", (), "two runs of the tests must not share it"),
    Name("mpremote exec", "mpremote connect {board} exec", (), "it looks for a board on USB"),
    Name("mpremote mip", "mpremote connect {board} mip", (), "the same"),
    Name("github:OWNER/REPO@mpy", "{server}/package.json", (),
         "no such repository: a local server of build/mip, which is what that branch holds"),
    Name("github:OWNER/REPO/lib", "./lib", (), "no such repository: this one"),
    Name("github:OWNER/REPO", "./package.json", (), "no such repository: this one"),
    Name("--index URL", "--index {server}", (), "the same"),
)  # fmt: skip


class Way(Enum):
    """How a command is run."""

    PRINTED = "as printed, to its end"
    UNTIL = "as printed, until it says something; then Ctrl-C"
    INSTEAD = "with shorter arguments"
    PARSED = "only read by its own parser"


class How(NamedTuple):
    """begins -- of the command; text -- a pattern for UNTIL, arguments for INSTEAD, which take the
    place of what is printed, or come behind it where they begin with "+"

    In full (`make docs`) what is INSTEAD or PARSED here is run as printed, if it is `full`.
    """

    begins: str
    way: Way
    text: str
    why: str
    full: bool = True


UNTIL, INSTEAD, PARSED = Way.UNTIL, Way.INSTEAD, Way.PARSED
HOW = (
    How("make venv", PARSED, "", "these tests run in what it makes"),
    How("make demo", PARSED, "", "host_tests/bench/test_demo.py runs it"),
    How("make test", PARSED, "", "it is what runs this"),
    How("make month", PARSED, "", "minutes"),
    How("python -m tools payload", INSTEAD, "+ --records 1", "half a minute"),
    How("make lint", PARSED, "", "it is a part of the suite"),
    How("python -m pytest", INSTEAD, "python -m pytest -n 0 host_tests/unit/test_ring.py",
        "it is a part of the suite"),
    How("python -m tools simulate --days 30", INSTEAD, "+ --days 0.05", "minutes"),
    How("python -m tools simulate --days 2 --profile", INSTEAD, "+ --days 0.05", "half a minute"),
    How("python -m tools simulate --scenario host_tests/scenarios/ten-years", INSTEAD,
        "+ --days 0.6", "half a minute"),
    How("python -m tools simulate --module mdm9206-datasheets --scenario", INSTEAD,
        "+ --days 0.05", "half a minute"),
    How("python -m tools simulate --node", INSTEAD, "+ --days 0.05", "half a minute"),
    How("python -m tools simulate --scenario", PARSED, "", "host_tests/power lives each of them"),
    How("python -m tools simulate --frozen", PARSED, "", "host_tests/power lives it"),
    How("python -m tools demo --uplink", INSTEAD, "+ --reports 1", "a wake shows it"),
    How("python -m tools simulate --no-frozen", INSTEAD, "+ --days 0.05", "half a minute"),
    How("python -m tools bench --only computing", PARSED, "", "half a minute"),
    How("python -m tools bench --only receiving", PARSED, "", "half a minute"),
    How("python -m tools bench --only others", PARSED, "", "half a minute"),
    How("python -m tools bench --only asking", PARSED, "", "half a minute"),
    How("python -m tools bench --only bursts", PARSED, "", "test_burst.py has it"),
    How("python -m tools bench --only energy", PARSED, "", "host_tests/power has the same"),
    How("python -m tools flash", INSTEAD, "+ --dry-run", "there is no bare board", False),
    How("python -m tools deploy --port /dev/tty", INSTEAD, "+ --log 1", "the node's first minute"),
    How("python -m tools monitor --broker broker.example:1883 --web", UNTIL,
        r"http://127\.0\.0\.1:\d+/", "it serves until Ctrl-C"),
    How("python -m tools monitor", UNTIL, "", "it shows until `q`"),
    How("python -m tools virtual-c1100", UNTIL, "Ctrl-C ends it", "it serves until Ctrl-C"),
    How("python -m tools virtual-board", UNTIL, "/dev/pts/", "it serves until Ctrl-C"),
    How("python -m tools bridge", UNTIL, "virtual (C1100|board) for the", "likewise"),
    How("mosquitto", UNTIL, "running", "likewise"),
)  # fmt: skip

# Programs that the documents may use.
PROGRAMS = ("make", "python", "micropython", "mpremote", "mosquitto", "mkdir", "printf", ".")

# What only reads is run in the project itself, not in a copy.
IN_PROJECT = ("python -m pytest", "micropython")


def way(command: str) -> How:
    """How a command is run. Raises LookupError for a program that is in no table."""
    if command.split()[0] not in PROGRAMS:
        raise LookupError(f"nobody knows how to test `{command}`: host_tests/docs/stand_ins.py")
    for how in HOW:
        if command.startswith(how.begins):
            return how
    return How(command, Way.PRINTED, "", "")


def on_screen(command: str) -> bool:
    """Whether a command needs a terminal."""
    return command.startswith("python -m tools monitor") and "--no-terminal" not in command


def replaced(command: str, **real: str) -> str:
    """The command with what stands in."""
    for name in NAMES:
        if not name.of or command.startswith(name.of):
            command = (command + " ").replace(name.printed, name.real).rstrip()
    for key, value in real.items():
        command = command.replace("{" + key + "}", value)
    return command
