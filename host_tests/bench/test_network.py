"""Virtual time stands still while a real peer owes an answer, but not for ever."""

import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from host_tests.bench.conftest import EchoModule
from host_tests.patience import LIMIT_S
from tools import network
from tools.network import Network


class Question:
    """A peer that waits for one answer over a real socket."""

    def __init__(self, on_answer=None) -> None:
        self.mine, self.theirs = socket.socketpair()
        self.mine.setblocking(False)
        self.answers: list[bytes] = []
        self.pending = True
        self.want_read = True
        self.want_write = False
        self._on_answer = on_answer

    def fileno(self) -> int:
        return self.mine.fileno()

    def on_ready(self) -> None:
        self.answers.append(self.mine.recv(100))
        self.pending = False
        if self._on_answer:
            self._on_answer()

    def answer_later(self, delay_s: float) -> None:
        threading.Timer(delay_s, lambda: self.theirs.sendall(b"answer")).start()

    def close(self) -> None:
        self.mine.close()
        self.theirs.close()


@pytest.fixture
def question() -> Iterator[Question]:
    peer = Question()
    yield peer
    peer.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The real seconds that a network was ready to wait, each time that it looked."""
    found: list[float] = []

    class Select:
        @staticmethod
        def select(reads, writes, errors, timeout_s):
            found.append(timeout_s)
            return select.select(reads, writes, errors, timeout_s)

    monkeypatch.setattr(network, "select", Select)
    return found


def test_settle_waits_for_the_answer(question: Question) -> None:
    made = Network(lambda: [question])
    question.answer_later(0.1)
    assert made.settle()
    assert question.answers == [b"answer"]
    assert made.timeouts == 0


def test_settle_does_not_wait_when_nothing_is_owed(question: Question, waits: list[float]) -> None:
    question.pending = False
    assert Network(lambda: [question]).settle()
    assert set(waits) == {0}
    question.theirs.sendall(b"unasked")
    assert Network(lambda: [question]).settle()
    assert question.answers == [b"unasked"]


def test_an_answer_that_never_comes_is_waited_for_once(
    question: Question, waits: list[float]
) -> None:
    made = Network(lambda: [question], limit_s=0.15)
    assert not made.settle()
    waits.clear()
    assert made.settle()
    assert set(waits) == {0}
    assert made.timeouts == 1
    question.pending = False
    assert made.settle()
    made._limit_s = LIMIT_S
    question.pending = True  # a new question is waited for again
    question.answer_later(0.05)
    assert made.settle()
    assert question.answers == [b"answer"]


def test_the_node_sees_no_time_pass_while_a_peer_is_slow(node) -> None:
    questions: list[Question] = []

    class Slow(EchoModule):
        def receive(self, data: bytes) -> None:
            questions.append(Question(on_answer=lambda: EchoModule.receive(self, data)))
            questions[-1].answer_later(0.2)

        def peers(self) -> list:
            return questions

    n = node(
        """
import machine, time
uart = machine.UART(1, 115200, timeout=100)
uart.write(b"x")
print(uart.read(1), time.ticks_ms())
machine.deepsleep(1000000)
""",
        module=Slow,
    )
    begin = time.monotonic()
    n.bench.run(until=10)
    for each in questions:
        each.close()
    assert n.lines == ["b'x' 6"]
    assert time.monotonic() - begin > 0.2
