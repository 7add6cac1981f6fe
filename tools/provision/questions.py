"""What a person is asked about a node: in words, with default and example, checked at once."""

import getpass
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


def ask(node: Node, keys: bool, wired: bool, say: Callable[[str], None] = print) -> bool:
    """Ask for what is not given yet; an empty answer takes the default.

    keys, wired -- whether a key for commands, and the wiring, are settled already

    Returns whether a new key is wanted.
    """
    for question in QUESTIONS:
        if question.key not in node.given:
            _ask(node, question, say)
    if not wired:
        say(f"{WIRING} ({', '.join(WIRINGS)})")
        while True:
            name = input("wiring [none]: ").strip() or "none"
            if name in WIRINGS:
                break
            say(f"  {name} is not one of {', '.join(WIRINGS)}")
        node.wire(name)
    if keys or node.given.get(KEY):
        return keys
    say(COMMANDS)
    return input("make a key? [y/N]: ").strip().lower() in YES


def _ask(node: Node, question: Question, say: Callable[[str], None]) -> None:
    example = f" (e.g. {question.example})" if question.example else ""
    say(f"{question.words}{example}")
    default = node.tables.config.get(question.key)
    shown = f" [{default}]" if default not in (None, "") else ""
    while True:
        if question.secret:
            answer = getpass.getpass(f"{question.key} (not shown, empty for none): ")
        else:
            answer = input(f"{question.key}{shown}: ").strip()
        if not answer and (default is not None or question.secret):
            return
        try:
            node.put(question.key, answer)
            node.check(question.key)
            return
        except DeployError as error:
            node.given.pop(question.key, None)
            say(f"  {error}")
