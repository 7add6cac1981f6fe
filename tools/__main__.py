"""`python -m tools COMMAND`: one table of commands, each loaded only when it is called."""

import argparse
import difflib
import importlib
import sys

from tools import calling, failure
from tools.calling import COMMAND

# command: (module with add_arguments(parser) and run(args) -> exit code, one line of help)
COMMANDS = {
    "demo": ("tools.demo", "a node's life from deployment to several reports, all in software"),
    "bench": ("tools.bench.cli", "figures: memory, throughput, sizes"),
    "new": ("tools.own.new", "a folder for a node of your own, with a sensor to begin with"),
    "simulate": ("tools.power.simulate", "days of a node's life in minutes, and its power report"),
    "payload": ("tools.power.payload", "bytes and charge of reports in each payload.format"),
    "power-report": ("tools.power.cli", "where each mAh of a run went: picture and page"),
    "tls-cost": ("tools.power.tls_cost", "what sessions with TLS take: bytes, seconds, mAh a day"),
    "published": ("tools.power.published.cli", "the energy model beside published figures"),
    "deploy": ("tools.deploy.deploy", "driver and firmware onto boards, only what has changed"),
    "image": ("tools.deploy.image", "a board's whole file system as a LittleFS image"),
    "flash": ("tools.deploy.flash", "MicroPython and the image onto a bare board"),
    "provision": ("tools.provision.cli", "a node's configuration and secrets, checked"),
    "command": ("tools.command", "a signed command to a node, and its result"),
    "log": ("tools.deploy.log", "the log of a node at a serial port, also of one that sleeps"),
    "prompt": ("tools.deploy.prompt", "MicroPython's prompt on such a node"),
    "mip": ("tools.deploy.mip", "the driver as packages for `mpremote mip install`"),
    "stubs": ("tools.package.stubs", "the driver's types for editors, as a package for pip"),
    "probe": ("tools.probe.cli", "does a real module speak as the driver's dialect says?"),
    "bridge": ("tools.bridge", "a physical board or C1100 with the other half in software"),
    "monitor": ("tools.monitor.cli", "a live view of nodes, in the terminal and as a web page"),
    "virtual-c1100": ("tools.virtual_c1100.cli", "the C1100 module in software, on a PTY"),
    "virtual-board": ("tools.virtual_board.cli", "a board in software that mpremote can drive"),
}

LONGEST = max(map(len, COMMANDS))
OWN = ("tools", "lib", "firmware", "c1100")  # what cannot be missing


class Version(argparse.Action):
    """Print it, and end."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        from tools import package  # not each command needs it

        print(package.project()["version"])
        parser.exit()


def main(argv: list[str]) -> int:
    """Run one command. Returns its exit code; 2 for a usage error."""
    about = calling.as_called(__doc__)
    parser = argparse.ArgumentParser(prog=COMMAND, description=about)
    parser.add_argument("--version", action=Version, nargs=0, help="of the project")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, text) in COMMANDS.items():
        commands.add_parser(name, help=text, add_help=False)
    if not argv:
        parser.print_usage(sys.stderr)
        for name, (_, text) in COMMANDS.items():
            print(f"  {name:{LONGEST}}  {text}", file=sys.stderr)
        return 2
    if not argv[0].startswith("-") and argv[0] not in COMMANDS:
        near = difflib.get_close_matches(argv[0].lower().replace("_", "-"), COMMANDS, 1)
        said = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}"
        print(f"there is no tool {argv[0]}: {said}", file=sys.stderr)
        return 2
    name = parser.parse_known_args(argv[:1])[0].command
    try:
        module = importlib.import_module(COMMANDS[name][0])
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in OWN:
            raise
        print(
            f"{error.name} is not in this Python's environment: "
            + (
                "install this project's requirements.txt into it"
                if COMMAND == calling.INSTALLED
                else f"`make venv`, then .venv/bin/{COMMAND} {name}"
            ),
            file=sys.stderr,
        )
        return 2
    about = calling.as_called(module.__doc__)
    own = argparse.ArgumentParser(prog=f"{COMMAND} {name}", description=about)
    module.add_arguments(own)
    try:
        return module.run(own.parse_args(argv[1:]))
    except (KeyboardInterrupt, RuntimeError) as error:
        # Ctrl-C within a wait of the standard library may end as "release unlocked lock".
        if isinstance(error, RuntimeError) and not isinstance(
            error.__context__, KeyboardInterrupt
        ):
            raise
        print(f"{name}: stopped", file=sys.stderr)
        return 130
    except EOFError:  # Ctrl-D at a question, or a terminal that has gone
        print(f"\n{name}: stopped: no more answers", file=sys.stderr)
        return 1
    except OSError as error:  # a folder that is read-only, a port that is taken, a full disk
        print(f"{name}: {failure.words(error, failure.fullest(error))}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
