"""In which state a module was left, in words."""

from typing import Any

import serial

from tools.probe.driver import at, forms
from tools.probe.line import Line
from tools.probe.steps import STOPS, Step

REGISTERED = {
    0: "not registered, not searching",
    1: "registered, home network",
    2: "searching",
    3: "registration denied",
    5: "registered, roaming",
    8: "emergency calls only",
}
ON = {0: "off", 1: "on"}
# The form that asks: what it is about, and what the value at this place of the answer means.
ASKED: dict[str, tuple[str, int, dict[Any, str]]] = {
    "RADIO_STATE": ("radio", 0, {0: "off", 1: "on", 4: "off (flight mode)"}),
    "EPS_STATE": ("network", 1, REGISTERED),
    "PSM_STATE": ("PSM", 0, ON),
    "IP_STATE": ("PDP context", 0, {0: "closed", 1: "open"}),
}
ENDED = ("open", "on", "session", "for MQTT")  # by a start of the module
UNKNOWN = "not known, no answer"
RESTORED = {"E1": "echo", "V1": "results in words"}


class Left:
    """line -- to a module that answers; how it is found is asked at once"""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._found = self._state()
        self._kept: list[str] = []
        self._off = False

    def did(self, step: Step) -> None:
        """The module has done a step."""
        if step.undoes in self._kept:
            self._kept.remove(step.undoes)
        if step.leaves and step.leaves not in self._kept:
            self._kept.append(step.leaves)
        if step.risk == STOPS:
            self._kept = [text for text in self._kept if not text.endswith(ENDED)]
            self._off = step.form == "POWER_OFF"

    def told(self, restored: list[str]) -> list[str]:
        """The module's state now, before these commands are given once more."""
        if self._off:
            return [
                "off: its power key starts it again",
                *([f"set and kept in it: {', '.join(self._kept)}"] if self._kept else []),
            ]
        try:
            now = self._state() if self._answers() else {}
        except serial.SerialException:
            now = {}
        if not now:
            return ["not known: it does not answer any more"]
        lines = []
        for name, value in now.items():
            before = self._found.get(name, UNKNOWN)
            lines.append(f"{name}: {value}" + ("" if value == before else f"; it was {before}"))
        back = [RESTORED.get(command, f"AT{command}") for command in restored]
        lines.append(f"put back as it was found: {', '.join(back) or 'nothing had to be'}")
        lines.append(f"set by this walk, and left so: {', '.join(self._kept) or 'nothing'}")
        return lines

    def _answers(self) -> bool:
        return any(at.result(text) is not None for text in self._line.ask(""))

    def _state(self) -> dict[str, str]:
        return {about: self._value(form, place, words) for form, (about, place, words)
                in ASKED.items()}  # fmt: skip

    def _value(self, name: str, place: int, words: dict[Any, str]) -> str:
        form = forms().get(name)
        if form is None:  # of another dialect
            return UNKNOWN
        for text in self._line.ask(form.send):
            if at.prefix(text) != form.answer:
                continue
            values = at.params(text)
            if len(values) > place:
                return words.get(values[place], f"{values[place]}")
        return UNKNOWN
