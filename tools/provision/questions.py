"""What a person is asked about a node: in words, with default and example, checked at once."""

import getpass
import re
from collections.abc import Callable
from typing import NamedTuple

from tools.deploy import DeployError
from tools.provision.node import KEY, Node
from tools.provision.wiring import WIRINGS


class Question(NamedTuple):
    """key -- of the setting; words -- what it is, with its unit; example -- "" for none"""

    key: str
    words: str
    example: str = ""
    secret: bool = False


QUESTIONS = (
    Question("id", "Name of the node: in its MQTT topics, on the monitor", "field-17"),
    Question("apn", "Access point name of the SIM's operator; empty: the SIM's own", "internet"),
    Question("mqtt.host", "MQTT broker: name or address", "broker.example"),
    Question("mqtt.port", "Its port"),
    Question("mqtt.user", "User at the broker; empty: none", "field-17"),
    Question("pin", "PIN of the SIM", secret=True),
    Question("mqtt.password", "Password at the broker", secret=True),
    Question("report.period_s", "Seconds from one report to the next", "3600 for one an hour"),
)
WIRING = "How is the module wired? esp32 and pyboard are the wirings of README's table"
COMMANDS = "A key, so that the node takes commands from afar"
YES = ("y", "yes")
NO = ("n", "no")


def ask(node: Node, keys: bool, wired: bool, say: Callable[[str], None] = print) -> bool:
    """Ask for what is not given yet; an empty answer takes the default. What the firmware would
    refuse, alone or with what is given already, is asked again.

    keys, wired -- whether a key for commands, and the wiring, are settled already

    Returns whether a new key is wanted. Raises DeployError as soon as no answer can help.
    """
    asked = [question for question in QUESTIONS if question.key not in node.given]
    to_come = [question.key for question in asked]
    _blamed(node, to_come, wired)
    for question in asked:
        _ask(node, question, to_come, wired, say)
    if not wired:
        _ask_wiring(node, say)
    if keys or node.given.get(KEY):
        return keys
    say(COMMANDS)
    while True:
        answer = input("make a key? [y/N]: ").strip().lower() or NO[0]
        if answer in YES + NO:
            return answer in YES
        say("  y or n?")


def _ask(
    node: Node, question: Question, to_come: list[str], wired: bool, say: Callable[[str], None]
) -> None:
    example = f" (e.g. {question.example})" if question.example else ""
    say(f"{question.words}{example}")
    default = node.tables.config.get(question.key)
    shown = f" [{default}]" if default not in (None, "") else ""
    while True:
        if question.secret:
            answer = getpass.getpass(f"{question.key} (not shown, empty for none): ")
        else:
            answer = input(f"{question.key}{shown}: ").strip()
        try:
            if answer or (default is None and not question.secret):
                node.put(question.key, answer)
                node.check(question.key)
            refused = ""
        except DeployError as error:
            refused = str(error)
        if not refused and _blamed(node, to_come, wired) == question.key:
            refused = node.refusal()  # with the other answers
        if not refused:
            to_come.remove(question.key)
            return
        node.given.pop(question.key, None)
        say(f"  {refused}")


def _ask_wiring(node: Node, say: Callable[[str], None]) -> None:
    say(f"{WIRING} ({', '.join(WIRINGS)})")
    given, chip = dict(node.given), node.chip
    while True:
        name = input("wiring [none]: ").strip() or "none"
        if name not in WIRINGS:
            say(f"  {name} is not one of {', '.join(WIRINGS)}")
            continue
        node.wire(name)
        refused = node.refusal()
        if not refused:
            return
        if _key(refused) in given:
            raise DeployError(refused)
        node.given, node.chip = dict(given), chip
        say(f"  {refused}")


def _blamed(node: Node, to_come: list[str], wired: bool) -> str:
    """The key for which the firmware would refuse what is given so far; "" for none. Raises
    DeployError when that is nothing that will be asked: better now than behind the last answer.
    """
    refused = node.refusal()
    key = _key(refused)
    if not refused or key in to_come or (not wired and key.startswith(("pins.", "uart."))):
        return key
    raise DeployError(refused)


def _key(refused: str) -> str:
    found = re.match(r"(?:\S+\.json: )?([\w.]+)", refused)
    return found[1] if found else ""
