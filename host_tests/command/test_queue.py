"""`python -m tools command` with a real broker; the node is played."""

import argparse
import contextlib
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from firmware import commands
from host_tests.broker_stand_in import SlowBroker
from host_tests.command.test_words import in_this_process
from host_tests.patience import LIMIT_S, until
from host_tests.peers import any_broker, dead_port
from tools import command
from tools.broker import HOST, Address, embedded, mosquitto
from tools.command import conversation, standing, words
from tools.command.conversation import Conversation

ROOT = Path(__file__).resolve().parents[2]
KEY = "ab" * 16


@pytest.fixture(scope="module", params=[any_broker, embedded])
def each_broker(request):
    with request.param() as address:
        yield address


@pytest.fixture(scope="module")
def one_broker():
    with any_broker() as address:
        yield address


@pytest.fixture
def empty():
    """empty(broker) -> the broker, with nothing retained of the node, before and behind."""
    used = []

    def make(broker):
        used.append(broker)
        return broker

    yield make
    for each in used:
        with Player(each) as player:
            player.settle()
            for topic in list(player.kept):
                player.client.publish(topic, b"", 1, retain=True).wait_for_publish(LIMIT_S)


@pytest.fixture
def broker(one_broker, empty):
    return empty(one_broker)


@pytest.fixture
def any_of_them(each_broker, empty):
    return empty(each_broker)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv(command.KEY_VARIABLE, KEY)
    monkeypatch.setattr("tools.command.conversation.SETTLE_S", 0.25)
    in_this_process(monkeypatch)


def run(broker, *typed):
    """The tool in this process; its exit code."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(["n", "--broker", str(broker), *map(str, typed)]))


def start(broker, *typed, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "tools", "command", "n", "--broker", str(broker), *typed],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
        # A suite that runs in the background has SIGINT ignored, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


class Player:
    """Plays the node, and sees all that is said of it. A context manager.

    answers -- it executes at once whatever comes
    """

    def __init__(self, broker, answers=False):
        self.kept = {}  # topic -> payload
        self.said = []
        self.done = []
        self.answers = answers
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self._answered = set()  # by the broker: requests to subscribe
        self.client.on_message = self._arrived
        self.client.on_subscribe = lambda client, userdata, mid, *_: self._answered.add(mid)
        self.client.on_connect = lambda client, *_: client.subscribe("nodes/n/#", 1)
        self.client.connect(*broker)
        self.client.loop_start()
        until(lambda: self._answered)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()

    def settle(self):
        """Until all has come that the broker has for us by now."""
        heard = -1
        while heard < len(self.said):
            heard = len(self.said)
            _, asked = self.client.subscribe("nodes/n/nothing", 1)
            until(lambda asked=asked: asked in self._answered)

    @property
    def waiting(self):
        return {t[17:]: p for t, p in self.kept.items() if t.startswith("nodes/n/commands/")}

    def say(self, below, told, retained=True):
        payload = told if isinstance(told, bytes) else json.dumps(told).encode()
        done = self.client.publish("nodes/n/" + below, payload, 1, retain=retained)
        if threading.current_thread() is not self.client._thread:  # whose work it is
            done.wait_for_publish(LIMIT_S)
            assert done.is_published()

    def answer(self, name, payload, word="done", **more):
        told = {"id": name, "counter": json.loads(payload)["counter"], "result": word, **more}
        self.say("results", told, False)
        self.say(f"results/{name}", told)
        self.say(f"commands/{name}", b"")

    def _arrived(self, client, userdata, message):
        self.said.append((message.topic, message.payload))
        if not message.payload:
            self.kept.pop(message.topic, None)
            return
        self.kept[message.topic] = message.payload
        if message.topic.startswith("nodes/n/commands/") and self.answers:
            name = message.topic[17:]
            self.done.append(name)
            self.answer(name, message.payload, backlog=0)


def test_commands_wait_are_listed_answered_and_listed_again(any_of_them, capsys):
    with Player(any_of_them) as player:
        assert run(any_of_them, "ping", "--wait", 0) == 0
        first = capsys.readouterr().out.split()[0]
        assert run(any_of_them, "set", "report.period_s=600", "--wait", 0) == 0
        out = capsys.readouterr().out
        second = out.split()[0]
        assert f"{second} waits since " in out
        assert "; in front of it: ping" in out
        until(lambda: len(player.waiting) == 2)
        counters = [json.loads(player.waiting[name])["counter"] for name in (first, second)]
        assert counters == sorted(set(counters))

        assert run(any_of_them, "results") == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines[1:3]] == [first, second]
        assert all(line.endswith("waits") for line in lines[1:3])
        assert run(any_of_them, "results", first) == 0
        assert f"{first} waits since " in capsys.readouterr().out

        at = int(time.time())
        more = {"time": at, "due": at + 900, "do": "ping", "backlog": 3, "lines": ["a\x1b[2Jb"]}
        player.answer(first, player.waiting[first], **more)
        until(lambda: len(player.waiting) == 1)
        assert run(any_of_them, "results") == 0
        out = capsys.readouterr().out
        assert "done" in out
        assert "backlog=3" in out
        assert "the node last reported " in out
        assert ", due " in out
        assert run(any_of_them, "results", first) == 0
        assert capsys.readouterr().out == "done backlog=3\n  a?[2Jb\n"


def test_one_that_waits_is_withdrawn(broker, capsys):
    with Player(broker) as player:
        for _ in range(2):
            assert run(broker, "ping", "--wait", 0) == 0
        first, second = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
        assert run(broker, "cancel", first) == 0
        assert capsys.readouterr().out == f"{first} is withdrawn\n"
        until(lambda: list(player.waiting) == [second])
        assert run(broker, "results") == 0
        out = capsys.readouterr().out
        assert "withdrawn" in out
        assert "when the node last reported is not known" in out
        assert run(broker, "cancel", first) == 1
        assert "does not wait: it is withdrawn" in capsys.readouterr().err
        player.answer(second, player.waiting[second])
        until(lambda: not player.waiting)
        assert run(broker, "cancel", second) == 1
        assert "does not wait: it is done" in capsys.readouterr().err
        assert run(broker, "cancel", "nosuch") == 1
        assert "nosuch does not wait" in capsys.readouterr().err


def test_whoever_waits_hears_that_it_was_withdrawn(broker, capsys):
    waits = start(broker, "ping")
    with Player(broker) as player:
        until(lambda: player.waiting)
        assert run(broker, "cancel", next(iter(player.waiting))) == 0
        out, err = waits.communicate(timeout=LIMIT_S)
    assert (waits.returncode, out, err) == (1, "withdrawn\n", "")


def test_many_operators_at_the_same_millisecond(any_of_them, monkeypatch, capsys):
    """No command takes the place of another one, and no two have the same number."""
    frozen = time.time()
    clock = SimpleNamespace(time=lambda: frozen)
    monkeypatch.setattr("tools.command.time", clock)
    codes = []
    threads = [
        threading.Thread(target=lambda: codes.append(run(any_of_them, "ping", "--wait", 0)))
        for _ in range(6)
    ]
    with Player(any_of_them) as player:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT_S)
        assert codes == [0] * 6
        until(lambda: len(player.waiting) == 6)
        counters = {json.loads(payload)["counter"] for payload in player.waiting.values()}
        assert len(counters) == 6
    capsys.readouterr()


@pytest.mark.parametrize(
    "typed",
    [
        ["set", "report.peroid_s=5"], ["set", "mqtt.port=0"], ["set", "id=x"], ["set", "pin=1"],
        ["pnig"], ["ping", "x"], ["cancel"], ["results", "a", "b"],
    ],
)  # fmt: skip
def test_what_should_not_have_been_typed_is_not_sent(typed, broker, capsys):
    with Player(broker) as player:
        assert run(broker, *typed) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        player.settle()
        assert player.said == []


@pytest.mark.parametrize("node", ["", "a/b", "+", "#", "n#1", "x" * 40, "ü"])
def test_what_is_no_node(node, capsys):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    args = parser.parse_args([node, "ping", "--broker", f"{HOST}:{dead_port()}"])
    assert command.run(args) == 2
    assert "is no node's id" in capsys.readouterr().err


def test_no_result_says_how_it_stands(broker, capsys):
    with Player(broker) as player:
        player.say("results/x", {"result": "done", "time": 1_800_000_000, "due": 1_800_000_900})
        assert run(broker, "reboot", "--wait", 0) == 0
        capsys.readouterr()
        assert run(broker, "ping", "--wait", 0.2) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no result within 0.2 s: " in err
    assert " waits at the broker since " in err
    assert "in front of it: reboot" in err
    assert "the node last reported " in err


def test_stopped_while_it_waits(broker):
    with Player(broker) as player:
        process = start(broker, "ping")
        until(lambda: player.waiting)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_S)
        assert (process.returncode, out) == (130, "")
        assert err.startswith(f"stopped: {next(iter(player.waiting))} waits at the broker since ")
        assert err.count("\n") == 1


def interrupted(broker, line):
    """Give a command, and press Ctrl-C at this line of ours since it is given. -> (exit code,
    whether there was such a line)
    """
    left = line
    ours = (conversation.__file__, standing.__file__)

    def trace(frame, event, _):
        nonlocal left
        if frame.f_code.co_filename not in ours:
            return None
        if event == "line" and (left := left - 1) == 0:
            signal.raise_signal(signal.SIGINT)
        return trace

    given = Conversation.put

    def put(*args):
        sys.settrace(trace)
        try:
            return given(*args)
        finally:
            sys.settrace(None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Conversation, "put", put)
        return run(broker, "ping", "--wait", 0), left <= 0


@pytest.fixture
def sigint():
    """A suite that runs in the background has SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


def test_stopped_at_any_line_it_knows_whether_the_command_is_at_the_broker(
    broker, capsys, monkeypatch, sigint
):
    monkeypatch.setattr("tools.command.conversation.SETTLE_S", 0.02)
    told = set()
    with Player(broker) as player:
        line, more = 0, True
        while more:
            line += 1
            code, more = interrupted(broker, line)
            out, err = capsys.readouterr()
            player.settle()
            name = (err or f"given: {out}").split()[1]
            how = "waits" if player.waiting else "is not seen"
            assert set(player.waiting) <= {name}
            if code == 0:
                assert (err, how) == ("", "waits")
            else:
                assert (code, out, err.count("\n")) == (130, "", 1)
                assert err.startswith(f"stopped: {name} {how} at the broker")
                told.add(how)
            for each in player.waiting:
                player.say(f"commands/{each}", b"")
            player.settle()
    assert told == {"waits", "is not seen"}
    assert line > 50


def test_a_second_ctrl_c_ends_at_once(broker, sigint):
    with Player(broker), Conversation("n", broker, None) as talk:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            talk.tell("commands/never", b"{}")
        talk.settle()
        assert talk.standing.waiting == {}


def test_a_terminal_shows_that_it_waits(broker):
    with Player(broker) as player:
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "tools", "command", "n", "--broker", str(broker), "ping"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=slave, text=True,
        )  # fmt: skip
        os.close(slave)
        seen = b""
        limit = time.monotonic() + LIMIT_S
        while b" waits since " not in seen:
            assert time.monotonic() < limit
            seen += os.read(master, 1000)
        player.answer(*next(iter(player.waiting.items())), backlog=1)
        out, _ = process.communicate(timeout=LIMIT_S)
        os.close(master)
        assert (process.returncode, out) == (0, "done backlog=1\n")


def test_a_single_command_for_older_firmware(broker, capsys):
    with Player(broker) as player:
        assert run(broker, "ping", "--wait", 0, "--single") == 0
        until(lambda: "nodes/n/commands" in player.kept)
        name = json.loads(player.kept["nodes/n/commands"])["id"]
        assert capsys.readouterr().out == f"{name}\n"
        assert run(broker, "reboot", "--single") == 1
        assert f"the single place is taken by {name}" in capsys.readouterr().err
        assert run(broker, "results") == 0
        assert "in the single place of older firmware" in capsys.readouterr().out
        assert run(broker, "cancel", name) == 0
        until(lambda: "nodes/n/commands" not in player.kept)

        process = start(broker, "ping", "--single")
        until(lambda: "nodes/n/commands" in player.kept)
        name = json.loads(player.kept["nodes/n/commands"])["id"]
        player.say("results", {"id": name, "counter": 5, "result": "done", "wake": 1}, False)
        out, err = process.communicate(timeout=LIMIT_S)
        assert (process.returncode, out, err) == (0, "done wake=1\n", "")
        until(lambda: "nodes/n/commands" not in player.kept)


def test_a_broker_that_refuses_says_so_at_once(monkeypatch, capsys):
    monkeypatch.setenv("MQTT_PASSWORD", "wrong")
    with mosquitto({"me": "right"}) as broker:
        assert run(broker, "ping", "--user", "me") == 1
        err = capsys.readouterr().err
        assert f"the broker at {broker} refuses user me: " in err
        assert "$MQTT_PASSWORD" in err
        assert "wrong" not in err
        assert run(broker, "results") == 1
        assert "refuses who names no --user" in capsys.readouterr().err


class Switch:
    """A TCP port that leads to one broker and then to another one."""

    def __init__(self, to):
        self.to = to
        self.server = socket.create_server((HOST, 0))
        self.address = Address(HOST, self.server.getsockname()[1])
        self.open = []
        threading.Thread(target=self._serve, daemon=True).start()

    def lead(self, to):
        self.to = to
        for each in self.open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _serve(self):
        while True:
            try:
                client, _ = self.server.accept()
                there = socket.create_connection(self.to)
            except OSError:
                return
            self.open += [client, there]
            for one, other in ((client, there), (there, client)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(4096):
                other.sendall(data)
            other.shutdown(socket.SHUT_RDWR)


def test_a_broker_that_loses_what_it_had_is_given_it_again():
    """As long as somebody waits for the result; what had its result is not given again."""
    with any_broker() as first, any_broker() as second, embedded() as third:
        switch = Switch(first)
        process = start(switch.address, "ping")
        with Player(first) as player:
            until(lambda: player.waiting)
            name, message = next(iter(player.waiting.items()))
        switch.lead(second)
        with Player(second) as player:
            until(lambda: player.waiting)
            assert player.waiting == {name: message}
        with Player(third) as player:
            player.answer(name, message, backlog=9)
            until(lambda: f"nodes/n/results/{name}" in player.kept)
            player.said.clear()
            switch.lead(third)
            out, err = process.communicate(timeout=LIMIT_S)
            assert (process.returncode, out, err) == (0, "done backlog=9\n", "")
            assert (f"nodes/n/commands/{name}", message) not in player.said
        switch.server.close()


def test_results_that_are_old_are_cleared(broker, capsys):
    with Player(broker) as player:
        for i in range(30):
            player.say(
                f"results/r{i:02d}", {"id": f"r{i:02d}", "counter": i + 1, "result": "done"}
            )
        player.say("commands/x", b"-")
        until(lambda: len(player.kept) == 31)
        assert run(broker, "results") == 0
        until(lambda: len(player.kept) == 20)
        assert min(player.kept) == "nodes/n/results/r10"
    capsys.readouterr()


def test_a_node_that_answers_before_it_is_waited_for(any_of_them, capsys):
    with Player(any_of_them, answers=True) as player:
        for _ in range(3):
            assert run(any_of_them, "ping") == 0
        assert capsys.readouterr().out == "done backlog=0\n" * 3
        assert len(player.done) == 3


def test_no_more_than_so_many_wait(broker, monkeypatch, capsys):
    monkeypatch.setattr(command, "MOST", 2)
    for _ in range(2):
        assert run(broker, "ping", "--wait", 0) == 0
    capsys.readouterr()
    assert run(broker, "ping", "--wait", 0) == 1
    assert "2 commands wait for n already" in capsys.readouterr().err


def test_somebody_elses_clock_is_ahead(broker):
    ahead = int(time.time() * 1000) + 3_600_000
    key = bytes.fromhex(KEY)
    with Player(broker) as player:
        player.say("commands/other", words.signed("n", key, {"do": "ping"}, ahead, "other"))
        until(lambda: player.waiting)
        assert run(broker, "ping", "--wait", 0) == 0
        until(lambda: len(player.waiting) == 2)
        counters = sorted(json.loads(payload)["counter"] for payload in player.waiting.values())
        assert counters == [ahead, ahead + 1]


class Gated(Player):
    """A node with the firmware's own gate. proves -- it tells its counter with a refused replay"""

    def __init__(self, broker, counter=0, proves=True):
        self.gate = commands.Gate("n", bytes.fromhex(KEY), counter)
        self.proves = proves
        super().__init__(broker)

    def _arrived(self, client, userdata, message):
        super()._arrived(client, userdata, message)
        below = message.topic.removeprefix("nodes/n/")
        if not below.startswith("commands") or message.payload in commands.NOTHING:
            return
        order, result = self.gate.judge(message.payload)
        if order is not None:
            self.done.append(order.id)
            result = {"id": order.id, "counter": order.counter, "result": "done"}
        elif result["why"] == commands.REPLAY and self.proves:
            self.gate.prove(result)
        self.say("results", result, False)
        name = below[len("commands/") :]
        if name:
            self.say(f"results/{name}", result)
        self.say(below, b"")


YEAR_S = 365 * 86400
CLOCKS = (-YEAR_S, 0, 3600, YEAR_S, 100 * YEAR_S)


@pytest.fixture
def clock(monkeypatch):
    """clock(seconds) sets how far this host's clock is ahead."""
    ahead = [0.0]
    told = SimpleNamespace(time=lambda: time.time() + ahead[0])
    monkeypatch.setattr("tools.command.time", told)
    return lambda seconds: ahead.__setitem__(0, seconds)


@pytest.mark.parametrize("how", [[], ["--live"], ["--single"]], ids=["queue", "live", "single"])
@pytest.mark.parametrize("other", CLOCKS)
def test_two_hosts_whatever_their_clocks_are_both_obeyed(broker, clock, capsys, how, other):
    with Gated(broker) as player:
        for nth, ahead in enumerate((0, other, 0, other, 0), 1):
            clock(ahead)
            assert run(broker, "ping", "--wait", 30, *how) == 0, capsys.readouterr()
            assert len(player.done) == nth
        said = capsys.readouterr().out
        # Of a day what the results tell is believed, if they are kept; else the node proves it.
        passed = abs(other) > 86400 or bool(other and how)
        assert ("already taken a command with a later counter, of " in said) == passed
        assert "proof" not in said


def test_firmware_that_does_not_prove_its_counter(broker, capsys, clock):
    ahead = (int(time.time()) + YEAR_S) * 1000
    with Gated(broker, ahead, proves=False) as player:
        assert run(broker, "ping", "--wait", 30) == 1
        said = capsys.readouterr().err
        assert "the node has already taken a command with a later counter" in said
        assert "--after COUNTER" in said
        assert run(broker, "ping", "--wait", 30, "--after", ahead) == 0
        assert player.gate.counter == ahead + 1


def test_a_counter_that_somebody_else_tells_is_not_passed(broker):
    """It might be the last one that there is."""
    with Gated(broker, 2**53 - 3, proves=False) as player:
        answer = player.say

        def forge(below, told, retained=True):
            more = {"last": 2**53 - 3, "proof": "00" * 32} if below.startswith("results") else {}
            answer(below, told | more if more else told, retained)

        player.say = forge
        assert run(broker, "ping", "--wait", 30) == 1
        assert player.done == []


def test_the_last_counter_that_there_is(broker, capsys):
    with Player(broker) as player:
        last = words.signed("n", bytes.fromhex(KEY), {"do": "ping"}, 2**53 - 1, "last")
        player.say("commands/last", last)
        until(lambda: player.waiting)
        assert run(broker, "ping", "--wait", 0) == 1
    assert "the last counter that there is: remove commands.counter" in capsys.readouterr().err


@pytest.mark.parametrize("counter", ["-1", "x", "1.5", "9" * 4500, str(2**53)])
def test_what_is_no_counter(broker, counter, capsys):
    with pytest.raises(SystemExit):
        run(broker, "ping", "--after", counter)
    assert "is no counter: 0 to 9007199254740990" in capsys.readouterr().err


def test_rubbish_does_not_count_among_those_that_wait(broker, monkeypatch, capsys):
    monkeypatch.setattr(command, "MOST", 2)
    with Player(broker) as player:
        other = words.signed("n", bytes(16), {"do": "ping"}, 5, "other")
        for name, payload in (("a", b"x"), ("b", b"{}"), ("c", b"[1]"), ("other", other)):
            player.say(f"commands/{name}", payload)
        until(lambda: len(player.waiting) == 4)
        for _ in range(2):
            assert run(broker, "ping", "--wait", 0) == 0
        assert run(broker, "ping", "--wait", 0) == 1
    assert "2 commands wait for n already" in capsys.readouterr().err


def test_a_conversation_takes_rubbish(broker):
    with Player(broker) as player, Conversation("n", broker, None) as talk:
        for below in ("results", "results/x", "commands/x", "telemetry"):
            for payload in (b"\xff", b"[" * 9000, b"{}", b"null"):
                player.say(below, payload, False)
        assert talk.answers("x", 0.5, lambda result: None) is None


def test_what_waits_is_known_however_busy_the_broker_is(monkeypatch):
    """It hands out what it has retained little by little, long after the subscription."""
    monkeypatch.setattr("tools.command.conversation.SETTLE_S", 0.0)
    told = {f"nodes/n/results/r{n}": b'{"result": "done"}' for n in range(5)}
    with SlowBroker(retained=told) as broker:
        broker.acknowledge.set()
        with Conversation("n", broker.address, None) as talk:
            assert sorted(talk.standing.results) == [f"r{n}" for n in range(5)]
