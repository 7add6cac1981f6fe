"""Walk a module through every form of lib/c1100/dialect.py, and say which hold.

    python -m tools probe /dev/ttyUSB0 --out my-module.json
    python -m tools probe /dev/ttyUSB0 --yes --apn internet --mqtt broker.example:1883
    python -m tools probe --replay my-module.json

Without --yes nothing is done that uses the network, restarts the module or could lock its SIM, and
no setting is left in it but the probe's MQTT user and the HTTP header X-Probe, as its end says.
A PIN is taken from $C1100_PIN. The file has no secrets; attach it to an issue, or replay it
against a changed dialect. Exit code 1 when a form differs.
"""

import argparse
import json
import os
import sys
import textwrap
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import serial
from rich.console import Console
from rich.table import Table

from tools import failure, options
from tools.probe import judge
from tools.probe.driver import at, dialect, forms
from tools.probe.judge import DIFFERS, HOLDS, NOT_TESTED, NOT_TRIED, Trial, Verdict
from tools.probe.line import Line, Mute
from tools.probe.steps import GROUPS, STEPS
from tools.probe.walk import Options, walk

FORMAT = 1
COLOURS = {HOLDS: "green", DIFFERS: "bold red", NOT_TESTED: "dim", NOT_TRIED: "yellow"}
WIDE = 130  # columns from which on the table has room for all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("port", nargs="?", help="serial port with the module")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="judge a recorded walk again")
    parser.add_argument("--baud", type=options.baud, default=115200, help="of the port (115200)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="record the walk (JSON)")
    parser.add_argument("--only", action="append", default=[], choices=GROUPS, metavar="GROUP",
                        help=f"one of {', '.join(GROUPS)}; may be repeated")  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="allow what costs or changes something")
    parser.add_argument("--apn", help="access point name")
    parser.add_argument("--mqtt", metavar="HOST:PORT", help="MQTT broker")
    parser.add_argument("--http", metavar="URL", help="web server that takes GET and POST")
    parser.add_argument("--tcp", metavar="HOST:PORT", help="TCP echo server")
    parser.add_argument("--lwm2m", metavar="SERVER", help="LwM2M server, as manual 3.5 writes it")


def run(args: argparse.Namespace) -> int:
    """Walk, or replay. Returns 0 when all that was tried holds, 1 when not, 2 without a module."""
    try:
        if args.replay:
            trials, heard, left = _load(args.replay)
        elif args.port:
            trials, heard, left = _walked(args)
        else:
            raise ValueError("which port? give PORT, or --replay FILE")
    except (ValueError, OSError, Mute, serial.SerialException) as error:
        print(f"probe: {failure.words(error)}", file=sys.stderr)
        return 2
    if args.out and not args.replay:
        _save(args.out, trials, heard, left)
        print(f"recorded in {args.out}")
    return _show(trials, heard, left)


def _walked(args: argparse.Namespace) -> tuple[list[Trial], list[str], list[str]]:
    pin = os.environ.get("C1100_PIN", "")
    line = Line(args.port, args.baud, (pin,))
    trials: list[Trial] = []
    left: list[str] = []
    options = Options(args.yes, tuple(args.only), _given(args, pin))
    with Console(highlight=False).status("looking for the module") as status:

        def done(trial: Trial) -> None:
            trials.append(trial)
            status.update(trial.form)

        stopped = ""
        try:
            walk(line, options, done, left)
        except KeyboardInterrupt:
            stopped = "stopped by Ctrl-C"
        except (Mute, serial.SerialException) as error:
            if not trials:
                raise
            stopped = str(error)  # what has been found out is worth keeping
        finally:
            line.close()
    if stopped:
        print(f"probe: {stopped}", file=sys.stderr)
        rest = [step.form for step in STEPS[len(trials) :]]
        trials += [Trial(form, why=f"not reached: {stopped}") for form in rest]
    return trials, line.heard, left


def _given(args: argparse.Namespace, pin: str) -> dict[str, Any]:
    given: dict[str, Any] = {"apn": args.apn, "pin": pin, "lwm2m": args.lwm2m, "url": args.http}
    if args.http:
        given["url_length"] = len(args.http)
    for name in ("mqtt", "tcp"):
        text = getattr(args, name)
        if text:
            host, colon, port = text.rpartition(":")
            if not colon or not port.isdigit():
                raise ValueError(f"--{name} {text}: it must be HOST:PORT")
            given |= {f"{name}_host": host, f"{name}_port": int(port)}
    return given


# The record -------------------------------------------------------------------------------------


def _save(path: Path, trials: list[Trial], heard: list[str], left: list[str]) -> None:
    record = {"format": FORMAT, "trials": [asdict(trial) for trial in trials], "heard": heard,
              "left": left}  # fmt: skip
    with failure.naming(path):
        path.write_text(json.dumps(record, indent=1) + "\n")


def _load(path: Path) -> tuple[list[Trial], list[str], list[str]]:
    try:
        record = json.loads(path.read_text())
        if record["format"] != FORMAT:
            raise ValueError(f"its format is {record['format']}, not {FORMAT}")
        trials = [Trial(**trial) for trial in record["trials"]]
        return trials, list(record["heard"]), list(record.get("left", []))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no record of a probe: {error}") from error


# The table --------------------------------------------------------------------------------------


def _show(trials: list[Trial], heard: list[str], left: list[str]) -> int:
    known = forms()
    judged: list[tuple[Trial, str, Verdict]] = []
    for trial in trials:
        form = known.get(trial.form)
        if form is None:
            verdict = Verdict(NOT_TESTED, got="the dialect has no such form any more")
        else:
            verdict = judge.judge(trial, form)
        judged.append((trial, form.source if form else "", verdict))
    console = Console(highlight=False)
    (_table if console.width >= WIDE else _list)(console, judged)
    seen = {at.prefix(line) for line in heard}
    urcs = [name for name in dialect.urcs() if name in seen]
    console.print(f"URCs seen: {', '.join(urcs) or 'none'}", markup=False)
    missing = [name for name in dialect.urcs() if name not in seen]
    console.print(f"URCs not seen, so not tested: {', '.join(missing) or 'none'}", markup=False)
    counts = Counter(verdict.what for _, _, verdict in judged)
    console.print(", ".join(f"{counts[what]} {what}" for what in COLOURS))
    if counts[DIFFERS]:
        names = [trial.form for trial, _, verdict in judged if verdict.what == DIFFERS]
        console.print(f"What differs: {', '.join(names)}", markup=False)
    if left:
        console.print("The module was left so:")
        for text in left:
            _paragraph(console, text, 4)
    return 1 if counts[DIFFERS] else 0


def _table(console: Console, judged: list[tuple[Trial, str, Verdict]]) -> None:
    table = Table("form", "source", "verdict", "s", "expected", "got", title="The dialect")
    for trial, source, verdict in judged:
        table.add_row(
            trial.form,
            source,
            f"[{COLOURS[verdict.what]}]{verdict.what}[/]",
            _seconds(trial),
            _plain(verdict.expected),
            _plain(verdict.got),
        )
    console.print(table)


def _list(console: Console, judged: list[tuple[Trial, str, Verdict]]) -> None:
    """A line for each form, and below it all that is to be said of it: nothing is cut off."""
    width = max(len(trial.form) for trial, _, _ in judged)
    for trial, source, verdict in judged:
        what = f"[{COLOURS[verdict.what]}]{verdict.what:10}[/]"
        console.print(f"{trial.form:{width}}  {what}  {_seconds(trial):>5}  {_plain(source)}")
        if verdict.expected:
            _paragraph(console, f"sent      AT{trial.line}")
            _paragraph(console, f"expected  {verdict.expected}")
            _paragraph(console, f"got       {verdict.got}")
        elif verdict.got:
            _paragraph(console, verdict.got)


def _paragraph(console: Console, text: str, hanging: int = 14) -> None:
    wrapped = textwrap.fill(text, max(console.width - 1, 20), initial_indent=" " * 4,
                            subsequent_indent=" " * hanging)  # fmt: skip
    console.print(wrapped, markup=False)


def _seconds(trial: Trial) -> str:
    return f"{trial.seconds:.2f}" if trial.seconds else ""


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
