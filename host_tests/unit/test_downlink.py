"""The node's side of a conversation: what is stored, executed and answered, in which order."""

import asyncio
import json
import os
from binascii import hexlify

from c1100 import BadArgument, CommandError, NotConnected, Timeout
from c1100.mqtt import Message
from firmware import clock, commands, config, downlink, files, log, orders, results, state, trial
from host_tests.support import fails
from host_tests.support.scratch import Inside

KEY = bytes(range(16))


def told(counter, body, id="c", key=KEY, retained=True, topic="nodes/n/commands"):
    text = json.dumps(body)
    mac = hexlify(commands.signature(key, "n", id, counter, text)).decode()
    envelope = {"id": id, "counter": counter, "body": text, "mac": mac}
    return Message(topic, json.dumps(envelope).encode(), retained, 1)


def waits(counter, body=None, id=None, key=KEY):
    """A command on a topic of its own."""
    id = id or "c%d" % counter
    return told(counter, body or {"do": "report"}, id, key, True, "nodes/n/commands/" + id)


class Mqtt:
    """A session with these messages waiting; notes what is done, in order.

    kept -- topic -> payload that the broker has retained, told at each subscription; None: no
    """

    def __init__(self, *messages, notes=None):
        self.messages = list(messages)
        self.connected = True
        self.lost = 0
        self.notes = [] if notes is None else notes
        self.kept = {}
        self.ends_at = 0  # the publish that the session ends at, counted from 1

    async def connect(self):
        self.connected = True

    async def subscribe(self, topic):
        self.notes.append("subscribe " + topic)
        for topic in sorted(self.kept):
            if topic.startswith("nodes/n/commands/"):
                self.messages.append(Message(topic, self.kept[topic], True, 1))

    async def unsubscribe(self, topic):
        self.notes.append("unsubscribe " + topic)

    def check_msg(self):
        return self.messages.pop(0) if self.messages else None

    async def wait_msg(self):
        await asyncio.sleep_ms(1000000)

    async def publish(self, topic, payload, qos, retain=False):
        self.ends_at -= 1
        if not self.ends_at:
            raise NotConnected("gone", "PUB")
        assert qos == 1
        assert retain == (topic != "nodes/n/results")
        if not retain:
            self.notes.append(json.loads(payload))
        elif payload:
            self.kept[topic] = payload
        else:
            self.kept.pop(topic, None)

    def told(self, id):
        """What is retained as the result of a command."""
        return json.loads(self.kept["nodes/n/results/" + id])

    @property
    def waiting(self):
        return sorted(topic for topic in self.kept if topic.startswith("nodes/n/commands/"))

    @property
    def results(self):
        return [note for note in self.notes if isinstance(note, dict)]


class Node:
    def __init__(self, notes):
        self.settings = {"id": "n", "commands.key": hexlify(KEY).decode(), "commands.listen_s": 5}
        self.settings["report.period_s"] = 900
        self.scheduler = self  # of which only this is looked at
        self.stretch = 2
        self.state = state.State(starts=3, wakes=7)
        self.outbox = [b"one", b"two"]
        self.sent = self.received = self.refused = 0
        self.notes = notes

    def restart(self):
        self.notes.append("restart")

    def now(self):
        return 1900000000 - clock.epoch()


class Conversation(Inside):
    """In an empty folder that is the node's flash."""

    def __init__(self, *messages):
        self.mqtt = Mqtt(*messages)
        self.notes = self.mqtt.notes
        self.node = Node(self.notes)

    def __enter__(self):
        super().__enter__()
        log.begin("off")
        with open("config.json", "w") as file:
            json.dump({"id": "n", "mqtt": {"host": "h"}}, file)
        return self

    def queue(self, *messages):
        """Retained at the broker; it tells them in the order of their names."""
        for message in messages:
            self.mqtt.kept[message.topic] = message.payload

    @property
    def order(self):
        """Ids of the results, in their order."""
        return [result["id"] for result in self.mqtt.results]

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
            "subscribe nodes/n/commands/#",
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
        assert talk.notes == ["subscribe nodes/n/commands/#"]


async def test_a_counter_that_is_a_folder_stops_all_commands():
    with Conversation() as talk:
        os.mkdir("commands.counter")
        await talk.run(told(5, {"do": "report"}))
        assert talk.notes == []
        os.rmdir("commands.counter")
        await talk.run(told(5, {"do": "report"}))
        assert talk.mqtt.results[-1]["result"] == "done"


async def test_whatever_a_command_raises_is_told_by_its_kind():
    good = orders.ACTIONS["ping"]
    try:
        for count, error in enumerate((ValueError("secret"), MemoryError(), KeyError("secret"))):

            async def broken(_downlink, _order, error=error):
                raise error

            orders.ACTIONS["ping"] = broken
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
        orders.ACTIONS["ping"] = good


# The queue --------------------------------------------------------------------------------------


async def test_commands_wait_and_are_executed_in_the_order_of_their_counters():
    with Conversation() as talk:
        # The names are in another order than the counters.
        talk.queue(waits(7, id="a"), waits(5, id="b"), waits(6, id="c"))
        await talk.run()
        assert talk.order == ["b", "c", "a"]
        assert talk.notes[1] == "report with counter 5"
        assert talk.mqtt.waiting == []
        assert talk.mqtt.told("a") == {
            "id": "a",
            "counter": 7,
            "result": "done",
            "backlog": 2,
            "do": "report",
            "time": 1900000000,
            "due": 1900001800,
        }
        await talk.run()
        assert talk.order == ["b", "c", "a"]


async def test_one_in_the_single_place_is_executed_among_those_that_wait():
    with Conversation() as talk:
        talk.queue(waits(7), waits(5))
        await talk.run(told(6, {"do": "ping"}, "old"))
        assert talk.order == ["c5", "old", "c7"]
        assert "nodes/n/results/old" not in talk.mqtt.kept
        # Found there once more, it is cleared; what has the last counter may have been missed.
        talk.mqtt.kept["nodes/n/commands"] = b"it"
        await talk.run(told(7, {"do": "report"}, "c7"))
        assert "nodes/n/commands" in talk.mqtt.kept
        await talk.run(told(6, {"do": "ping"}, "old"))
        assert talk.mqtt.results[-1]["why"] == commands.REPLAY
        assert "nodes/n/commands" not in talk.mqtt.kept


async def test_what_one_session_cannot_take_waits_for_the_next():
    with Conversation() as talk:
        talk.queue(*[waits(counter, id="c%02d" % (99 - counter)) for counter in range(1, 21)])
        seen = []
        for done in (8, 16, 20, 20):
            await talk.run()
            seen = [result["counter"] for result in talk.mqtt.results]
            assert seen == list(range(1, done + 1))
        assert talk.mqtt.waiting == []


async def test_what_comes_behind_a_restart_waits_for_it():
    with Conversation() as talk:
        talk.queue(
            waits(1, {"do": "set", "key": "mqtt.port", "value": 1884}),
            waits(2, {"do": "set", "key": "mqtt.port", "value": 1885}),
            waits(3, {"do": "reboot"}),
            waits(4),
        )
        await talk.run()
        assert talk.order == ["c1"]
        assert talk.mqtt.told("c1")["result"] == "trying"
        await talk.run()  # nothing has proved the setting yet
        assert talk.order == ["c1"]
        trial.keep()
        await talk.run()
        assert talk.order == ["c1", "c1", "c2"]
        assert talk.mqtt.told("c1")["result"] == "kept"
        trial.take_back("3 wakes did not report")
        await talk.run()
        assert talk.order == ["c1", "c1", "c2", "c2", "c3"]
        assert talk.mqtt.told("c2")["result"] == "taken back"
        assert talk.mqtt.told("c2")["do"] == "set"
        await talk.run()
        assert talk.order[5:] == ["c4"]
        assert config.load()["mqtt.port"] == 1884
        assert talk.notes.count("restart") == 3
        assert talk.mqtt.waiting == []


async def test_a_session_that_ends_at_any_publish_loses_no_result_and_repeats_nothing():
    for broken in range(1, 10):
        with Conversation() as talk:
            talk.queue(waits(1, {"do": "report"}), waits(2, {"do": "ping"}), waits(3))
            talk.mqtt.ends_at = broken
            await fails(NotConnected, downlink.Downlink(talk.node, talk.mqtt, talk.report).run())
            talk.mqtt.messages.clear()
            await talk.run()
            reports = [n for n in talk.notes if isinstance(n, str) and n.startswith("report ")]
            assert reports == ["report with counter 1", "report with counter 3"], broken
            assert [talk.mqtt.told(id)["result"] for id in ("c1", "c2", "c3")] == ["done"] * 3
            assert talk.mqtt.told("c2")["start"] == 3
            once = [id for i, id in enumerate(talk.order) if id not in talk.order[:i]]
            assert once == ["c1", "c2", "c3"]
            assert talk.mqtt.waiting == []


async def test_a_command_that_the_power_has_cut_short_is_told_and_not_repeated():
    class PowerCut(Exception):
        pass

    async def cut():
        raise PowerCut

    with Conversation() as talk:
        talk.queue(waits(1, {"do": "ping"}), waits(2), waits(3))
        await fails(PowerCut, downlink.Downlink(talk.node, talk.mqtt, cut).run())
        talk.mqtt.messages.clear()
        await talk.run()
        told = talk.mqtt.told("c2")
        assert (told["result"], told["why"]) == ("failed", "cut short")
        assert talk.order == ["c1", "c2", "c3"]
        assert talk.notes.count("report with counter 2") == 0
        assert talk.mqtt.waiting == []


async def test_an_outcome_is_not_undone_by_the_result_before_it():
    """The result of a set was lost, and its command found again behind its outcome."""
    with Conversation() as talk:
        message = waits(1, {"do": "set", "key": "mqtt.port", "value": 1884})
        talk.queue(message)
        await talk.run()
        trial.keep()
        talk.queue(message)
        await talk.run()
        assert [result["result"] for result in talk.mqtt.results] == ["trying", "kept"]
        assert talk.mqtt.told("c1")["result"] == "kept"
        assert talk.mqtt.waiting == []


async def test_what_is_refused_is_cleared_and_costs_the_others_nothing():
    with Conversation() as talk:
        files.replace("commands.counter", b"10")
        talk.queue(
            waits(11, key=bytes(16)),
            waits(9),
            waits(12, {"do": "explode"}),
            waits(13),
            Message("nodes/n/commands/junk", b"rubbish", True, 1),
            Message("nodes/n/commands/long", b"x" * 3000, True, 1),
        )
        await talk.run()
        why = {id: talk.mqtt.told(id).get("why") for id in ("c11", "c9", "c12", "junk", "long")}
        assert why == {
            "c11": commands.BAD_MAC,
            "c9": commands.REPLAY,
            "c12": commands.UNKNOWN,
            "junk": commands.MALFORMED,
            "long": commands.TOO_LONG,
        }
        assert talk.mqtt.told("c13")["result"] == "done"
        assert talk.mqtt.waiting == []


async def test_rubbish_is_cleared_until_those_behind_it_are_heard():
    with Conversation() as talk:
        talk.queue(*[Message("nodes/n/commands/a%02d" % i, b"x", True, 1) for i in range(20)])
        talk.queue(waits(1, id="z"))
        for _ in range(3):
            talk.mqtt.messages.clear()
            await talk.run()
        assert talk.order[-1] == "z"
        assert len(talk.order) == 21
        assert talk.mqtt.waiting == []


async def test_topics_that_no_command_can_have_hold_up_nothing():
    names = ['"', "a/b", "+", "é", "x" * 33, "a b"]
    with Conversation() as talk:
        odd = [Message("nodes/n/commands/" + n, waits(5).payload, True, 1) for n in names * 2]
        await talk.run(*odd, waits(1))
        assert talk.order == [None, "c1"]
        assert [result.get("why") for result in talk.mqtt.results] == [commands.MALFORMED, None]


async def test_the_same_command_twice_in_a_session_is_executed_once():
    with Conversation() as talk:
        message = waits(5)
        talk.queue(message)
        await talk.run(message, told(5, {"do": "report"}, "c5"))
        assert talk.order == ["c5"]
        assert talk.notes.count("report with counter 5") == 1


async def test_two_commands_with_one_counter_are_not_both_executed():
    with Conversation() as talk:
        talk.queue(waits(5, id="a"), waits(5, id="b"))
        await talk.run()
        await talk.run()
        assert talk.mqtt.told("a")["result"] == "done"
        assert talk.mqtt.told("b")["why"] == commands.REPLAY
        assert talk.mqtt.waiting == []


async def test_a_module_that_publishes_nothing_empty():
    with Conversation() as talk:
        publish = talk.mqtt.publish

        async def refusing(topic, payload, qos, retain=False):
            if not payload:
                raise CommandError("ERROR", 'AT+LSMQTTCFG="message"')
            await publish(topic, payload, qos, retain)

        talk.mqtt.publish = refusing
        talk.queue(waits(1), waits(2))
        await talk.run()
        await talk.run()
        assert talk.order == ["c1", "c2"]
        assert [talk.mqtt.kept[topic] for topic in talk.mqtt.waiting] == [b"-", b"-"]


async def test_a_module_or_broker_without_wildcards_takes_single_commands():
    for connected in (True, False):
        with Conversation() as talk:
            subscribe = talk.mqtt.subscribe

            async def refusing(topic, connected=connected, subscribe=subscribe, mqtt=talk.mqtt):
                if "#" in topic:
                    mqtt.connected = connected
                    raise CommandError("ERROR", "AT+LSMQTTSUB")
                await subscribe(topic)

            talk.mqtt.subscribe = refusing
            await talk.run(told(1, {"do": "ping"}))
            assert talk.notes[0] == "subscribe nodes/n/commands"
            assert talk.mqtt.connected
            assert talk.order == ["c"]


async def test_a_message_that_is_lost_on_the_line_does_not_change_the_order():
    with Conversation() as talk:
        talk.queue(waits(2), waits(1, id="x"))
        check = talk.mqtt.check_msg

        def damaged():
            message = check()
            if message is not None and message.topic.endswith("x") and not talk.mqtt.lost:
                talk.mqtt.lost = 1
                return check()
            return message

        talk.mqtt.check_msg = damaged
        await talk.run()
        assert talk.order == ["x", "c2"]


async def test_a_topic_that_cannot_be_answered_is_answered_where_all_are():
    with Conversation() as talk:
        publish = talk.mqtt.publish

        async def refusing(topic, payload, qos, retain=False):
            if '"' in topic:
                raise BadArgument("no topic", "AT")
            await publish(topic, payload, qos, retain)

        talk.mqtt.publish = refusing
        await talk.run(Message('nodes/n/commands/"', b"rubbish", True, 1))
        assert [result["why"] for result in talk.mqtt.results] == [commands.MALFORMED]


async def test_a_result_that_flash_has_damaged_is_not_told():
    with Conversation() as talk:
        await talk.run(waits(1))
        for damaged in (b"", b"{}", b"[]", b'{"counter":1', b'{"counter":2,"id":"c1"}', b"\xff"):
            files.replace(results._FILE, damaged)
            files.replace(results._FILE + ".2", damaged)
            await talk.run(waits(1))
            assert talk.mqtt.told("c1")["why"] == "cut short", damaged


async def test_the_log_of_a_command_that_waited_fits_into_one_message():
    with Conversation() as talk:
        log.begin("info")
        log._waiting.clear()
        for number in range(30):
            log._keep(3, 'line %d "quoted" \\ and more of it' % number)
        log.flush()
        talk.queue(waits(2**53 - 1, {"do": "log", "skip": 1}, "i" * 32))
        await talk.run()
        assert talk.mqtt.told("i" * 32)["lines"]
        assert len(talk.mqtt.kept["nodes/n/results/" + "i" * 32]) <= 512
        log.begin("off")
        log._waiting.clear()
