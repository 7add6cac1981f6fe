"""Habits: forms of lines that differ from the manual's, as data. Each is also a `--fault`.

A habit rewrites a line that the module says: a pattern, and what takes its place. Which modules
print what is not known; these are readings that the manual's lost figures leave open, and what
firmware for modules of this family has been seen to put up with.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

Line = bytes
Change = str | Callable[[re.Match[str]], str]


class Habit(NamedTuple):
    """pattern -- searched in each line; change -- as of `re.sub`; `{}` in either is the parameter.

    end -- what ends the line in place of its own; None: its own
    """

    default: str
    text: str
    pattern: str
    change: Change = r"\g<0>"
    end: str | None = None


def _free_of(size: str) -> Callable[[re.Match[str]], str]:
    """The room in a buffer of another size, or counted in characters of which two are a byte."""

    def change(found: re.Match[str]) -> str:
        free = int(found[2])
        room = 2 * free if size == "chars" else free + int(size) - 1500
        return f"{found[1]}{room}"

    return change


# name: the habit. A change that is a function of the parameter is in `PARAMETERS`.
HABITS = {
    "rewrite": Habit(r"^\+CSQ: \d+=>+CSQ: 8x",
                     "REGEX=>TEXT: TEXT in place of what REGEX finds in a line", "", ""),
    "leading-blank": Habit("", "a blank in front of answers with a prefix (manual 3.3.2 has one)",
                           r"^\+", " +"),
    "blank-behind": Habit("", "a blank behind each line (manual 3.3.1.1 step 8 has one)",
                          r"$", " "),
    "blank-fields": Habit("", "blanks in the header of data that has come",
                          r"^(\+LSIPR\w+=\d+),(\d+),", r"\1, \2, "),
    "colon-blank": Habit("", "a blank before the colon", r"^(\+\w+):", r"\1 :"),
    "imei-quoted": Habit("", "the IMEI in quotes", r"^(\d{15})$", r'"\1"'),
    "bits-bare": Habit("", "bits of timers and cycles without quotes", r'"([01]{4,8})"', r"\1"),
    "bits-empty": Habit("", "bits of timers and cycles that are unset", r'"[01]{4,8}"', '""'),
    "number-quoted": Habit("", "every whole number in quotes",
                           r"(?<=[:,= ])(\d+)(?=,|$)", r'"\1"'),
    "number-zeros": Habit("", "leading zeros", r"(?<=[:,= ])(\d+)(?=,|$)", r"00\1"),
    "free-count": Habit("2048", "the room of AT+LSIPSEND for a buffer of N bytes, or in `chars`",
                        r"^(\+LSIPSEND:\d,)(\d+)$", ""),
    "urc-ls": Habit("", "MQTT and HTTP lines named like their commands", r"^\+MQTT", "+LSMQTT"),
    "http-no-ls": Habit("", "HTTP answers without LS", r"^\+LSHTTP", "+HTTP"),
    "http-equals": Habit("", "= behind the name of HTTP answers", r"^(\+LSHTTP\w+): ", r"\1="),
    "http-length": Habit("5", "the length of an HTTP body is N too long (or, negative, too short)",
                         r"^(\+LSHTTP\w+: \d,\d+),(\d+)$", ""),
    "http-no-length": Habit("", "no length of an HTTP body",
                            r"^(\+LSHTTP\w+: \d,\d+),\d+$", r"\1"),
    "http-status": Habit("401", "the server answers with this status",
                         r"^(\+LSHTTP\w+: \d),\d+", r"\1,{}"),
    "http-cr-cr-lf": Habit("", "CR CR LF behind the numbers of an HTTP answer",
                           r"^\+LSHTTP", r"\g<0>", "\r\r\n"),
    "clock": Habit("24/13/45,25:61:61+00", "what AT+CCLK? says", r"^\+CCLK: .*$", '+CCLK: "{}"'),
    "sim": Habit("NOT READY", "what AT+CPIN? says", r"^\+CPIN: ?.*$", "+CPIN: {}"),
    "csq": Habit("99,99", "what AT+CSQ says", r"^\+CSQ: .*$", "+CSQ: {}"),
    "mqtt-refused": Habit("", "the broker refuses each session", r"^\+MQTTOPEN:1", "+MQTTOPEN:0"),
}  # fmt: skip


def _longer(by: str) -> Callable[[re.Match[str]], str]:
    return lambda found: f"{found[1]},{max(0, int(found[2]) + int(by))}"


PARAMETERS: dict[str, Callable[[str], Change]] = {"free-count": _free_of, "http-length": _longer}


class Rewriter:
    """One habit with its parameter. Raises ValueError for a parameter that cannot be."""

    def __init__(self, name: str, parameter: str) -> None:
        habit = HABITS[name]
        pattern, change = habit.pattern, habit.change
        if name == "rewrite":
            pattern, arrow, change = parameter.partition("=>")
            if not arrow or not pattern:
                raise ValueError(f"{parameter!r} is not REGEX=>TEXT")
        elif name in PARAMETERS:
            change = PARAMETERS[name](parameter)
            int("0" if parameter == "chars" else parameter)
        elif isinstance(change, str):
            change = change.replace("{}", parameter.replace("\\", r"\\"))
        try:
            self._pattern = re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no pattern: {error}") from None
        self._change = change
        self.end = habit.end

    def finds(self, line: Line) -> bool:
        """Whether the habit concerns this line."""
        return self._pattern.search(line.decode("latin-1")) is not None

    def __call__(self, line: Line) -> Line:
        return self._pattern.sub(self._change, line.decode("latin-1")).encode("latin-1")
