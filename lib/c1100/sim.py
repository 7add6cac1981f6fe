"""The SIM: waiting until it is ready, and its PIN (manual 3.2)."""

from micropython import const

from . import at, dialect

_TRANSIENT = (10, 13, 14, 100)  # what +CPIN? may say while the SIM is still being read
_LOOK_MS = const(500)  # between questions


async def unlock(channel, patience, pin: str | None) -> None:
    """Wait for the SIM, and give it its PIN (manual 3.2.1)."""
    begin = patience.mark()
    while True:
        try:
            state = (await channel.ask(dialect.PIN_STATE))[0]
        except at.CmeError as error:
            if error.code not in _TRANSIENT:
                raise at.SimError("FAILURE", str(error))
            state = "NO SIM" if error.code == 10 else "BUSY"
        except at.CommandError:
            state = "BUSY"  # ERROR without a number: the SIM is not ready yet
        if state == "READY":
            return
        if state == "SIM PIN":
            if pin is None:
                raise at.SimError(state, "the SIM asks for a PIN: give start() one")
            await _enter_pin(channel, pin)
            pin = None
        elif state not in ("NO SIM", "BUSY"):
            raise at.SimError(state, "the SIM asks for %s: unblock it in a phone" % state)
        if patience.since(begin) > dialect.SIM_READY_MS:
            raise at.SimError(state, "no SIM, or it does not answer: check the card and holder")
        await patience.wait(_LOOK_MS)


async def _enter_pin(channel, pin: str) -> None:
    try:
        await channel.run(dialect.PIN_ENTER, pin)
    except at.CommandError as error:
        if isinstance(error, at.CmeError) and error.code == 14:
            return  # SIM busy: the state is asked again, the PIN is not
        raise at.PinRefused("SIM PIN", "the PIN was refused: %s" % error)
