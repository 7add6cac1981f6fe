"""The channel under the failure modes that kill modem drivers, one test each.

F numbers are those of the list of field failures that the project keeps; each scenario must end in
the right answer or a typed error, and the next command must get its own answer.
"""

import asyncio
import time

from c1100 import at, dialect
from c1100.channel import COMMAND, UNKNOWN, Channel
from host_tests.support import fails, raises
from host_tests.support.streams import Module, at_every_split

CSQ = ("AT+CSQ", b"+CSQ: 22,99\r\n0\r")
SYNC = ("AT+CGREG?", b"+CGREG: 1,1\r\n0\r")


def open_channel(*steps):
    module = Module(*steps)
    channel = Channel(module)
    channel.mode = COMMAND
    channel.settings_lost = False
    channel.numeric = channel.quiet = True
    return module, channel


async def answers(*steps):
    """AT+CSQ after and between whatever the steps say, at every split."""

    async def scenario():
        module, channel = open_channel(*steps)
        got = [await channel.ask(dialect.SIGNAL), await channel.ask(dialect.SIGNAL)]
        await asyncio.sleep_ms(100)
        counted = channel.stats["unknown"]
        channel.close()
        return module, (got, counted)

    await at_every_split(scenario)
    return (await scenario())[1]


async def test_answers_in_order():
    assert await answers(CSQ, ("AT+CSQ", b"\r\n+CSQ:7,0\r\n\r\nOK\r\n")) == ([[22, 99], [7, 0]], 0)


async def test_f1_urc_between_command_and_answer():
    async def scenario():
        seen = []
        module, channel = open_channel(
            ("AT+CSQ", b"\r\n+CGREG: 5\r\n+CSQ: 22,99\r\n\r\n+CGREG: 2\r\n0\r"), CSQ
        )
        channel.on("+CGREG", seen.append)
        got = [await channel.ask(dialect.SIGNAL), await channel.ask(dialect.SIGNAL)]
        await asyncio.sleep_ms(100)
        channel.close()
        return module, (got, seen[-1])

    await at_every_split(scenario)
    assert (await scenario())[1] == ([[22, 99], [22, 99]], [2])


async def test_f2_urc_with_the_prefix_of_the_answer():
    async def scenario():
        seen = []
        module, channel = open_channel(
            (
                "AT+CEREG?",
                b'+CEREG: 2,"1A2B","01A2D101",9\r\n+CEREG: 4,1,"1A2B","01A2D101",9\r\n'
                b"+CEREG: 5\r\n0\r",
            ),
            CSQ,
        )
        channel.on("+CEREG", seen.append)
        got = [await channel.ask(dialect.EPS_STATE), await channel.ask(dialect.SIGNAL)]
        await asyncio.sleep_ms(100)
        channel.close()
        return module, (got, seen[-1])

    await at_every_split(scenario)
    got, seen = (await scenario())[1]
    assert got == [[4, 1, "1A2B", "01A2D101", 9, None, None, None, None], [22, 99]]
    assert seen == [5]


async def test_f3_urc_inside_an_answer_without_prefix():
    async def scenario():
        module, channel = open_channel(
            ("AT+CGSN", b"+CEREG: 5\r\n\r\n866207050000001\r\n^DATADISCONN\r\n0\r"), CSQ
        )
        got = [await channel.ask(dialect.IMEI), await channel.ask(dialect.SIGNAL)]
        channel.close()
        return module, got

    await at_every_split(scenario)
    assert (await scenario())[1] == [["866207050000001"], [22, 99]]


async def test_f4_burst_of_urcs_is_delivered_or_counted():
    seen = []
    burst = b"".join([b"+LSIPRUDP=1,%d,00\r" % i for i in range(50)])
    module, channel = open_channel(("AT+CSQ", burst + b"+CSQ: 22,99\r\n0\r"), CSQ)
    channel.on("+LSIPRUDP", seen.append)
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    await asyncio.sleep_ms(100)
    assert len(seen) + channel.stats.get("lost +LSIPRUDP", 0) == 50
    assert [values[1] for values in seen] == sorted(values[1] for values in seen)
    assert len(seen) >= 16
    module.check()
    channel.close()


async def test_f4_state_urcs_coalesce_to_the_latest():
    seen = []
    module, channel = open_channel(CSQ)
    channel.on("+CEREG", seen.append)
    module.say(b"".join([b"+CEREG: %d\r\n" % (i % 6) for i in range(50)]))
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    await asyncio.sleep_ms(100)
    assert seen[-1] == [49 % 6]
    assert "lost +CEREG" not in channel.stats
    channel.close()


async def test_f5_unknown_urc_is_counted_and_the_next_one_delivered():
    seen = []
    module, channel = open_channel(CSQ, CSQ)
    channel.on("+CEREG", seen.append)
    module.say(b"+NEVERSEEN: 1,2\r\n^STRANGE\r\n+CEREG: 5\r\n")
    await asyncio.sleep_ms(1)
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    await asyncio.sleep_ms(100)
    assert seen == [[5]]
    assert channel.stats["unknown"] == 2
    assert channel.last_unknown == "^STRANGE"
    channel.close()


async def test_f6_echo_on_half_and_cut():
    for echo in (b"AT+CSQ\r", b"AT+CSQ\r\r\n", b"AT+C\r", b"SQ\r\n"):
        got, unknown = await answers(("AT+CSQ", echo + b"+CSQ: 22,99\r\n0\r"), CSQ)
        assert got == [[22, 99], [22, 99]], echo
        assert unknown == 0, echo


async def test_f6_echo_tells_of_a_restart():
    module, channel = open_channel(("AT+CSQ", b"AT+CSQ\r+CSQ: 22,99\r\n0\r"))
    await channel.ask(dialect.SIGNAL)
    assert channel.settings_lost
    module.check()
    channel.close()


async def test_f7_every_split_of_every_form():
    """Verbose, numeric, errors, CR alone: one command after the other, cut everywhere."""

    async def scenario():
        module, channel = open_channel(
            ("AT+CPIN?", b"+CPIN:SIM PIN \r\n0\r"),
            ("AT+COPS?", b'\r\n+COPS: 0,2,"46000",0\r\n\r\nOK\r\n'),
            ("AT+CSQ", b"\r\n+CME ERROR: 14\r\n"),
            ('AT+LSMQTTOPEN="h",1883,60', b"0\r\r\r\n+MQTTOPEN:1\r\n"),
            ("AT+LSMQTTPUB=1", b"\r\r\n+MQTTPUB:0\r\n0\r"),
            CSQ,
        )
        got = [
            await channel.ask(dialect.PIN_STATE),
            await channel.ask(dialect.OPERATOR),
            str(await fails(at.CmeError, channel.run(dialect.SIGNAL))),
            await channel.run(dialect.MQTT_OPEN, "h", 1883, 60),
            str(await fails(at.CommandError, channel.run(dialect.MQTT_PUBLISH))),
            await channel.ask(dialect.SIGNAL),
        ]
        channel.close()
        return module, got

    await at_every_split(scenario)


async def test_f8_line_longer_than_the_buffer():
    noise = b"+COPS: 0,0," + b"x" * 2000 + b"OK\r\n"
    got, unknown = await _plain(("AT+CSQ", noise + b"+CSQ: 22,99\r\n0\r"), CSQ)
    assert got == [[22, 99], [22, 99]]
    assert unknown == 0


async def _plain(*steps):
    module, channel = open_channel(*steps)
    got = [await channel.ask(dialect.SIGNAL), await channel.ask(dialect.SIGNAL)]
    module.check()
    channel.close()
    return got, channel.stats["unknown"]


async def test_f9_result_codes_inside_quotes_and_lines():
    async def scenario():
        module, channel = open_channel(
            ("AT+COPS?", b'+COPS: 0,0,"OK",0\r\n+COPS: 0,0,"\x3e 0 ERROR",0\r\n0\r'), CSQ
        )
        got = [await channel.run(dialect.OPERATOR), await channel.ask(dialect.SIGNAL)]
        channel.close()
        return module, got

    await at_every_split(scenario)
    assert (await scenario())[1][0] == ['+COPS: 0,0,"OK",0', '+COPS: 0,0,"> 0 ERROR",0']


async def test_f10_noise_in_front_of_lines():
    noise = b"\x00\x00\xff\xfe\x80\x80"
    got, unknown = await answers(
        ("AT+CSQ", noise + b"+CSQ: 22,99\r\n\x00\x000\r\x00"), ("AT+CSQ", b"\xf0+CSQ: 1,2\r\n0\r")
    )
    assert got == [[22, 99], [1, 2]]
    assert unknown == 0


async def test_f11_outcome_before_or_after_the_result_code():
    for said in (b"0\r\r\r\n+MQTTPUB:1\r\n", b"+MQTTPUB:1\r0\r", b"\r\nOK\r\n\r\n+MQTTPUB: 1\r\n"):

        async def scenario(said=said):
            module, channel = open_channel(("AT+LSMQTTPUB=1", said), CSQ)
            got = [len(await channel.run(dialect.MQTT_PUBLISH)), await channel.ask(dialect.SIGNAL)]
            channel.close()
            return module, got

        await at_every_split(scenario)
        assert (await scenario())[1] == [1, [22, 99]]


async def test_f12_errors_are_typed_and_come_at_once():
    for said, kind, code in (
        (b"+CME ERROR: 30\r\n", at.CmeError, 30),
        (b"\r\n+CME ERROR: SIM not inserted\r\n", at.CmeError, 10),
        (b"+CMS ERROR: 500\r\n", at.CmsError, 500),
        (b"4\r", at.CommandError, None),
        (b"\r\nERROR\r\n", at.CommandError, None),
    ):
        module, channel = open_channel(("AT+COPS?", said), CSQ)
        error = await fails(kind, channel.run(dialect.OPERATOR))
        assert getattr(error, "code", None) == code
        assert channel.stats["timeouts"] == 0
        assert await channel.ask(dialect.SIGNAL) == [22, 99]
        module.check()
        channel.close()


async def test_f12_no_result_code_at_all_is_a_timeout():
    module, channel = open_channel(
        ("AT+CSQ", b"+CSQ: 22,99\r\n"), SYNC, ("AT+CSQ", b"+CSQ: 7,99\r\n0\r")
    )
    await fails(at.Timeout, channel.run(dialect.SIGNAL))
    assert await channel.ask(dialect.SIGNAL) == [7, 99]
    module.check()
    channel.close()


async def test_f13_late_answer_before_the_next_command():
    module, channel = open_channel(
        ("AT+CSQ", (5500, b"+CSQ: 7,99\r\n0\r")), ("AT+CSQ", b"+CSQ: 25,99\r\n0\r")
    )
    await fails(at.Timeout, channel.run(dialect.SIGNAL))
    await asyncio.sleep_ms(1000)
    assert await channel.ask(dialect.SIGNAL) == [25, 99]
    module.check()
    assert channel.stats["late"] == 2
    channel.close()


async def test_f13_late_answer_while_the_channel_synchronises():
    for delay in range(5100, 7000, 100):
        module, channel = open_channel(
            ("AT+CSQ", (delay, b"+CSQ: 7,99\r\n0\r")),
            SYNC,
            ("AT+CSQ", b"+CSQ: 25,99\r\n0\r"),
            ("AT+CSQ", b"+CSQ: 26,99\r\n0\r"),
        )
        await fails(at.Timeout, channel.run(dialect.SIGNAL))
        assert await channel.ask(dialect.SIGNAL) == [25, 99], delay
        assert await channel.ask(dialect.SIGNAL) == [26, 99], delay
        module.check()
        channel.close()


async def test_f13_answer_so_late_that_questions_pile_up():
    """Three commands unanswered for 12 s, then everything at once: each answer finds its owner."""
    module, channel = open_channel(
        ("AT+CSQ", (12000, b"+CSQ: 7,99\r\n0\r")),
        ("AT+CGREG?", b"+CGREG: 1,1\r\n0\r"),
        ("AT+CEREG?", b"+CEREG: 1,1\r\n0\r"),
        ("AT+CGREG?", b"+CGREG: 1,1\r\n0\r"),
        ("AT+CEREG?", b"+CEREG: 1,1\r\n0\r"),
        ("AT+CSQ", b"+CSQ: 25,99\r\n0\r"),
        ("AT+CSQ", b"+CSQ: 26,99\r\n0\r"),
    )
    await fails(at.Timeout, channel.run(dialect.SIGNAL))
    await fails(at.Timeout, channel.run(dialect.SIGNAL))
    assert channel.mode == UNKNOWN
    assert await channel.ask(dialect.SIGNAL) == [25, 99]
    assert await channel.ask(dialect.SIGNAL) == [26, 99]
    module.check()
    channel.close()


async def test_f14_cancelled_command_keeps_its_place():
    for after in range(0, 2000, 200):
        module, channel = open_channel(
            ("AT+CSQ", (1000, b"+CSQ: 7,99\r\n"), (500, b"0\r")),
            *([SYNC] if after < 1500 else []),
            ("AT+CSQ", b"+CSQ: 25,99\r\n0\r"),
        )
        task = asyncio.create_task(channel.ask(dialect.SIGNAL))
        await asyncio.sleep_ms(after)
        task.cancel()
        if after < 1500:
            with raises(asyncio.CancelledError):
                await task
        else:
            assert await task == [7, 99]
        assert await channel.ask(dialect.SIGNAL) == [25, 99], after
        module.check()
        channel.close()


async def test_f14_command_cancelled_before_it_was_written():
    """A UART that takes three bytes and then stalls: the rest of the line is never sent."""
    module, channel = open_channel(SYNC, CSQ)
    write = module.write
    stalled = []

    def stalling(data):
        if stalled:
            return None
        stalled.append(1)
        return 3

    module.write = stalling
    task = asyncio.create_task(channel.ask(dialect.SIGNAL))
    await asyncio.sleep_ms(50)
    task.cancel()
    with raises(asyncio.CancelledError):
        await task
    module.write = write
    module._line = b"AT+"  # what the module has of it
    module.steps.insert(0, ("AT+", b"4\r"))
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    module.check()
    channel.close()


async def test_f15_no_answer_at_all_is_counted():
    _, channel = open_channel(*[(lambda line: True,)] * 20)
    for count in range(1, 4):
        await fails(at.Timeout, channel.run(dialect.SIGNAL))
        assert channel.silent >= count
    assert channel.mode == UNKNOWN
    assert not await channel.probe()
    channel.close()


async def test_f16_slow_answer_within_its_own_time():
    module, channel = open_channel(
        ("AT+COPS?", (29000, b"+COPS: 0\r\n0\r")),
        ("AT+LSMQTTPUB=1", b"0\r", (74000, b"+MQTTPUB:1\r\n")),
        CSQ,
    )
    assert await channel.ask(dialect.OPERATOR) == [0, None, None, None]
    assert await channel.run(dialect.MQTT_PUBLISH) == ["+MQTTPUB:1"]
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    module.check()
    channel.close()


async def test_f17_restart_in_the_middle_of_a_command():
    module, channel = open_channel(
        ("AT+COPS?", (700, b"\xff\xfe\x00\r\nRDY\r\n")),
        ("AT+CSQ", b"AT+CSQ\r\r\n+CSQ: 22,99\r\n\r\nOK\r\n"),
    )
    begin = time.ticks_ms()
    await fails(at.Rebooted, channel.run(dialect.OPERATOR))
    assert time.ticks_diff(time.ticks_ms(), begin) < 1000
    assert channel.settings_lost
    assert channel.mode == UNKNOWN
    assert channel.stats["reboots"] == 1
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    module.check()
    channel.close()


async def test_f17_a_restart_right_behind_an_answer_does_not_take_it_back():
    module, channel = open_channel(("AT+CSQ", b"+CSQ: 22,99\r\n0\r\r\nRDY\r\n"))
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    await asyncio.sleep_ms(100)
    assert channel.mode == UNKNOWN
    assert channel.stats["reboots"] == 1
    module.check()
    channel.close()


async def test_a_command_that_psm_has_swallowed_fails_when_the_module_leaves_it():
    lost = []
    module, channel = open_channel(
        ("AT+LSMQTTCALL=1", b"0\r", (4000, b"\r\n^EXITPSMMODE\r\n")),
        ("AT+CSQ", b"AT+CSQ\r\r\n+CSQ: 22,99\r\n\r\nOK\r\n"),
    )
    channel.on_restart.append(lambda: lost.append(1))
    begin = time.ticks_ms()
    error = await fails(at.Rebooted, channel.run(dialect.MQTT_CALL))
    assert "left PSM" in str(error)
    assert time.ticks_diff(time.ticks_ms(), begin) < 4500
    assert lost == [1]
    assert channel.settings_lost
    assert channel.mode == UNKNOWN
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    module.check()
    channel.close()


async def test_a_command_fails_at_once_when_the_modules_power_is_gone():
    _, channel = open_channel(("AT+LSMQTTCALL=1", b"0\r"), ("AT+CSQ",))
    level = [True]
    channel.powered = lambda: level[0]
    begin = time.ticks_ms()
    task = asyncio.create_task(channel.run(dialect.MQTT_CALL))
    await asyncio.sleep_ms(2000)
    level[0] = False  # a glitch
    await asyncio.sleep_ms(5)
    level[0] = True
    await asyncio.sleep_ms(2000)
    assert not task.done()
    level[0] = False
    error = await fails(at.Rebooted, task)
    assert "power is gone" in str(error)
    assert time.ticks_diff(time.ticks_ms(), begin) < 4500
    assert channel.mode == UNKNOWN
    channel.close()


async def test_f18_command_from_a_urc_callback():
    got = []
    module, channel = open_channel(("AT+COPS?", b"+CEREG: 5\r\n", (500, b"+COPS: 0\r\n0\r")), CSQ)

    async def callback(values):
        got.append(await channel.ask(dialect.SIGNAL))

    channel.on("+CEREG", callback)
    assert await channel.ask(dialect.OPERATOR) == [0, None, None, None]
    await asyncio.sleep_ms(100)
    assert got == [[22, 99]]
    module.check()
    channel.close()


async def test_f18_fault_in_a_callback_stops_nothing_else():
    seen = []
    faults = []
    module, channel = open_channel(CSQ)
    asyncio.get_event_loop().set_exception_handler(lambda loop, context: faults.append(context))
    channel.on("+CEREG", lambda values: values[5])
    channel.on("+CEREG", seen.append)
    module.say(b"+CEREG: 5\r\n")
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    await asyncio.sleep_ms(100)
    assert seen == [[5]]
    assert len(faults) == 1
    asyncio.get_event_loop().set_exception_handler(None)
    channel.close()


async def test_f27_sleeping_uart_eats_the_first_characters():
    for eaten in range(1, 4):
        module, channel = open_channel(
            (lambda line, eaten=eaten: line == "AT"[eaten:] or line == "AT",),
            ("AT", b"0\r"),
            ("AT+CSQ", b"+CSQ: 22,99\r\n0\r"),
            ("AT+CSQ", b"+CSQ: 22,99\r\n0\r"),
        )
        assert await channel.probe()
        assert channel.mode == COMMAND
        assert await channel.ask(dialect.SIGNAL) == [22, 99]
        module.check()
        channel.close()


async def test_f27_any_answer_counts_as_awake():
    for said in (b"4\r", b"\r\nERROR\r\n", b"+CME ERROR: 3\r\n", b"AT\r\r\nOK\r\n"):
        module, channel = open_channel(("AT", said), CSQ)
        assert await channel.probe()
        module.check()
        channel.close()


async def test_commands_of_many_tasks_are_fair():
    order = []
    module, channel = open_channel(*[("AT+CSQ", b"+CSQ: %d,99\r\n0\r" % i) for i in range(5)])

    async def user(name):
        order.append((name, (await channel.ask(dialect.SIGNAL))[0]))

    await asyncio.gather(*[user(name) for name in range(5)])
    assert order == [(i, i) for i in range(5)]
    module.check()
    channel.close()


async def test_a_question_is_repeated_when_its_answer_was_lost():
    module, channel = open_channel(("AT+CSQ", b"0\r"), CSQ)
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    module.check()
    channel.close()


async def test_raw_commands():
    module, channel = open_channel(
        ("AT+CSQ", b"+CSQ: 22,99\r\n0\r"),
        ("AT+CEREG?", b"+CEREG: 2\r\n+CEREG: 1,5\r\n0\r"),
        ("AT+XYZ=1", b"+CGREG: 5\r\nfree text\r\n+XYZ: a\r\n0\r"),
    )
    assert await channel.raw("+CSQ", 5) == ["+CSQ: 22,99"]
    assert await channel.raw("+CEREG?", 5) == ["+CEREG: 1,5"]
    assert await channel.raw("+XYZ=1", 5) == ["free text", "+XYZ: a"]
    with raises(at.BadArgument):
        await channel.raw("+CSQ\rAT+CFUN=0", 5)
    module.check()
    channel.close()


class BadHandler:
    """A payload handler with a fault: its header is never what it expects."""

    fields = 2
    hex = True

    def begin(self, values):
        raise IndexError("no such socket")


async def test_fault_in_the_reader_ends_neither_it_nor_the_command():
    faults = []
    module, channel = open_channel(
        ("AT+CSQ", b"+LSIPRTCP=1,3,313233\r+CSQ: 22,99\r\n0\r"), ("AT+CSQ", b"+CSQ: 7,0\r\n0\r")
    )
    channel.payloads["+LSIPRTCP"] = BadHandler()
    asyncio.get_event_loop().set_exception_handler(lambda loop, context: faults.append(context))
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    assert await channel.ask(dialect.SIGNAL) == [7, 0]
    assert channel.stats["faults"] == len(faults) == 1
    module.check()
    channel.close()


async def test_stream_that_fails_now_and_then():
    module, channel = open_channel(CSQ, CSQ)
    readinto = module.readinto
    calls = []

    def failing(buf):
        calls.append(1)
        if len(calls) % 3 == 0:
            raise OSError(5)
        return readinto(buf)

    module.readinto = failing
    asyncio.get_event_loop().set_exception_handler(lambda loop, context: None)
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    assert await channel.ask(dialect.SIGNAL) == [22, 99]
    assert channel.stats["faults"] > 0
    module.check()
    channel.close()


async def test_messages_of_an_earlier_life_are_not_read_as_answers():
    late = b'+MQTTMSG:"c",1,0,19,\r\nOK\r\n+CSQ: 1,1\r\n0\r\r\n'
    for text in (late, late.replace(b"MQ", b"LSMQ"), late.replace(b":", b"=", 1), b" " + late):
        got, unknown = await answers(("AT+CSQ", text + b"+CSQ: 22,99\r\n0\r"), CSQ)
        assert got == [[22, 99], [22, 99]], text
        assert unknown == 0
    body = b"\r\n+LSHTTPGET: 0,200,19\r\n\r\nOK\r\n+CSQ: 1,1\r\n0\r"
    assert await answers(("AT+CSQ", body + b"+CSQ: 22,99\r\n0\r"), CSQ) == ([[22, 99]] * 2, 0)
    huge = b'+MQTTMSG:"a/b",1,0,100000007,hello\r\n'
    assert await answers(("AT+CSQ", huge + b"+CSQ: 22,99\r\n0\r"), CSQ) == ([[22, 99]] * 2, 0)


async def test_outcome_and_urc_with_and_without_ls():
    for said in (
        b"0\r+MQTTPUB:1\r\n",
        b"0\r+LSMQTTPUB:1\r\n",
        b"+LSMQTTPUB: 1\r\n0\r",
        b"+MQTTPUB=1\r\n\r\nOK\r\n",
    ):
        module, channel = open_channel(("AT+LSMQTTPUB=1", said), CSQ)
        channel.numeric = False
        await channel.run(dialect.MQTT_PUBLISH)
        assert await channel.ask(dialect.SIGNAL) == [22, 99]
        seen = []
        channel.on("+MQTTOPEN", seen.append)
        module.say(b"+LSMQTTOPEN: 0\r\n")
        await asyncio.sleep_ms(200)
        assert seen == [[0]]
        module.check()
        channel.close()


async def test_outcome_that_does_not_come_is_not_waited_for_twice():
    close = ("AT+LSMQTTCLOSE=1", b"0\r")
    told = ("AT+LSMQTTCLOSE=1", b"0\r", (1000, b"+LSMQTTCLOSE:1\r\n"))
    module, channel = open_channel(close, close, CSQ, told, close, close)
    took = []
    for _ in range(5):
        begin = time.ticks_ms()
        await channel.run(dialect.MQTT_CLOSE)
        took.append(round(time.ticks_diff(time.ticks_ms(), begin) / 1000))
        if len(took) == 2:
            assert await channel.ask(dialect.SIGNAL) == [22, 99]
        if len(took) == 3:
            await asyncio.sleep(2)  # what has been told once is waited for again
    assert took == [5, 0, 0, 5, 0]
    assert channel.stats["timeouts"] == 0
    module.check()
    channel.close()
