"""Does what a module said hold what its form says? Works on recorded lines: no port is needed."""

from dataclasses import dataclass, field
from typing import Any

from tools.probe.driver import at, dialect, exchange
from tools.probe.steps import MAY_BE_EMPTY

PROMPT = ">"
SIM_ERRORS = (10, 11, 12, 13, 14, 15, 17, 18)  # 27.007 9.2: the SIM, not the form
BYTES = "bytes:"
HOLDS: str = "holds"
DIFFERS: str = "differs"
NOT_TESTED: str = "not tested"
NOT_TRIED: str = "not tried"  # because what it needs has failed


@dataclass
class Trial:
    """One form, tried once.

    line -- what was sent behind AT; said -- the lines that came back, ">" for a prompt
    why -- why it was not tried; empty when it was
    needs -- the form that it needs and that has failed; empty if none
    """

    form: str
    args: list[Any] = field(default_factory=list)
    line: str = ""
    said: list[str] = field(default_factory=list)
    seconds: float = 0.0
    why: str = ""
    needs: str = ""


@dataclass(frozen=True)
class Verdict:
    """What came of a trial; `expected` and `got` where it differs, `got` the reason otherwise."""

    what: str
    expected: str = ""
    got: str = ""


def exchange_of(form: Any, line: str) -> Any:
    """The driver's own idea of which lines belong to a command."""
    made = exchange.Exchange(form, line)
    made.written = True
    return made


def judge(trial: Trial, form: Any) -> Verdict:
    """The verdict on a trial, by the dialect as it is now."""
    if trial.needs:
        return Verdict(NOT_TRIED, got=f"needs {trial.needs}, {trial.why}")
    if trial.why:
        return Verdict(NOT_TESTED, got=trial.why)
    if "***" not in trial.line:
        rendered = at.render(form.send, rendered_args(trial))
        if rendered != trial.line:
            return Verdict(DIFFERS, f"AT{rendered} to be sent", f"AT{trial.line} was sent")
    ours = exchange_of(form, trial.line)
    prompted = False
    for said in trial.said:
        if said == PROMPT:
            prompted = True
        else:
            ours.take(at.prefix(said), said)
    got = " | ".join(trial.said) or "nothing"
    if form.prompt and not prompted:
        return Verdict(DIFFERS, "a prompt >", got)
    if getattr(ours.error, "code", None) in SIM_ERRORS:
        return Verdict(NOT_TESTED, got=f"the SIM is not ready: {ours.error}")
    if ours.error is not None:
        return Verdict(DIFFERS, wanted(form), f"{ours.error} ({got})")
    if ours.code is None and not (form.prompt and prompted and not form.answer):
        return Verdict(DIFFERS, wanted(form), got)
    if form.answer and not ours.lines and trial.form in MAY_BE_EMPTY:
        return Verdict(NOT_TESTED, got="the module has nothing to tell")
    if form.answer and not ours.lines:
        return Verdict(DIFFERS, wanted(form), got)
    if ours.then and not ours.optional and ours.outcome is None:
        return Verdict(DIFFERS, wanted(form), got)
    try:
        ours.result()
    except at.C1100Error as error:
        return Verdict(DIFFERS, wanted(form), f"{error} ({got})")
    return Verdict(HOLDS)


def wanted(form: Any) -> str:
    """What a form says of its answer, for people."""
    kinds = {"i": "number", "d": "number", "s": "text", "?": "value"}
    parts = []
    if form.prompt:
        parts.append("a prompt >")
    if form.answer == "#":
        parts.append("a line of digits")
    elif form.answer == "*":
        parts.append("a line")
    elif form.answer:
        shape = ", ".join(kinds[letter.lower()] for letter in form.shape if letter != "r")
        parts.append(f"{form.answer}: {shape}".rstrip(": "))
    parts.append("0 or OK")
    if form.then and form.then != dialect.VERDICT and not form.then.endswith("?"):
        parts.append(f"{form.then} with success")
    return ", ".join(parts)


def rendered_args(trial: Trial) -> tuple:
    """Arguments as at.render() takes them: bytes are text behind a mark, because JSON has none."""
    return tuple(
        arg[len(BYTES) :].encode("latin-1")
        if isinstance(arg, str) and arg.startswith(BYTES)
        else arg
        for arg in trial.args
    )
