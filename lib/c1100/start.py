"""Into the network (manual 3.1, 3.2): SIM, reports, registration: methods of C1100, loaded for a
module that is not there yet.
"""

from micropython import const

from . import at, dialect

TYPE_CHECKING = const(0)  # those who check types take it for true
if TYPE_CHECKING:
    from .registration import Registration


async def start(
    modem, pin: str | None = None, apn: str | None = None, timeout_s: float = 180
) -> "Registration":
    """Switch the module on if it is off, and bring it into the network (manual 3.1, 3.2).

    pin       -- tried once; a SIM is never blocked by trying again
    apn       -- kept for the PDP context and the MQTT session
    timeout_s -- seconds for the registration

    Returns the registration. Raises Timeout when the module does not answer, SimError,
    RegistrationDenied, NotRegistered.
    """
    modem.apn = apn
    await modem.power_on()
    return await enter(modem, pin, timeout_s, True)


async def radio(modem, on: bool, sim: bool = False) -> None:
    """Switch the radio on or off (TS 27.007 8.2); off leaves the network.

    sim -- off keeps the SIM powered (flight mode), and the GNSS receiver usable
    """
    await modem._channel.run(dialect.RADIO, 1 if on else 4 if sim else 0)


async def enter(modem, pin: str | None, timeout_s: float, whole: bool = False):
    """Bring a module that answers into the network. Returns registration.Registration.

    whole -- with the questions of the manual's flow that nothing depends on

    Raises as C1100.start().
    """
    await _unlock(modem, pin)
    if whole:
        await _step(modem, dialect.SIGNAL)
    await _report(modem)
    if whole:
        await _step(modem, dialect.OPERATOR)
    return await modem.register(timeout_s)


async def _unlock(modem, pin: str | None) -> None:
    from . import search, sim

    channel = modem._channel

    async def radio_on() -> bool:
        return await search.radio_on(channel)

    try:
        await sim.unlock(channel, modem.patience, pin, radio_on)
    except at.SimError as error:
        # A module that tells nothing of its SIM, but is in the network, has a good one.
        if error.state != sim.UNKNOWN or not (await modem.registration()).registered:
            raise error


async def _step(modem, question: dialect.Form) -> None:
    """A question that the manual's flow has, and that nothing depends on."""
    try:
        await modem._channel.run(question)
    except (at.CommandError, at.Timeout):
        pass  # what the module does not tell now, it need not


async def _report(modem) -> None:
    """Let the module tell when its registration changes, as far as it takes that."""
    eps = modem.asks_psm and (
        # With PSM the network's answer tells what it has granted.
        modem.power.tells or await modem.keeps(dialect.EPS_REPORT, 4)
    )
    eps = eps or await modem.keeps(dialect.EPS_REPORT, 1)
    gprs = await modem.keeps(dialect.GPRS_REPORT, 1)
    modem.tells = eps or gprs
