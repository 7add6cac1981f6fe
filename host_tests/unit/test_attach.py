"""Into the network, whatever the module answers on the way: questions of no consequence decide
nothing, states that pass are waited for, and what an earlier life left is put right.
"""

import time

from c1100 import (
    C1100,
    BadAnswer,
    CommandError,
    NotRegistered,
    PinRefused,
    RegistrationDenied,
    SimError,
    Timeout,
)
from c1100.registration import Registration
from host_tests.support import fails
from host_tests.support.answering import ERROR, OK, REGISTERED, SILENCE, Answering

GSM = {"AT+CEREG?": b"+CEREG: 1,0\r\n0\r", "AT+CGREG?": b"+CGREG: 1,1\r\n0\r"}
WORDS = (
    "no network service",
    "SIM busy",
    "SIM card not ready yet",
    "unknown",
    "operation not supported",
    "Operation Not Allowed",
    "",
)
CODES = (0, 3, 4, 10, 14, 30, 31, 32, 50, 100, 148, 999)
PIN = 'AT+CPIN="1234"'
READY = b"+CPIN: READY\r\n0\r"
ASKS = b"+CPIN: SIM PIN\r\n0\r"


def module_with(*changes):
    """A module in the network, but for these answers."""
    module = Answering(REGISTERED)
    for change in changes:
        module.answers.update(change)
    return module


def cme(code):
    return b"+CME ERROR: %s\r\n" % str(code).encode()


async def into(module, how="start", doze=None, **options):
    """start() or attach(). Returns the registration, or the error, and how many ms it took."""
    modem = C1100(module, doze=doze)
    begin = time.ticks_ms()
    try:
        if how == "attach":
            await modem.power_on()
        got = await getattr(modem, how)(**options)
    except Exception as error:  # told by the tables
        got = error
    took = time.ticks_diff(time.ticks_ms(), begin)
    modem.close()
    return got, took


# Questions of no consequence ---------------------------------------------------------------------

STEPS = ("ATV0", "ATE0", "AT+CMEE=1", "AT+CSQ", "AT+CEREG=1", "AT+CGREG=1", "AT+COPS?")


def failures(command):
    """What may come instead of the answer to a command."""
    name = command[2:].rstrip("?").split("=")[0].encode()
    yield "ERROR", ERROR
    for code in CODES:
        yield code, cme(code)
    for word in WORDS:
        yield word, cme(word)
    yield "nothing but OK", OK
    for text in (b"", b",", b"x,y", b'"",""', b"-1", b"1,2,3,4,5,6,7,8,9,10", b"\xff\xfe", b'"'):
        yield text, name + b": " + text + b"\r\n0\r"


async def test_steps_that_fail_once_and_always():
    """No answer to one of them keeps a module out of the network that is in it."""
    count = 0
    for how in ("start", "attach"):
        for change in ({}, GSM):
            for command in STEPS:
                for name, said in failures(command):
                    for answer in ([said, REGISTERED[command]], said):
                        got, took = await into(module_with(change, {command: answer}), how)
                        assert isinstance(got, Registration), (how, command, name, got)
                        assert got.registered
                        # +CSQ is what synchronises first, and waited for.
                        assert took < (5000 if command == "AT+CSQ" else 1000), (command, name)
                        count += 1
    assert count > 1600


async def test_a_step_that_is_not_answered():
    for how in ("start", "attach"):
        for command in STEPS:
            for times in (1, 2, 1000):
                answers = [SILENCE] * times + [REGISTERED[command]]
                module = module_with({command: answers if times < 1000 else SILENCE})
                got, took = await into(module, how)
                assert isinstance(got, Registration), (how, command, times, got)
                assert took < (75000 if command == "AT+COPS?" else 16000), (command, took)


async def test_a_question_whose_answer_is_lost_once():
    for command in ("AT", "AT+CPIN?", "AT+CEREG?", "AT+CGREG?"):
        for change in ({}, GSM):
            right = module_with(change).answers[command]
            got, took = await into(module_with(change, {command: [SILENCE, right]}))
            assert isinstance(got, Registration), (command, got)
            assert took < 8000, (command, took)


async def test_attach_asks_for_nothing_that_nobody_uses():
    module = module_with()
    await into(module, "attach")
    assert module.heard[module.heard.index("AT+CPIN?") :] == [
        "AT+CPIN?",
        "AT+CEREG=1",
        "AT+CGREG=1",
        "AT+CEREG?",
    ]


async def test_a_domain_that_cannot_be_asked():
    """``+CGREG`` on NB-IoT, ``+CEREG`` where there is only GSM: setting, question, or both."""
    for name, change in (("CEREG", GSM), ("CGREG", {})):
        question = "AT+%s?" % name
        setting = "AT+%s=1" % name
        for label, said in failures(question):
            for broken in ({question: said}, {question: said, setting: ERROR}):
                got, took = await into(module_with(change, broken))
                assert isinstance(got, Registration), (name, label, got)
                assert got.registered
                assert took < 1000
        got, took = await into(module_with(change, {question: SILENCE}))
        assert isinstance(got, Registration), (name, got)


async def test_a_network_that_comes_late_where_one_domain_cannot_be_asked():
    """And where neither setting is taken, so that no URC tells."""
    for reports in (OK, ERROR):
        module = module_with(
            {
                "AT+CEREG=1": reports,
                "AT+CGREG=1": ERROR,
                "AT+CGREG?": ERROR,
                "AT+CEREG?": [b"+CEREG: 0,2\r\n0\r"] * 3 + [REGISTERED["AT+CEREG?"]],
            }
        )
        got, took = await into(module)
        assert got.registered
        assert took < (46000 if reports == OK else 7000), took


async def test_no_domain_can_be_asked():
    """For a while: a module may still be starting. For good: the answer is told."""
    for said in (ERROR, cme(14), cme(30), cme(100), b"+CEREG: x\r\n0\r", OK):
        late = {
            "AT+CEREG?": [said] * 3 + [REGISTERED["AT+CEREG?"]],
            "AT+CGREG?": ERROR,
        }
        got, took = await into(module_with(late))
        assert isinstance(got, Registration), (said, got)
        assert took < 7000
    got, took = await into(module_with({"AT+CEREG?": cme(4), "AT+CGREG?": ERROR}))
    assert isinstance(got, CommandError)
    assert 20000 <= took < 23000
    got, took = await into(module_with({"AT+CEREG?": cme(4), "AT+CGREG?": cme(4)}), timeout_s=5)
    assert isinstance(got, CommandError)
    assert 5000 <= took < 7000
    got, took = await into(module_with({"AT+CEREG?": SILENCE, "AT+CGREG?": SILENCE}))
    assert isinstance(got, Timeout)
    assert took < 45000


async def test_nothing_happens_where_the_better_domain_cannot_be_asked():
    """GPRS may lie idle for ever on a module that has EPS; while it searches, it is waited for."""
    damaged = b"+CEREG: x\r\n0\r"
    for eps, kind in ((ERROR, CommandError), (cme(4), CommandError), (damaged, BadAnswer)):
        for gprs, error, ms in ((0, kind, 20000), (4, kind, 20000), (2, NotRegistered, 60000)):
            said = {"AT+CEREG?": eps, "AT+CGREG?": b"+CGREG: 1,%d\r\n0\r" % gprs}
            got, took = await into(module_with(said), timeout_s=60)
            assert isinstance(got, error), (eps, gprs, got)
            assert ms <= took < ms + 15000, (eps, gprs, took)


async def test_registration_where_one_domain_cannot_be_asked():
    for change, stat in (
        ({"AT+CGREG?": ERROR}, 1),
        ({"AT+CEREG?": ERROR, "AT+CGREG?": b"+CGREG: 1,5\r\n0\r"}, 5),
        ({"AT+CEREG?": b"+CEREG: 1,0\r\n0\r", "AT+CGREG?": cme(100)}, 0),
        ({"AT+CEREG?": b"+CEREG: 1,0\r\n0\r", "AT+CGREG?": b"+CGREG: 1,2\r\n0\r"}, 2),
        ({"AT+CEREG?": b"+CEREG: 1,3\r\n0\r", "AT+CGREG?": b"+CGREG: 1,0\r\n0\r"}, 3),
    ):
        modem = C1100(module_with(change))
        assert (await modem.registration()).stat == stat
        modem.close()
    modem = C1100(module_with({"AT+CEREG?": ERROR, "AT+CGREG?": cme(4)}))
    await fails(CommandError, modem.registration())
    modem.close()


async def test_no_operator_without_a_network():
    for said, want in (
        (cme(30), None),
        (cme("no network service"), None),
        (cme("No Network Service"), None),
        (cme(31), None),
        (cme(32), None),
        (b"+COPS: 0\r\n0\r", None),
        (b'+COPS: 0,2,""\r\n0\r', None),
        (b"+COPS: 0,2,46000,9\r\n0\r", ("46000", 9)),
        (b'+COPS: 1,0,"CHINA MOBILE"\r\n0\r', ("CHINA MOBILE", None)),
        (b'+COPS: 0,2,"00101",07\r\n0\r', ("00101", 7)),
    ):
        modem = C1100(module_with({"AT+COPS?": said}))
        got = await modem.operator()
        assert got == want if got is None else tuple(got) == want, (said, got)
        modem.close()
    modem = C1100(module_with({"AT+COPS?": cme(100)}))
    await fails(CommandError, modem.operator())
    modem.close()


# The SIM -----------------------------------------------------------------------------------------

# What the module may say of its SIM while that starts.
PASSING = (
    "NOT READY",
    "NOT INSERTED",
    "NO SIM",
    "SIM BUSY",
    "SIM NOT READY",
    "SIM FAILURE",
    "INITIALIZING",
    "UNKNOWN",
    "REMOVED",
    "ERROR",
    "SIM",
    "PIN",
    "SIM PIN",
    "0",
    "",
)
PASSING_CODES = (0, 1, 3, 4, 10, 11, 13, 14, 15, 16, 20, 22, 23, 30, 50, 100, 148, 515, 999)
USABLE = ("READY", "ready", "Ready", '"READY"', ' "READY" ', "READY,1", "SIM PIN2", "SIM PUK2")
LOCKS = ("PH-SIM PIN", "PH-FSIM PIN", "PH-FSIM PUK", "PH-NET PIN", "PH-NET PUK")
LOCKS += ("PH-NETSUB PIN", "PH-NETSUB PUK", "PH-SP PIN", "PH-SP PUK", "PH-CORP PIN", "PH-CORP PUK")
LOCK_CODES = {5: "PH-SIM PIN", 6: "PH-FSIM PIN", 7: "PH-FSIM PUK", 40: "PH-NET PIN"}
LOCK_CODES.update({41: "PH-NET PUK", 42: "PH-NETSUB PIN", 43: "PH-NETSUB PUK", 44: "PH-SP PIN"})
LOCK_CODES.update({45: "PH-SP PUK", 46: "PH-CORP PIN", 47: "PH-CORP PUK"})
LOCK_WORDS = (
    ("PH-SIM PIN required", "PH-SIM PIN"),
    ("network personalization PIN required", "PH-NET PIN"),
    ("service provider personalization PUK required", "PH-SP PUK"),
)


def state(text):
    return b"+CPIN: %s\r\n0\r" % text.encode()


async def test_states_that_pass():
    """Each a few times, with and without a PIN in hand, then the SIM is ready."""
    for said in (
        [state(text) for text in PASSING]
        + [cme(code) for code in PASSING_CODES]
        + [cme(word) for word in WORDS]
        + [ERROR, OK, b"+CPIN:\r\n0\r"]
    ):
        for times in (1, 3, 30):
            got, took = await into(module_with({"AT+CPIN?": [said] * times + [READY]}))
            assert isinstance(got, Registration), (said, times, got)
            assert took < 600 * times + 500, (said, times, took)


async def test_states_that_do_not_pass():
    """In the end the error names the state, and says what to do."""
    for text, want in (
        ("NOT READY", "card"),
        ("NOT INSERTED", "card"),
        ("SIM BUSY", "card"),
        ("SIM PIN", "give start() one"),
    ):
        got, took = await into(module_with({"AT+CPIN?": state(text)}))
        assert isinstance(got, SimError) and not isinstance(got, PinRefused), got
        assert got.state == text
        assert want in str(got), got
        assert 20000 <= took < 22000, took
    for code, want in ((10, "NO SIM"), (13, "FAILURE"), (14, "BUSY"), (15, "WRONG")):
        got, took = await into(module_with({"AT+CPIN?": cme(code)}))
        assert isinstance(got, SimError)
        assert got.state == want
        assert 20000 <= took < 22000, took


async def test_a_module_that_tells_nothing_of_its_sim():
    """It is usable if the network has taken it."""
    lost = {"AT+CEREG?": b"+CEREG: 1,0\r\n0\r"}
    for said in (ERROR, OK, b"+CPIN:\r\n0\r", cme(4), cme(100), cme("what?")):
        got, _ = await into(module_with({"AT+CPIN?": said}))
        assert isinstance(got, Registration), (said, got)
        got, _ = await into(module_with({"AT+CPIN?": said}, lost))
        assert isinstance(got, SimError), (said, got)


async def test_states_in_which_the_network_takes_the_sim():
    for text in USABLE:
        got, took = await into(module_with({"AT+CPIN?": state(text)}))
        assert isinstance(got, Registration), (text, got)
        assert took < 500
    for said in (cme(17), cme(18), cme("SIM PIN2 required"), cme("SIM PUK2 required")):
        got, took = await into(module_with({"AT+CPIN?": said}))
        assert isinstance(got, Registration), (said, got)
        assert took < 500


async def test_states_that_only_a_person_ends():
    """Told at once, and no PIN is tried."""
    blocked = [(state("SIM PUK"), "SIM PUK"), (cme(12), "SIM PUK")]
    blocked += [(cme("SIM PUK required"), "SIM PUK"), (state('"sim puk"'), "SIM PUK")]
    locked = [(state(text), text) for text in LOCKS]
    locked += [(cme(code), LOCK_CODES[code]) for code in LOCK_CODES]
    locked += [(cme(words), text) for words, text in LOCK_WORDS]
    for cases, words in ((blocked, "PUK in a phone"), (locked, "unlock code")):
        for said, want in cases:
            for before in ([], [cme(14)] * 3):
                module = module_with({"AT+CPIN?": before + [said]})
                got, took = await into(module, pin="1234")
                assert isinstance(got, SimError) and not isinstance(got, PinRefused), (said, got)
                assert got.state == want, (said, got.state)
                assert words in str(got), got
                assert took < 2500
                assert PIN not in module.heard


# answers to +CPIN?, answers to the PIN, how often it is sent, the outcome
PINS = (
    ([ASKS, READY], [OK], 1, Registration),
    # the old state once more, and for a while
    ([ASKS, ASKS, READY], [OK], 1, Registration),
    ([ASKS] * 20 + [READY], [OK], 1, Registration),
    ([ASKS, cme(14), ASKS, state("NOT READY"), READY], [OK], 1, Registration),
    ([cme(14), state("NOT READY"), ASKS, READY], [OK], 1, Registration),
    ([cme(11), READY], [OK], 1, Registration),
    ([cme("SIM PIN required"), READY], [OK], 1, Registration),
    ([ASKS, state("SIM PIN2")], [OK], 1, Registration),
    # the SIM has been unlocked meanwhile
    ([ASKS, READY], [cme(3)], 1, Registration),
    ([ASKS, ASKS, READY], [cme("operation not allowed")], 1, Registration),
    # it was busy, and has taken it all the same, or not
    ([ASKS, READY], [cme(14)], 1, Registration),
    ([ASKS, ASKS, ASKS, READY], [cme(14)], 1, Registration),
    ([ASKS] * 11 + [READY], [cme(14), OK], 2, Registration),
    ([ASKS], [cme(14)], 2, SimError),
    ([ASKS], [cme(13)], 1, SimError),
    ([ASKS], [cme(10)], 1, SimError),
    ([ASKS], [OK], 1, SimError),
    # it is wrong
    ([ASKS], [cme(16)], 1, PinRefused),
    ([ASKS], [cme("incorrect password")], 1, PinRefused),
    ([ASKS], [cme(12)], 1, PinRefused),
    ([ASKS, state("SIM PUK")], [ERROR], 1, PinRefused),
    ([ASKS, state("SIM PUK")], [OK], 1, PinRefused),
    # a module that does not say why
    ([ASKS, READY], [ERROR], 1, Registration),
    ([ASKS], [ERROR], 1, PinRefused),
    ([ASKS], [cme(50)], 1, PinRefused),
    ([ASKS], [cme(100)], 1, PinRefused),
    # an answer that is lost leaves it unknown
    ([ASKS, READY], [SILENCE], 1, Timeout),
)


async def test_pin():
    for states, answers, times, want in PINS:
        for how in ("start", "attach"):
            module = module_with({"AT+CPIN?": list(states), PIN: list(answers)})
            got, took = await into(module, how, pin="1234")
            assert isinstance(got, want), (states[:4], answers, got)
            assert isinstance(got, PinRefused) == (want is PinRefused)
            assert module.heard.count(PIN) == times, (states[:4], answers, module.heard)
            assert "1234" not in str(got)
            assert took < 32000, took


async def test_a_sim_that_was_switched_off():
    """AT+CFUN=0 of an earlier life takes the SIM's supply away."""
    for said in (cme(10), cme(13), cme(14), ERROR, state("NOT READY"), state("NOT INSERTED")):
        module = module_with({"AT+CPIN?": said, "AT+CFUN?": b"+CFUN: 0\r\n0\r"})

        def on(_line, module=module):
            module.answers["AT+CPIN?"] = [state("NOT READY"), READY]
            return OK

        module.answers["AT+CFUN=1"] = on
        got, took = await into(module)
        assert isinstance(got, Registration), (said, got)
        assert took < 6000
        assert module.heard.count("AT+CFUN=1") == 1


# Registration ------------------------------------------------------------------------------------


def test_what_the_states_mean():
    for stat in range(16):
        got = Registration([stat, "1A2B", "01234567", 9])
        assert got.registered == (stat in (1, 5, 9, 10)), stat
        assert got.roaming == (stat in (5, 7, 10)), stat
        assert got.denied == (stat == 3), stat
        assert got.searching == (stat == 2), stat


class Net(Answering):
    """A module whose registration changes: history is (ms since the beginning, EPS, GPRS), None
    where a domain cannot be asked; changes are told by URC if tells.
    """

    def __init__(self, history, tells):
        Answering.__init__(self, REGISTERED)
        self.history = history
        self.begin = time.ticks_ms()
        self.looks = 0  # at EPS
        if not tells:
            self.answers["AT+CEREG=1"] = self.answers["AT+CGREG=1"] = ERROR
        self.answers["AT+CEREG?"] = lambda line: self.tell("+CEREG", 1)
        self.answers["AT+CGREG?"] = lambda line: self.tell("+CGREG", 2)
        last = history[0]
        for entry in history[1:] if tells else ():
            for name, domain in (("+CEREG", 1), ("+CGREG", 2)):
                if entry[domain] != last[domain] and entry[domain] is not None:
                    self.say(b"%s: %d\r\n" % (name.encode(), entry[domain]), entry[0])
            last = entry

    def tell(self, name, domain):
        now = time.ticks_diff(time.ticks_ms(), self.begin)
        self.looks += domain == 1
        stat = [entry for entry in self.history if entry[0] <= now][-1][domain]
        if stat is None:
            return ERROR
        return b"%s: 1,%d\r\n0\r" % (name.encode(), stat)


# history; the outcome; the ms between which it comes
HISTORIES = (
    (((0, 1, 0),), 1, 0, 500),
    (((0, 0, 1),), 1, 0, 500),
    (((0, 5, 0),), 5, 0, 500),
    (((0, 9, 0),), 9, 0, 500),
    (((0, 0, 10),), 10, 0, 500),
    (((0, 2, 2), (4000, 1, 0)), 1, 4000, 7000),
    # one network denies, another takes the node
    (((0, 3, 0), (4000, 1, 0)), 1, 4000, 7000),
    (((0, 3, 0), (4000, 2, 0), (8000, 5, 0)), 5, 8000, 11000),
    (((0, 3, 0), (60000, 0, 1)), 1, 60000, 63000),
    (((0, 3, 2), (30000, 3, 1)), 1, 30000, 33000),
    (((0, 3, 4), (30000, 3, 1)), 1, 30000, 33000),
    (((0, 3, 3), (4000, 1, 3)), 1, 4000, 7000),
    (((0, 3, 3), (4000, 2, 3), (40000, 5, 3)), 5, 40000, 43000),
    (((0, 3, 3), (9000, 3, 2), (12000, 3, 3), (20000, 1, 3)), 1, 20000, 23000),
    (((0, 3, None), (4000, 1, None)), 1, 4000, 7000),
    (((0, None, 3), (4000, None, 1)), 1, 4000, 7000),
    (((0, 2, 0), (5000, 3, 0), (9000, 0, 0), (20000, 1, 0)), 1, 20000, 23000),
    # every network denies, and goes on
    (((0, 3, 3),), RegistrationDenied, 10000, 13000),
    (((0, 3, None),), RegistrationDenied, 10000, 13000),
    (((0, None, 3),), RegistrationDenied, 10000, 13000),
    (((0, 2, 2), (5000, 3, 3)), RegistrationDenied, 15000, 18000),
    (((0, 3, 3), (5000, 2, 3), (10000, 3, 3)), RegistrationDenied, 20000, 23000),
    # one denies to the end
    (((0, 3, 0),), RegistrationDenied, 90000, 93000),
    (((0, 3, 2),), RegistrationDenied, 90000, 93000),
    (((0, 0, 3),), RegistrationDenied, 90000, 93000),
    # none is there; not: SMS only, emergency calls only
    (((0, 2, 0),), NotRegistered, 90000, 93000),
    (((0, 0, 0),), NotRegistered, 90000, 93000),
    (((0, 4, None),), NotRegistered, 90000, 93000),
    (((0, 8, 0),), NotRegistered, 90000, 93000),
    (((0, 6, 0),), NotRegistered, 90000, 93000),
    (((0, 7, 0),), NotRegistered, 90000, 93000),
)


async def test_histories_of_a_registration():
    for history, want, least, most in HISTORIES:
        for tells, doze in ((True, None), (False, None), (True, time.sleep_ms)):
            module = Net(history, tells)
            got, took = await into(module, timeout_s=90, doze=doze)
            where = (history, tells, got, took)
            if isinstance(want, int):
                assert isinstance(got, Registration) and got.stat == want, where
            else:
                assert isinstance(got, want), where
            assert least <= took <= most, where


async def test_a_board_that_dozes_looks_less_often_before_a_search_may_end():
    """(known not to end before, ms), when it ends: looks at most, and how late it is seen."""
    for early_ms, end_ms, most, late_ms in (
        (0, 6000, 25, 350),
        (-9000, 6000, 25, 350),
        (4000, 6000, 12, 350),
        (30000, 40000, 55, 350),
        (30000, 3000, 3, 2050),  # against what is known
        (30000, 100, 2, 2050),
    ):
        module = Net(((0, 2, 2), (end_ms, 1, 0)), True)
        modem = C1100(module, doze=time.sleep_ms)
        modem.patience.early_ms = early_ms
        got = await modem.start(timeout_s=90)
        late = time.ticks_diff(time.ticks_ms(), module.begin) - end_ms
        modem.close()
        assert got.stat == 1 and module.looks <= most, (early_ms, end_ms, module.looks)
        assert late <= late_ms, (early_ms, end_ms, late)


# What an earlier life left -----------------------------------------------------------------------

NOWHERE = {"AT+CEREG?": b"+CEREG: 1,0\r\n0\r", "AT+CGREG?": b"+CGREG: 1,0\r\n0\r"}
# what keeps the module out: the question, its answer, what must be sent, within how many ms
LEFT = (
    ("AT+CFUN?", b"+CFUN: 4\r\n0\r", "AT+CFUN=1", 3000),
    ("AT+CFUN?", b"+CFUN: 0\r\n0\r", "AT+CFUN=1", 3000),
    ("AT+CFUN?", b"+CFUN: 7\r\n0\r", "AT+CFUN=1", 3000),
    ("AT+CFUN?", b"+CFUN:04\r\n0\r", "AT+CFUN=1", 3000),
    ("AT+CFUN?", b"+CFUN: 4,0\r\n0\r", "AT+CFUN=1", 3000),
    ("AT+COPS?", b"+COPS: 2\r\n0\r", "AT+COPS=0", 3000),
    ("AT+CGATT?", b"+CGATT: 0\r\n0\r", "AT+CGATT=1", 20000),
)


async def test_what_keeps_a_module_out_of_the_network():
    for how in ("start", "attach"):
        for question, answer, remedy, within in LEFT:
            module = module_with(NOWHERE, {question: answer})

            def mend(_line, module=module, question=question):
                module.answers[question] = REGISTERED[question]
                module.answers["AT+CEREG?"] = [b"+CEREG: 1,2\r\n0\r", REGISTERED["AT+CEREG?"]]
                module.say(b"0\r")
                module.say(b"+CEREG: 2\r\n", 100)
                module.say(b"+CEREG: 1\r\n", 1000)

            module.answers[remedy] = mend
            got, took = await into(module, how)
            assert isinstance(got, Registration), (question, answer, got)
            assert took < within, (question, answer, took)
            assert module.heard.count(remedy) == 1


async def test_a_module_that_searches_is_not_asked_what_keeps_it():
    for stat in (1, 2, 3, 5):
        module = module_with(
            {
                "AT+CEREG?": [b"+CEREG: 1,%d\r\n0\r" % stat, REGISTERED["AT+CEREG?"]],
                "AT+CGREG?": b"+CGREG: 1,0\r\n0\r",
            }
        )
        await into(module, "attach")
        assert "AT+CFUN?" not in module.heard


async def test_what_cannot_be_asked_or_mended_is_no_fault():
    for answers in (
        {"AT+CFUN?": ERROR, "AT+COPS?": ERROR, "AT+CGATT?": ERROR},
        {"AT+CFUN?": OK, "AT+COPS?": OK, "AT+CGATT?": OK},
        {"AT+CFUN?": cme(100), "AT+COPS?": cme(30), "AT+CGATT?": b"+CGATT: x\r\n0\r"},
        {"AT+CFUN?": SILENCE, "AT+COPS?": SILENCE, "AT+CGATT?": SILENCE},
        {"AT+CFUN?": b"+CFUN: 4\r\n0\r", "AT+CFUN=1": ERROR},
        {"AT+CFUN?": b"+CFUN: 4\r\n0\r", "AT+CFUN=1": SILENCE},
    ):
        module = module_with(answers, {"AT+CGREG?": ERROR})
        module.answers["AT+CEREG?"] = [NOWHERE["AT+CEREG?"]] * 4 + [REGISTERED["AT+CEREG?"]]
        got, _ = await into(module, "attach", timeout_s=300)
        assert isinstance(got, Registration), (answers, got)


# A module that was left in the network -----------------------------------------------------------


async def test_a_module_that_is_in_the_network_still_is_asked_one_question():
    """Where EPS tells so, or GPRS where EPS says no; else the whole flow follows."""
    whole = ["AT+CPIN?", "AT+CEREG=1", "AT+CGREG=1", "AT+CEREG?"]
    for change, asked in (
        ({}, ["AT+CEREG?"]),
        (GSM, ["AT+CEREG?", "AT+CGREG?"]),
        ({"AT+CEREG?": b"+CEREG: 1,5\r\n0\r"}, ["AT+CEREG?"]),
        ({"AT+CEREG?": [b"+CEREG: 1,2\r\n0\r", b"+CEREG: 1,1\r\n0\r"]}, None),
        ({"AT+CEREG?": [ERROR, b"+CEREG: 1,1\r\n0\r"]}, None),
        ({"AT+CEREG?": [cme(100), b"+CEREG: 1,1\r\n0\r"]}, None),
    ):
        module = module_with({"AT+CGREG?": b"+CGREG: 1,0\r\n0\r"}, change)
        got, _ = await into(module, "attach", likely=True)
        assert got.registered, change
        heard = module.heard[module.heard.index("AT+CEREG?") :]
        assert heard == (asked or ["AT+CEREG?", "AT+CGREG?"] + whole), (change, heard)


async def test_a_module_that_has_left_the_network_gets_its_pin():
    module = module_with(
        {
            "AT+CEREG?": [b"+CEREG: 1,0\r\n0\r", b"+CEREG: 1,1\r\n0\r"],
            "AT+CGREG?": b"+CGREG: 1,0\r\n0\r",
            "AT+CPIN?": [ASKS, READY],
            PIN: OK,
        }
    )
    got, _ = await into(module, "attach", pin="1234", likely=True)
    assert got.registered
    assert module.heard.count(PIN) == 1
