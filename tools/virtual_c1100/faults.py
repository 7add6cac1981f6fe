"""Faults as data: `--fault NAME[:PARAMETER]`, in a test `module.faults.add("NAME", "PARAMETER")`.

Each entry of `FAULTS` sets fields of `Active`; the module asks at the few places where something
can go wrong: before a command, on the wire in each direction, at boot. The names F1 ... F43 are
those of the project's failure list.
"""

import argparse
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.timeline import Timeline
from tools.virtual_c1100.commands import WORDS, CmeFailure, Failure, Result
from tools.virtual_c1100.habits import HABITS, Rewriter

BURST = 50
UNKNOWN_URC = "^SIMST: 1,0"
BOOT_GARBAGE = b"\x00\xff\xfe\x80\x00RDY\xf0\x00\r\n\xff"
# What is done to a module that hangs; each does what those before it do, and more: the radio off
# and on, a restart of its firmware, its power off and on, its supply taken away.
REMEDIES = ("radio", "restart", "power", "supply")


RESULT_FIRST, REVERSED = "result-first", "reversed"


@dataclass
class Plan:
    """What happens to one command."""

    before: list[str] = field(default_factory=list)  # URCs between command and answer
    between: list[str] = field(default_factory=list)  # between information and result
    after: list[str] = field(default_factory=list)  # right behind the result
    noise: bytes = b""  # in front of the answer
    delay_s: float = 0.0
    prompt: bool = True  # of a command that asks for data
    prompt_delay_s: float = 0.0
    mute: bool = False
    answer: list[str] | None = None  # these lines in place of its own, the result the last of them
    order: str = ""  # of information and result: RESULT_FIRST, REVERSED
    failure: Failure | None = None
    reboot: Callable[[], None] | None = None

    def take(self, where: str) -> list[str]:
        """The lines of `where`, once."""
        lines, rest = getattr(self, where), []
        setattr(self, where, rest)
        return lines


@dataclass
class Rule:
    """Something planned for a command. `command` is "" for every one; `times` None: always."""

    command: str
    change: Callable[[Plan], None]
    times: int | None = None

    def fits(self, name: str, kind: str) -> bool:
        """Whether it is meant: `+CPIN` is every form of the command, `+CPIN?` its question."""
        return self.command in ("", name) or (kind == "read" and self.command == name + "?")


@dataclass
class Active:
    """The faults in force."""

    rules: list[Rule] = field(default_factory=list)
    eat_count: int = 0  # first characters lost after the line was idle
    eat_idle_s: float = 10.0
    lose_in: float = 0.0  # probability for each byte
    lose_out: float = 0.0
    boot_noise: bytes = b""
    boot_factor: float = 1.0
    sim_extra_s: float = 0.0
    urc_lost: str = ""  # prefix of the URCs that never come
    payload_change: int = 0  # bytes more (or, negative, fewer) than the next payload announces
    echo_kept: float = 1.0  # probability for each echoed character
    echo_stuck: bool = False  # ATE0 has no effect
    nmea_damage: float = 0.0  # probability for each sentence
    power_key_dead: bool = False
    deaf_pulses: int = 0  # wake-ups from PSM that are not noticed
    psm_never: bool = False
    psm_silent: bool = False
    psm_granted: tuple[str, str] | None = None  # T3324 and T3412 in place of the network's
    psm_cut_s: float | None = None  # something ends PSM after so long
    edrx_refused: bool = False
    cured_by: str = ""  # one of REMEDIES: that, or one that does more, ends all faults
    rewriters: list[Rewriter] = field(default_factory=list)
    late_lines: list[tuple[str, float]] = field(default_factory=list)  # beginning, seconds
    verbose_stuck: bool = False  # ATV0 has no effect
    byte_gap_s: float = 0.0  # between two bytes of the module's
    room_late_s: float = 0.0  # what was sent leaves the buffer so much later
    says: dict[str, bytes] = field(default_factory=dict)  # "http", "tcp": in place of the far side
    left: list[str] = field(default_factory=list)  # commands of an earlier life, run at boot


def _urc_rules(where: str) -> Callable[["Faults", str], None]:
    """`:COMMAND=TEXT` or `:TEXT`: that URC with each COMMAND, or with every command.

    TEXT begins with + or ^, else the = is its own (`+LSIPRTCP=4,3,abc`).
    """

    def add(faults: "Faults", parameter: str) -> None:
        command, _, text = parameter.partition("=")
        if not text.startswith(("+", "^")) or ":" in command:
            command, text = "", parameter
        faults.rule(command, lambda plan: getattr(plan, where).append(text))

    return add


def _line_rules(where: str) -> Callable[["Faults", str], None]:
    """`COMMAND=TEXT`: any line with each COMMAND; with an empty COMMAND, with every one."""

    def add(faults: "Faults", parameter: str) -> None:
        command, found, text = parameter.partition("=")
        if not found:
            raise ValueError(f"{parameter!r} is not COMMAND=TEXT")
        faults.rule(command.upper(), lambda plan: getattr(plan, where).append(text))

    return add


def _answer(faults: "Faults", parameter: str) -> None:
    command, found, text = parameter.partition("=")
    name, _, times = command.partition("*")
    lines = text.split("|")
    if not found or result_of(lines[-1]) is None:
        raise ValueError(f"{parameter!r} is not COMMAND[*TIMES]=LINE|...|RESULT CODE")
    faults.rule(
        name.upper(), lambda plan: setattr(plan, "answer", lines), int(times) if times else None
    )


def result_of(text: str) -> Result | None:
    """The result code that text means, as a digit or as a word."""
    return next((code for code, word in WORDS.items() if text in (str(int(code)), word)), None)


def _order(order: str) -> Callable[["Faults", str], None]:
    return lambda faults, parameter: faults.rule(
        parameter.upper(), lambda plan: setattr(plan, "order", order)
    )


def _late_line(faults: "Faults", parameter: str) -> None:
    beginning, _, seconds = parameter.rpartition("=")
    faults.active.late_lines.append((beginning, float(seconds)))


def _says(faults: "Faults", parameter: str) -> None:
    who, found, text = parameter.partition("=")
    if not found or who not in ("http", "tcp"):
        raise ValueError(f"{parameter!r} is not http=TEXT or tcp=TEXT")
    faults.active.says[who] = text.encode()


def _habit(name: str) -> Callable[["Faults", str], None]:
    return lambda faults, parameter: faults.active.rewriters.append(Rewriter(name, parameter))


def _burst(faults: "Faults", parameter: str) -> None:
    count = int(parameter)
    lines = [f"+CEREG: {2 if n % 2 else 1}" for n in range(count)]
    faults.rule("", lambda plan: plan.before.extend(lines), times=1)


def _delay(faults: "Faults", parameter: str) -> None:
    command, seconds = _command_and(parameter, "5")
    faults.rule(command, lambda plan: setattr(plan, "delay_s", float(seconds)))


def _late_once(faults: "Faults", parameter: str) -> None:
    command, seconds = _command_and(parameter, "5")
    faults.rule(command, lambda plan: setattr(plan, "delay_s", float(seconds)), times=1)


def _mute(faults: "Faults", parameter: str) -> None:
    command, times = _command_and(parameter, "")
    faults.rule(command, lambda plan: setattr(plan, "mute", True), int(times) if times else None)


def _error(faults: "Faults", parameter: str) -> None:
    command, times = _command_and(parameter, "")
    change = lambda plan: setattr(plan, "failure", Failure())  # noqa: E731
    faults.rule(command, change, int(times) if times else None)


def _cured_by(faults: "Faults", parameter: str) -> None:
    if parameter not in REMEDIES:
        raise ValueError(f"{parameter!r} is none of {', '.join(REMEDIES)}")
    faults.active.cured_by = parameter


def _fail(make: Callable[[str], Failure]) -> Callable[["Faults", str], None]:
    def add(faults: "Faults", parameter: str) -> None:
        command, value = _command_and(parameter, "")
        failure = make(value)
        faults.rule(command, lambda plan: setattr(plan, "failure", failure))

    return add


def _noise(faults: "Faults", parameter: str) -> None:
    data = bytes.fromhex(parameter)
    faults.rule("", lambda plan: setattr(plan, "noise", data))


def _no_prompt(faults: "Faults", parameter: str) -> None:
    faults.rule(parameter.upper(), lambda plan: setattr(plan, "prompt", False), times=1)


def _late_prompt(faults: "Faults", parameter: str) -> None:
    command, seconds = _command_and(parameter, "1.5")
    faults.rule(command, lambda plan: setattr(plan, "prompt_delay_s", float(seconds)))


def _reboot(faults: "Faults", parameter: str) -> None:
    faults.rule(parameter, lambda plan: setattr(plan, "reboot", faults.reboot), times=1)


def _command_and(parameter: str, default: str) -> tuple[str, str]:
    """`+CSQ=5` -> ("+CSQ", "5"); `+CSQ` -> ("+CSQ", default); `5` -> ("", "5")."""
    command, found, value = parameter.partition("=")
    if found:
        return command.upper(), value
    if parameter[:1].isdigit() or not parameter:
        return "", parameter or default
    return parameter.upper(), default


def _set(name: str, kind: Callable[[str], object]) -> Callable[["Faults", str], None]:
    return lambda faults, parameter: setattr(faults.active, name, kind(parameter))


def _two(parameter: str) -> tuple[str, str]:
    first, _, second = parameter.partition(",")
    if any(set(bits) - {"0", "1"} or len(bits) not in (0, 8) for bits in (first, second)):
        raise ValueError(f"{parameter!r} is not T3324,T3412 of 8 bits each")
    return first, second


def _eat(faults: "Faults", parameter: str) -> None:
    count, _, idle = parameter.partition(",")
    faults.active.eat_count = int(count)
    faults.active.eat_idle_s = float(idle or 10)


# name: (failure ids, default parameter, what it does, how it is set)
FAULTS: dict[str, tuple[str, str, str, Callable[["Faults", str], None]]] = {
    "urc-before": ("F1 F2 F3", "+CEREG: 2", "URC between command and answer",
                   _urc_rules("before")),
    "urc-between": ("F2", "+CEREG: 2", "URC between answer and result", _urc_rules("between")),
    "urc-after": ("F2 F11", "+CEREG: 2", "URC right behind the result", _urc_rules("after")),
    "urc-burst": ("F4", str(BURST), "N URCs in one burst, once", _burst),
    "urc-unknown": ("F5", UNKNOWN_URC, "a URC nobody knows", _urc_rules("before")),
    "line-before": ("F3 F9", "+CSQ=RING", "COMMAND=TEXT: any line before the answer",
                    _line_rules("before")),
    "line-between": ("F3 F9", "+CSQ=^SIMST: 1", "COMMAND=TEXT: between answer and result",
                     _line_rules("between")),
    "line-after": ("F11", "+CSQ=NO CARRIER", "COMMAND=TEXT: right behind the result",
                   _line_rules("after")),
    "late-line": ("F11", "+LSIP:OK=0.3", "BEGINNING=SECONDS: such lines come so much later",
                  _late_line),
    "answer": ("F3 F12", "+COPS?=+CME ERROR: 30|4",
               "COMMAND[*TIMES]=LINE|...|RESULT in place of its own answer", _answer),
    "result-first": ("F11", "+LSHTTPGET", "the result code of COMMAND in front of its answer",
                     _order(RESULT_FIRST)),
    "reversed": ("F11", "+LSHTTPGET", "the lines of COMMAND's answer in reverse order",
                 _order(REVERSED)),
    "verbose-stuck": ("F6", "", "ATV0 answered, but results stay words",
                      _set("verbose_stuck", lambda _: True)),
    "byte-gap": ("F7", "200", "MILLISECONDS between two bytes of the module's",
                 _set("byte_gap_s", lambda ms: float(ms) / 1000)),
    "room-late": ("F11", "0.3", "what was pushed leaves the buffer SECONDS later",
                  _set("room_late_s", float)),
    "says": ("-", "tcp=8 0", "http=BODY or tcp=LINE in place of what the far side says", _says),
    "left": ("F37", "AT+CFUN=4", "LINE|...: commands of an earlier life, run at the first boot",
             lambda faults, lines: setattr(faults.active, "left", lines.split("|"))),
    "echo-stuck": ("F6", "", "ATE0 answered, but echo stays", _set("echo_stuck", lambda _: True)),
    "echo-half": ("F6", "0.5", "each echoed character comes with probability P",
                  _set("echo_kept", float)),
    "noise": ("F10", "00ff80", "hex bytes in front of each answer", _noise),
    "boot-garbage": ("F10 F17", BOOT_GARBAGE.hex(), "hex bytes on the line at boot",
                     _set("boot_noise", bytes.fromhex)),
    "cme": ("F12", "100", "COMMAND=CODE answered with +CME ERROR",
            _fail(lambda code: CmeFailure(int(code or 100)))),
    "error": ("F12 F33", "", "COMMAND[=TIMES], or all, answered with ERROR", _error),
    "late": ("F13", "5", "COMMAND=SECONDS: the answer comes late, once", _late_once),
    "slow": ("F16", "5", "COMMAND=SECONDS: every answer comes late", _delay),
    "mute": ("F15", "", "COMMAND[=TIMES], or all, unanswered", _mute),
    "no-prompt": ("F21", "", "the prompt of COMMAND, or of any, never comes, once", _no_prompt),
    "late-prompt": ("F21", "1.5", "[COMMAND=]SECONDS until the prompt", _late_prompt),
    "payload-short": ("F23", "4", "the next payload lacks its last N bytes",
                      lambda faults, n: setattr(faults.active, "payload_change", -int(n))),
    "payload-long": ("F23", "4", "the next payload has N bytes too many",
                     _set("payload_change", int)),
    "urc-lost": ("F26", "+LSIPRTCP", "URCs with this beginning never come",
                 _set("urc_lost", str)),
    "reboot": ("F17", "", "reboot in the middle of COMMAND, once", _reboot),
    "eat": ("F27", "2,10", "first N characters after SECONDS of idle line are lost", _eat),
    "slow-boot": ("F32", "4", "boot takes N times as long", _set("boot_factor", float)),
    "key-dead": ("F32", "", "the power key has no effect", _set("power_key_dead", lambda _: True)),
    "psm-deaf": ("F32", "1", "the first N wake-up pulses in PSM are not noticed",
                 _set("deaf_pulses", int)),
    "psm-never": ("F30", "", "PSM granted, but never entered", _set("psm_never", lambda _: True)),
    "psm-silent": ("F30", "", "PSM entered and left without URC",
                   _set("psm_silent", lambda _: True)),
    "psm-refused": ("F29", "", "the network grants no PSM",
                    _set("psm_granted", lambda _: ("", ""))),
    "psm-other": ("F29", "00100010,01000001", "the network grants T3324,T3412; one may be empty",
                  _set("psm_granted", _two)),
    "psm-cut": ("F30", "20", "a downlink ends PSM after SECONDS", _set("psm_cut_s", float)),
    "edrx-refused": ("F29", "", "the network grants no eDRX",
                     _set("edrx_refused", lambda _: True)),
    "sim-late": ("F40", "10", "SIM ready SECONDS later", _set("sim_extra_s", float)),
    "nmea-damage": ("-", "0.1", "a character of a sentence wrong, with probability P",
                    _set("nmea_damage", float)),
    "lose-in": ("F38", "0.01", "bytes to the module lost with probability P",
                _set("lose_in", float)),
    "lose-out": ("F38", "0.01", "bytes from the module lost with probability P",
                 _set("lose_out", float)),
    "cured-by": ("F33", REMEDIES[0], "all faults end with radio (off and on), restart, power (off "
                 "and on) or supply (cut), or what does more", _cured_by),
    **{name: ("habit", habit.default, habit.text, _habit(name)) for name, habit in HABITS.items()},
}  # fmt: skip


class Faults:
    """The faults of one module. `reboot` is what the module does when it crashes."""

    def __init__(self, timeline: Timeline, rng: random.Random, reboot: Callable[[], None]) -> None:
        self._timeline = timeline
        self._rng = rng
        self.reboot = reboot
        self.active = Active()
        self._last_in_us = 0
        self._left_to_eat = 0

    def add(self, name: str, parameter: str | None = None) -> None:
        """Put a fault in force. Raises ValueError for an unknown name or a bad parameter."""
        if parameter is None and ":" in name:
            name, parameter = name.split(":", 1)
        if name not in FAULTS:
            raise ValueError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
        _, default, _, setter = FAULTS[name]
        setter(self, default if parameter is None else parameter)

    def clear(self) -> None:
        """No faults any more."""
        self.active = Active()

    def remedied(self, remedy: str) -> None:
        """One of REMEDIES has been done to the module."""
        wanted = self.active.cured_by
        if wanted and REMEDIES.index(remedy) >= REMEDIES.index(wanted):
            self.clear()

    def rule(self, command: str, change: Callable[[Plan], None], times: int | None = None) -> None:
        """Change the plan of each `command` ("" = every one), at most `times` times."""
        self.active.rules.append(Rule(command, change, times))

    def plan(self, command: str, kind: str = "") -> Plan:
        """What is to happen to this command. kind -- its form, as commandline.Parsed has it"""
        plan = Plan()
        for rule in self.active.rules:
            if not rule.fits(command, kind) or rule.times == 0:
                continue
            rule.change(plan)
            if rule.times is not None:
                rule.times -= 1
        return plan

    def loses(self, urc: bytes) -> bool:
        """Whether this URC never comes."""
        lost = self.active.urc_lost.encode()
        return bool(lost) and urc.startswith(lost)

    def line(self, line: bytes, end: str) -> tuple[bytes, str, float]:
        """A line as the module says it, what ends it, and by how many seconds it is late."""
        for rewrite in self.active.rewriters:
            if rewrite.finds(line):
                line, end = rewrite(line), rewrite.end or end
        late = [s for start, s in self.active.late_lines if line.startswith(start.encode())]
        return line, end, sum(late)

    def said(self, who: str, data: bytes) -> bytes:
        """What a far side says, by all that the module knows."""
        return self.active.says.get(who, data)

    def payload(self, data: bytes) -> bytes:
        """What of a payload of announced length comes; damaged once."""
        change, self.active.payload_change = self.active.payload_change, 0
        if change >= 0:
            return data + b"x" * change
        return data[:change]

    def echo(self, data: bytes) -> bytes:
        """What of an echoed character comes out."""
        kept = self.active.echo_kept
        return data if kept >= 1 or self._rng.random() < kept else b""

    def incoming(self, data: bytes) -> bytes:
        """What of the DTE's bytes reaches the module."""
        idle_us = self._timeline.now_us - self._last_in_us
        if self.active.eat_count and idle_us >= self.active.eat_idle_s * 1e6:
            self._left_to_eat = self.active.eat_count
        self._last_in_us = self._timeline.now_us
        eaten = min(self._left_to_eat, len(data))
        self._left_to_eat -= eaten
        return self._lose(data[eaten:], self.active.lose_in)

    def outgoing(self, data: bytes) -> bytes:
        """What of the module's bytes reaches the DTE."""
        return self._lose(data, self.active.lose_out)

    def _lose(self, data: bytes, probability: float) -> bytes:
        if not probability:
            return data
        return bytes(b for b in data if self._rng.random() >= probability)


def checked(text: str) -> str:
    """A fault as a command line has it, if there is such a one.

    Raises argparse.ArgumentTypeError, whose text says what is wrong.
    """
    try:
        Faults(Timeline(), random.Random(1), lambda: None).add(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text
