"""What it may be about when no MQTT session opens. Loaded when that happens."""

from . import at, dialect


def explained(
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
