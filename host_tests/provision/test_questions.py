"""A hurried person's answers: what would be refused behind the last question is asked again at its
own, and a terminal that closes is no traceback."""

import builtins
import getpass

import pytest

from tools import __main__ as entry
from tools.deploy import DeployError
from tools.provision import questions
from tools.provision.node import Node, Tables


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables.load()


def answered(
    monkeypatch, node: Node, answers: dict[str, list[str]], wired=True
) -> tuple[list[str], bool]:
    """What is said, and whether a key is wanted, when each question gets its
    answers in turn and Enter behind them.
    """
    said: list[str] = []
    left = {key: list(texts) for key, texts in answers.items()}

    def answer(prompt: str) -> str:
        texts = left.get(prompt.split()[0].rstrip(":"), [])
        return texts.pop(0) if texts else ""

    monkeypatch.setattr(builtins, "input", answer)
    monkeypatch.setattr(getpass, "getpass", answer)
    key = questions.ask(node, False, wired, said.append)
    assert not any(left.values()), "it was not asked again"
    return said, key


@pytest.mark.parametrize(
    ("given", "answers", "refused", "want"),
    [
        ({}, {"mqtt.host": ["", "", "h"]},
         "mqtt.host is missing, and the uplink mqtt needs it", {"mqtt.host": "h"}),
        ({"uplink.first": "http", "http.url": "http://h/", "uplink.then": "mqtt"},
         {"mqtt.host": ["", "h"]}, "mqtt.host is missing", {"mqtt.host": "h"}),
        ({"uplink.first": "http", "http.url": "http://h/"}, {}, "", {}),
        ({"mqtt.host": "h"}, {"report.period_s": ["0", "60"]},
         "allowed is a whole number", {"report.period_s": 60}),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_stay_is_asked_again(
    tables, monkeypatch, given, answers, refused, want
):
    node = Node(tables, {"id": "n"} | given)
    said, _ = answered(monkeypatch, node, answers)
    assert refused in "\n".join(said)
    assert node.given.items() >= want.items()
    node.files()


@pytest.mark.parametrize(
    ("given", "blamed"),
    [
        ({"uplink.first": "http"}, "http.url"),
        ({"uplink.then": "tcp", "mqtt.host": "h"}, "tcp.host"),
        ({"mqtt.host": "h", "battery.divider": 0}, "battery.divider"),
        ({"mqtt.host": "h", "pins.wake": 5, "pins.ring": 5}, "pins.wake"),
    ],
)
def test_what_no_answer_can_mend_is_said_before_the_questions(tables, monkeypatch, given, blamed):
    node = Node(tables, {"id": "n"} | given)
    monkeypatch.setattr(builtins, "input", lambda prompt: pytest.fail(prompt))
    with pytest.raises(DeployError, match=blamed):
        questions.ask(node, False, True)


def test_a_wiring_that_does_not_suit_the_chip_is_asked_again(tables, monkeypatch):
    """An ESP32-C3 has its flash where the wiring of an ESP32 has the UART."""
    node = Node(tables, {"id": "n", "mqtt.host": "h"}, chip="esp32c3")
    said, _ = answered(monkeypatch, node, {"wiring": ["arduino", "esp32", ""]}, wired=False)
    assert any("belongs to its flash chip" in line for line in said)
    assert "pins.pwrkey" not in node.given
    node = Node(tables, {"id": "n", "mqtt.host": "h"}, chip="esp32")
    said, _ = answered(monkeypatch, node, {"wiring": ["", "none", "esp32"]}, wired=False)
    assert sum("which belongs to its flash chip" in line for line in said) == 2
    assert node.given["uart.tx"] == 17
    node = Node(tables, {"id": "n", "mqtt.host": "h", "uart.tx": 6, "uart.rx": 16}, chip="esp32")
    with pytest.raises(DeployError, match=r"uart\.tx: pin 6"):
        answered(monkeypatch, node, {"wiring": ["esp32"]}, wired=False)


@pytest.mark.parametrize(
    ("answers", "want"),
    [([""], False), (["n"], False), (["NO"], False), (["y"], True), (["Yes "], True),
     (["maybe", "ja", "y"], True), (["1", "n"], False)],
)  # fmt: skip
def test_yes_is_yes_and_no_is_no(tables, monkeypatch, answers, want):
    node = Node(tables, {"id": "n", "mqtt.host": "h"})
    assert answered(monkeypatch, node, {"make": answers})[1] is want


WITHIN_A_WAIT = RuntimeError("release unlocked lock")  # what Ctrl-C may make of threading's wait
WITHIN_A_WAIT.__context__ = KeyboardInterrupt()


@pytest.mark.parametrize(
    ("failure", "code", "words"),
    [(EOFError(), 1, "no more answers"), (KeyboardInterrupt(), 130, "stopped"),
     (WITHIN_A_WAIT, 130, "stopped")],
)  # fmt: skip
def test_every_command_ends_in_words_when_nobody_answers(
    monkeypatch, capsys, failure, code, words
):
    def closed(_args):
        raise failure

    monkeypatch.setattr("tools.provision.cli.run", closed)
    assert entry.main(["provision", "--folder", "nowhere"]) == code
    assert words in capsys.readouterr().err


def test_what_is_wrong_in_a_tool_is_not_taken_for_ctrl_c(monkeypatch):
    def wrong(_args):
        raise RuntimeError("wrong")

    monkeypatch.setattr("tools.provision.cli.run", wrong)
    with pytest.raises(RuntimeError, match="wrong"):
        entry.main(["provision", "--folder", "nowhere"])
