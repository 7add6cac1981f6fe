"""Into the network (manual 3.1, 3.2): SIM, reports, registration. Loaded for a module that is not
there yet.
"""

from . import at, dialect, search, sim


async def start(modem, channel, network, pin: str | None, timeout_s: float, whole: bool = False):
    """Bring a module that answers into the network. Returns registration.Registration.

    whole -- with the questions of the manual's flow that nothing depends on

    Raises as C1100.start().
    """
    await _unlock(channel, network, pin)
    if whole:
        await _step(channel, dialect.SIGNAL)
    await _report(modem, network)
    if whole:
        await _step(channel, dialect.OPERATOR)
    return await network.register(timeout_s)


async def _unlock(channel, network, pin: str | None) -> None:
    async def radio_on() -> bool:
        return await search.radio_on(channel)

    try:
        await sim.unlock(channel, network.patience, pin, radio_on)
    except at.SimError as error:
        # A module that tells nothing of its SIM, but is in the network, has a good one.
        if error.state != sim.UNKNOWN or not (await network.state()).registered:
            raise error


async def _step(channel, question: dialect.Form) -> None:
    """A question that the manual's flow has, and that nothing depends on."""
    try:
        await channel.run(question)
    except (at.CommandError, at.Timeout):
        pass  # what the module does not tell now, it need not


async def _report(modem, network) -> None:
    """Let the module tell when its registration changes, as far as it takes that."""
    eps = modem.asks_psm and (
        # With PSM the network's answer tells what it has granted.
        modem.power.tells or await modem.keeps(dialect.EPS_REPORT, 4)
    )
    eps = eps or await modem.keeps(dialect.EPS_REPORT, 1)
    gprs = await modem.keeps(dialect.GPRS_REPORT, 1)
    network.tells = eps or gprs
