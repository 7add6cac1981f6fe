"""When no MQTT session opens: another try, and what it may be about. Loaded when that happens."""

import asyncio

from . import at, dialect
from .mqtt import SETTLE_MS


async def again(session, steps: list, error: at.CommandError) -> None:
    """Close what an earlier life has left open, and open the session once more; raises what else
    connect() is to raise.

    steps -- the commands; error -- of the first try
    """
    try:
        closed = await session._close()
        if error.command == dialect.MQTT_OPEN.send and error.outcome is not None:
            closed.discard(dialect.MQTT_HANG_UP)  # the context was our own
        if not closed:
            raise error
        await asyncio.sleep_ms(SETTLE_MS)
        await session._open(steps)
    except at.CommandError as error:
        raise _explained(
            error, session._broker, session._client_id, session._login[0], session._apn
        )


def _explained(
    error: at.CommandError, broker: tuple, client_id: str, user: str | None, apn: str | None
) -> at.C1100Error:
    """The error to raise instead: Refused by the broker, NotConnected without a PDP context.

    broker -- (host, port, keepalive)
    """
    if error.outcome is None:
        return error
    if error.command == dialect.MQTT_OPEN.send:
        return at.Refused(
            "the broker %s:%d refused the session of client %s, %s, or cannot be reached: "
            "check mqtt host, user and password"
            % (broker[0], broker[1], client_id, "no user" if user is None else "user " + user),
            error.command,
        )
    return at.NotConnected(
        "the network opens no PDP context with %s: check apn and subscription"
        % ("the SIM's own APN" if apn is None else "APN " + apn),
        error.command,
    )
