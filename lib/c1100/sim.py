"""The SIM: waiting until it is ready, and its PIN (manual 3.2; TS 27.007 8.3)."""

from micropython import const

from . import at, dialect

_LOOK_MS = const(500)  # between questions
_RADIO_MS = const(3000)  # a SIM that says nothing for so long may have been switched off
_BUSY_MS = const(4000)  # a SIM that was too busy for its PIN and asks for it still: once more

# States in which the network takes the SIM. PIN2 guards what nobody here asks for.
_USABLE = ("READY", "SIM PIN2", "SIM PUK2")
# +CME ERROR instead of a state (27.007 9.2)
_STATES = {
    5: "PH-SIM PIN",
    6: "PH-FSIM PIN",
    7: "PH-FSIM PUK",
    10: "NO SIM",
    11: "SIM PIN",
    12: "SIM PUK",
    13: "FAILURE",
    14: "BUSY",
    15: "WRONG",
    17: "SIM PIN2",
    18: "SIM PUK2",
    40: "PH-NET PIN",
    41: "PH-NET PUK",
    42: "PH-NETSUB PIN",
    43: "PH-NETSUB PUK",
    44: "PH-SP PIN",
    45: "PH-SP PUK",
    46: "PH-CORP PIN",
    47: "PH-CORP PUK",
}
_BLOCKED = "the SIM is blocked: give it its PUK in a phone"
_LOCKED = "the module is locked to another SIM or operator (%s): it needs its unlock code"
UNKNOWN = "UNKNOWN"  # the module tells nothing of its SIM
# Answers to a PIN
_WRONG = (12, 16)
_TROUBLE = (10, 13, 14, 15)  # of the card: the PIN was not tried
_BUSY = const(14)


async def unlock(channel, patience, pin: str | None, radio_on) -> None:
    """Wait for the SIM, and give it its PIN (manual 3.2.1).

    pin      -- sent once, and once more only if the SIM was too busy to look at it
    radio_on -- awaitable function: whether the radio was off and has been switched on

    Every state passes but those that only a person can end: a SIM says many things while it
    starts, and the old one once more when it has its PIN. Raises SimError, PinRefused, Timeout.
    """
    begin = patience.mark()
    sent = None  # when the PIN was
    sends = 0
    doubt: at.CommandError | None = None  # what was answered to the PIN, if not OK
    asked = False  # for the radio
    while True:
        state = await _state(channel)
        if state in _USABLE:
            return
        if state == "SIM PUK" and sends:
            raise at.PinRefused(state, "the PIN was wrong, and the SIM is blocked now")
        if state == "SIM PUK":
            raise at.SimError(state, _BLOCKED)
        if state.startswith("PH-"):
            raise at.SimError(state, _LOCKED % state)
        if state == "SIM PIN" and pin is not None:
            busy = _code(doubt) == _BUSY and sends == 1 and patience.since(sent) > _BUSY_MS
            if not sends or busy:
                doubt = await _enter_pin(channel, pin)
                begin = sent = patience.mark()
                sends += 1
        elif not asked and patience.since(begin) > _RADIO_MS and state != "SIM PIN":
            asked = True
            if await radio_on():
                begin = patience.mark()
        if patience.since(begin) > dialect.SIM_READY_MS:
            raise _given_up(state, pin, doubt)
        await patience.wait(_LOOK_MS)


def _given_up(state: str, pin: str | None, doubt: at.CommandError | None) -> at.SimError:
    """What a state that has not passed is told as."""
    if state != "SIM PIN":
        return at.SimError(
            state, "no SIM, or it does not answer (%s): check the card and holder" % state
        )
    if pin is None:
        return at.SimError(state, "the SIM asks for a PIN: give start() one")
    if doubt is not None and _code(doubt) not in _TROUBLE:
        return at.PinRefused(state, "the PIN was refused: %s" % doubt)
    return at.SimError(state, "the SIM has its PIN, and asks for it still: check the card")


async def _state(channel) -> str:
    try:
        state = (await channel.ask(dialect.PIN_STATE))[0]
    except at.CommandError as error:
        return _STATES.get(_code(error) or 0, UNKNOWN)
    except at.BadAnswer:
        return UNKNOWN
    return " ".join(state.upper().split())


async def _enter_pin(channel, pin: str) -> at.CommandError | None:
    """Give the PIN; None if it was taken, else what was answered, which may mean anything but
    that it is wrong: a SIM that has begun to use it answers "not allowed".
    """
    try:
        await channel.run(dialect.PIN_ENTER, pin)
    except at.CommandError as error:
        if _code(error) in _WRONG:
            raise at.PinRefused("SIM PIN", "the PIN was refused: %s" % error)
        return error
    return None


def _code(error) -> int | None:
    return getattr(error, "code", None)
