"""The node's side of a conversation: what is stored, executed and answered, in which order."""

import asyncio
import json
import os
from binascii import hexlify

from c1100 import NotConnected, Timeout
from c1100.mqtt import Message
from firmware import commands, config, downlink, files, log, state, trial
from host_tests.support import fails
from host_tests.support.scratch import folder

KEY = bytes(range(16))
HOME = os.getcwd()


def told(counter, body, id="c", key=KEY, retained=True):
    text = json.dumps(body)
    mac = hexlify(commands.signature(key, "n", id, counter, text)).decode()
    envelope = {"id": id, "counter": counter, "body": text, "mac": mac}
    return Message("nodes/n/commands", json.dumps(envelope).encode(), retained, 1)


class Mqtt:
    """A session with these messages waiting; notes what is done, in order."""

    def __init__(self, *messages, notes=None):
        self.messages = list(messages)
        self.connected = True
        self.lost = 0
        self.notes = [] if notes is None else notes

    async def subscribe(self, topic):
        self.notes.append("subscribe " + topic)

    def check_msg(self):
        return self.messages.pop(0) if self.messages else None

    async def wait_msg(self):
        await asyncio.sleep_ms(1000000)

    async def publish(self, topic, payload, qos):
        assert topic == "nodes/n/results"
        assert qos == 1
        self.notes.append(json.loads(payload))

    @property
    def results(self):
        return [note for note in self.notes if isinstance(note, dict)]


class Node:
    def __init__(self, notes):
        self.settings = {"id": "n", "commands.key": hexlify(KEY).decode(), "commands.listen_s": 5}
        self.state = state.State(starts=3, wakes=7)
        self.outbox = [b"one", b"two"]
        self.notes = notes

    def restart(self):
        self.notes.append("restart")


class Conversation:
    """In an empty folder that is the node's flash."""

    def __init__(self, *messages):
        self.mqtt = Mqtt(*messages)
        self.notes = self.mqtt.notes
        self.node = Node(self.notes)

    def __enter__(self):
        where = folder()
        try:
            os.mkdir(where)
        except OSError:
            pass  # on CPython only the folder above is new
        os.chdir(where)
        log.begin("off")
        with open("config.json", "w") as file:
            json.dump({"id": "n", "mqtt": {"host": "h"}}, file)
        return self

    def __exit__(self, *_):
        os.chdir(HOME)

    async def report(self):
        # What is stored by now is what a power cut would leave.
        self.notes.append("report with counter %s" % files.read("commands.counter").decode())

    async def run(self, *messages):
        self.mqtt.messages += messages
        await downlink.Downlink(self.node, self.mqtt, self.report).run()


async def test_a_command_is_counted_then_executed_then_answered():
    with Conversation() as talk:
        await talk.run(told(5, {"do": "report"}))
        assert talk.notes == [
            "subscribe nodes/n/commands",
            "report with counter 5",
            {"id": "c", "counter": 5, "result": "done", "backlog": 2},
        ]


async def test_what_the_power_cut_short_is_not_executed_at_the_next_start():
    class PowerCut(Exception):
        pass

    async def cut():
        raise PowerCut

    with Conversation() as talk:
        talk.mqtt.messages.append(told(5, {"do": "report"}))
        await fails(PowerCut, downlink.Downlink(talk.node, talk.mqtt, cut).run())
        await talk.run(told(5, {"do": "report"}))
        assert not [n for n in talk.notes if isinstance(n, str) and n.startswith("report")]
        assert talk.mqtt.results == []
        await talk.run(told(5, {"do": "report"}, retained=False))
        assert talk.mqtt.results[-1]["why"] == commands.REPEATED


async def test_a_counter_that_cannot_be_stored_stops_the_command():
    class Full:
        read = files.read

        @staticmethod
        def replace(path, data):
            raise OSError(28)

    with Conversation() as talk:
        downlink.files = Full
        try:
            await talk.run(told(5, {"do": "reboot"}))
        finally:
            downlink.files = files
        assert "restart" not in talk.notes
        assert talk.mqtt.results == [
            {"id": None, "result": "refused", "why": "its counter cannot be stored"}
        ]


async def test_a_damaged_counter_stops_all_commands():
    with Conversation() as talk:
        for damaged in (b"", b"x", b"\xff", b"1 2", b"-5", b"+5", b" 5", b"5\n", b"0x5", b"1_0"):
            files.replace("commands.counter", damaged)
            await talk.run(told(5, {"do": "reboot"}))
            talk.mqtt.messages.clear()
        assert talk.notes == []


async def test_refusals_are_answered_and_execute_nothing():
    with Conversation() as talk:
        files.replace("commands.counter", b"10")
        await talk.run(
            told(11, {"do": "reboot"}, key=bytes(16)),
            told(9, {"do": "reboot"}),
            told(10, {"do": "reboot"}, retained=False),
            Message("nodes/n/commands", b"rubbish", False, 1),
            Message("nodes/n/commands", b"x" * 3000, False, 1),
            told(12, {"do": "explode"}),
        )
        assert [result["why"] for result in talk.mqtt.results] == [
            commands.BAD_MAC,
            commands.REPLAY,
            commands.REPEATED,
            commands.MALFORMED,
            commands.TOO_LONG,
            commands.UNKNOWN,
        ]
        assert "restart" not in talk.notes
        assert files.read("commands.counter") == b"12"


async def test_nobody_can_keep_the_node_awake():
    with Conversation() as talk:
        await talk.run(*[Message("nodes/n/commands", b"rubbish", False, 1) for _ in range(50)])
        assert len(talk.mqtt.results) == 8


async def test_what_the_driver_had_to_drop_is_answered_too():
    with Conversation() as talk:

        async def subscribe(topic):
            pass

        talk.mqtt.subscribe = subscribe
        link = downlink.Downlink(talk.node, talk.mqtt, talk.report)

        async def drop(ms):
            talk.mqtt.lost += 1

        link._next = drop
        await link.run()
        assert [result["why"] for result in talk.mqtt.results] == [commands.TOO_LONG]


async def test_a_setting_is_put_on_trial_and_its_outcome_told():
    with Conversation() as talk:
        await talk.run(told(1, {"do": "set", "key": "mqtt.port", "value": 1884}, "s1"))
        assert trial.change() == ("mqtt.port", 1884)
        assert talk.notes[-2] == "restart"
        assert talk.mqtt.results == [
            {"id": "s1", "counter": 1, "result": "trying", "key": "mqtt.port"}
        ]
        trial.keep()
        await talk.run()
        assert talk.mqtt.results[-1] == {"id": "s1", "result": "kept", "key": "mqtt.port"}
        assert config.load()["mqtt.port"] == 1884
        told_so_far = len(talk.mqtt.results)
        await talk.run()
        assert len(talk.mqtt.results) == told_so_far


async def test_an_outcome_that_could_not_be_told_is_told_later():
    with Conversation() as talk:
        trial.start("s1", "mqtt.port", 1884)
        trial.take_back("x" * 500)

        async def publish(topic, payload, qos):
            raise NotConnected("gone", "PUB")

        good = talk.mqtt.publish
        talk.mqtt.publish = publish
        await fails(NotConnected, downlink.Downlink(talk.node, talk.mqtt, talk.report).run())
        talk.mqtt.publish = good
        await talk.run()
        assert talk.mqtt.results[0]["result"] == "taken back"
        assert len(json.dumps(talk.mqtt.results[0])) < 512


async def test_a_setting_that_is_refused_says_why():
    with Conversation() as talk:
        await talk.run(told(1, {"do": "set", "key": "mqtt.port", "value": "y" * 400}))
        (result,) = talk.mqtt.results
        assert result["result"] == "failed"
        assert "mqtt.port" in result["why"]
        assert len(json.dumps(result)) < 512
        assert trial.change() is None
        assert "restart" not in talk.notes


async def test_an_action_that_fails_is_answered():
    with Conversation() as talk:

        async def report():
            raise Timeout("no answer", "AT+X")

        talk.report = report
        await talk.run(told(1, {"do": "report"}))
        (result,) = talk.mqtt.results
        assert result["result"] == "failed"
        assert "no answer" in result["why"]


async def test_the_log_fits_into_one_message():
    with Conversation() as talk:
        log.begin("info")
        log._waiting.clear()
        for number in range(200):
            log._keep(3, 'line %d "quoted" \\ and more of it' % number)
            log.flush()
        seen = []
        skip = 0
        for counter in range(1, 200):
            await talk.run(told(counter, {"do": "log", "skip": skip}))
            result = talk.mqtt.results[-1]
            assert len(json.dumps(result)) <= 512
            seen = result["lines"] + seen
            skip += len(result["lines"])
            if not result["more"]:
                break
        # Each command leaves a line of its own, which pushes the pages on by one.
        numbers = [line.split()[4] for line in seen if "quoted" in line]
        assert numbers[-1] == "199"
        assert len(numbers) > 50
        log.begin("off")
        log._waiting.clear()


async def test_listening_ends():
    with Conversation() as talk:
        await asyncio.wait_for_ms(talk.run(), 6000)
        assert talk.notes == ["subscribe nodes/n/commands"]


async def test_a_counter_that_is_a_folder_stops_all_commands():
    with Conversation() as talk:
        os.mkdir("commands.counter")
        await talk.run(told(5, {"do": "report"}))
        assert talk.notes == []
        os.rmdir("commands.counter")
        await talk.run(told(5, {"do": "report"}))
        assert talk.mqtt.results[-1]["result"] == "done"


async def test_whatever_a_command_raises_is_told_by_its_kind():
    good = downlink._ACTIONS["ping"]
    try:
        for count, error in enumerate((ValueError("secret"), MemoryError(), KeyError("secret"))):

            async def broken(_downlink, _order, error=error):
                raise error

            downlink._ACTIONS["ping"] = broken
            with Conversation() as talk:
                await talk.run(told(count + 1, {"do": "ping"}), told(count + 2, {"do": "report"}))
                assert talk.mqtt.results == [
                    {
                        "id": "c",
                        "counter": count + 1,
                        "result": "failed",
                        "why": type(error).__name__,
                    },
                    {"id": "c", "counter": count + 2, "result": "done", "backlog": 2},
                ]
    finally:
        downlink._ACTIONS["ping"] = good
