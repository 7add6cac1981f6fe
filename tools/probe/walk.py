"""Walks a module through the forms, and leaves it as it was found."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tools.probe.driver import at, forms
from tools.probe.judge import BYTES, DIFFERS, PROMPT, Trial, exchange_of, judge, rendered_args
from tools.probe.left import Left
from tools.probe.line import Line
from tools.probe.steps import COUNTED, PIN, SAFE, STEPS, STOPS, Step

FIND_S = 10.0
SETTINGS = ("+CMEE", "+CEREG", "+CGREG")
DATA_MODE_S = 1.0
GONE_S = 2.0  # until a module that restarts no longer answers
RESTART_S = 30.0
GROUP_OF = {step.form: step.group for step in STEPS}


@dataclass
class Options:
    """What may be done, and with what.

    given -- values for the steps' arguments by name: apn, pin, url, mqtt_host, ...
    """

    yes: bool = False
    groups: tuple[str, ...] = ()
    given: dict[str, Any] = field(default_factory=dict)


def walk(
    line: Line, options: Options, done: Callable[[Trial], None], left: list[str] | None = None
) -> None:
    """Try every form that may be tried; `done(trial)` is called after each.

    However it ends, the module is left as it was found, as far as it still answers; `left` gets
    lines that say how that is.
    """
    line.find(FIND_S)
    found = _as_found(line)
    state = Left(line)
    tried: dict[str, Trial] = {}
    try:
        for step in STEPS:
            trial = _trial(step, options)
            if not trial.why:
                _depend(step, trial, tried)
            tried[step.form] = trial
            if not trial.why:
                time.sleep(step.after_s)
                _run(line, step, trial, str(_filled(step.payload, options)))
                if not _has_failed(trial):
                    state.did(step)
                if step.risk == STOPS and step is not STEPS[-1]:
                    time.sleep(GONE_S)
                    line.find(RESTART_S)
            done(trial)
    finally:
        told = state.told(found)
        for command in found:
            line.ask(command)
        if left is not None:
            left += told


def _as_found(line: Line) -> list[str]:
    """The commands that undo what every walk changes."""
    said = line.ask("")
    commands = []
    for name in SETTINGS:
        for text in line.ask(f"{name}?"):
            values = at.params(text) if at.prefix(text) == name else []
            if values and isinstance(values[0], int):
                commands.append(f"{name}={values[0]}")
    if "AT" in said:
        commands.append("E1")
    if "OK" in said:
        commands.append("V1")
    return commands


def _depend(step: Step, trial: Trial, tried: dict[str, Trial]) -> None:
    """Say so in a trial if something that it needs has failed."""
    for name in step.needs:
        before = tried.get(name)
        if before is None:
            continue
        if before.needs:
            trial.needs, trial.why = name, "which was not tried"
        elif before.why and GROUP_OF[name] == step.group:
            trial.needs, trial.why = name, f"which was not tested ({before.why})"
        elif not before.why and _has_failed(before):
            trial.needs, trial.why = name, "which failed"
        if trial.needs:
            return


def _has_failed(trial: Trial) -> bool:
    """Whether the module has not done it; not whether what it says is as expected."""
    return judge(trial, forms()[trial.form]).what == DIFFERS


def _trial(step: Step, options: Options) -> Trial:
    trial = Trial(step.form)
    if options.groups and step.group not in options.groups and step.group != "session":
        trial.why = f"group {step.group} was not asked for"
        return trial
    if step.risk != SAFE and not options.yes:
        trial.why = f"{step.risk}: --yes allows it"
        return trial
    missing = [name for name in _names(step) if not options.given.get(name)]
    if missing:
        trial.why = "not given: " + ", ".join(sorted(set(missing)))
        return trial
    trial.args = [_filled(arg, options) for arg in step.args]
    return trial


def _names(step: Step) -> Iterable[str]:
    for arg in (*step.args, step.payload):
        if isinstance(arg, str) and arg.startswith("{"):
            yield arg[1:-1]


def _filled(arg: Any, options: Options) -> Any:
    if isinstance(arg, str) and arg.startswith("{"):
        return options.given[arg[1:-1]]
    return BYTES + arg.decode("latin-1") if isinstance(arg, bytes) else arg


def _run(line: Line, step: Step, trial: Trial, payload: str) -> None:
    form = forms()[step.form]
    command = at.render(form.send, rendered_args(trial))
    ours = exchange_of(form, command)
    begin = time.monotonic()
    line.send(f"AT{command}\r".encode())
    for said in line.lines(form.wait, form.prompt):
        trial.said.append(line.masked(said))
        if said == PROMPT:
            if step.ends:
                break  # data mode has begun
            line.send(payload.encode())
            continue
        taken = ours.take(at.prefix(said), said)
        if not taken or ours.outcome == said:
            line.heard.append(line.masked(said))
        if taken and step.form in COUNTED and at.prefix(said) == form.answer:
            count = at.params(said)[-1]
            line.skip(count if isinstance(count, int) else 0, form.wait)
        if ours.finished or at.result(said) == at.CONNECT:
            break
    trial.seconds = round(time.monotonic() - begin, 3)
    trial.line = line.masked(command)
    if step.risk == PIN:
        trial.args = []
    if step.ends and ours.error is None:
        time.sleep(DATA_MODE_S)
        line.leave_data_mode(step.ends)
    line.drain(0.1)
