"""MQTT on the module's own stack (manual 3.6), named as umqtt.simple names it."""

import asyncio

from micropython import const

from . import apart, at, dialect, payload, topics

TYPE_CHECKING = const(0)  # those who check types take it for true
if TYPE_CHECKING:
    from .messages import Message  # noqa: F401

# What a node that only publishes needs none of.
_APART = (
    " subscribe unsubscribe set_last_will =mqtt_filters"
    "  set_callback check_msg wait_msg lost() =messages  inbox() =inbox "
)
# What makes a handler of payloads (payload.py).
_HANDLER = " fields hex shape limit begin data end damaged "

SETTLE_MS = const(1000)  # until the end of what was closed has been told


def mqtt(modem, client_id: str, host: str, port: int = 1883, **options) -> "MQTT":
    """modem.mqtt(): a client on the module's own stack (manual 3.6); options as MQTT has them."""
    options.setdefault("careful", modem.careful)
    return MQTT(modem._channel, client_id, host, port, apn=modem.apn, **options)


class MQTT:
    """One MQTT session. The module has one, so there is one of these at a time.

    client_id  -- required by the module, up to 64 characters
    host, port -- the broker
    keepalive  -- seconds
    last_will  -- (topic, payload, retain, qos), published by the broker when the node vanishes
    clean      -- start without the subscriptions of an earlier session
    apn        -- of the PDP context, None for the one that the SIM has by default
    careful    -- have the module show each message before it is published, where the line to it
                  loses bytes: it takes as long as saying it, and two digits less are no error
    """

    def __init__(
        self,
        channel,
        client_id: str,
        host: str,
        port: int = 1883,
        user: str | None = None,
        password: str | None = None,
        keepalive: int = 60,
        last_will: tuple[str, str | bytes, bool, int] | None = None,
        clean: bool = True,
        apn: str | None = None,
        careful: bool = False,
    ) -> None:
        self.channel = channel
        self._careful = careful
        self._client_id = client_id
        self._broker = (host, port, keepalive)
        self._login = (user, password)
        self._clean = clean
        self._apn = apn
        self._will = last_will
        self.told = {}  # form -> arguments that the module has for it in this session
        self.busy = asyncio.Lock()  # topic, message and command of one publish stay together
        self._doubtful = False  # the module may have a session, with something unconfirmed in it
        self.connected = False
        self.wanted = None  # event that a message has come, or none will, once one was waited for

    if TYPE_CHECKING:
        from .messages import check_msg, set_callback, wait_msg
        from .mqtt_filters import set_last_will, subscribe, unsubscribe

        lost: int
    else:

        def __getattr__(self, name: str):
            """It is the handler of its messages' payloads, by its inbox, which is loaded with the
            first one.
            """
            if " %s " % name in _HANDLER:
                return getattr(self.inbox, name)
            return apart.find(self, MQTT, _APART, name)

    # The session ----------------------------------------------------------------------------

    async def connect(self) -> None:
        """Open the PDP context and the session (manual 3.6.1). What an earlier life has left open
        is closed if it stands in the way.

        Raises BadArgument before anything is sent, Refused when the broker does not want this
        session or cannot be reached, NotConnected when the network gives no PDP context,
        CommandError, BadAnswer, Timeout.
        """
        steps = self._steps()
        async with self.busy:
            self._on_lost()
            other = self.channel.watchers.get(_outcome(dialect.MQTT_CLOSE))
            if other is not None:
                other()  # a session of another object: the module has one
            if self._doubtful and await self._close():
                await asyncio.sleep_ms(SETTLE_MS)
            try:
                await self._open(steps)
            except at.CommandError as error:
                from .mqtt_refused import again

                await again(self, steps, error)

    def _steps(self) -> list:
        """The commands that open a session, with their values, all of them checked."""
        steps: list = [(dialect.MQTT_CLIENT_ID, (self._client_id,))]
        user, password = self._login
        if user is not None:
            steps.append((dialect.MQTT_USER, (user,)))
        if password is not None:
            steps.append((dialect.MQTT_PASSWORD, (password,)))
        steps.append((dialect.MQTT_SESSION, (self._clean,)))
        # The module takes as will what is configured when it opens. So an empty message, which is
        # no will, has to replace what an earlier publish has left there.
        if self._will is None:
            steps.append((dialect.MQTT_TEXT, ("",)))
        else:
            if not isinstance(self._will, (tuple, list)) or len(self._will) != 4:
                raise at.BadArgument("a last will is (topic, payload, retain, qos)")
            steps += _message(*self._will)
        if self._apn is None:
            steps.append((dialect.MQTT_CALL, ()))
        else:
            steps.append((dialect.MQTT_CALL_APN, (self._apn,)))
        steps.append((dialect.MQTT_OPEN, self._broker))
        checked(steps)
        host, port, keepalive = self._broker
        if not self._client_id or not host or not port:
            raise at.BadArgument("client_id, host and port are needed", dialect.MQTT_OPEN.send)
        if isinstance(port, bool) or isinstance(keepalive, bool):
            raise at.BadArgument("port and keepalive are numbers", dialect.MQTT_OPEN.send)
        return steps

    async def _open(self, steps: list) -> None:
        channel = self.channel
        try:
            await self.tell(steps[:-1])
            # Messages that have waited at the broker come right behind the answer.
            channel.payloads[dialect.MQTT_MESSAGE] = self
            self._doubtful = True
            form, args = steps[-1]
            await channel.run(form, *args)
        except BaseException as error:
            if isinstance(error, (at.CommandError, at.Rebooted)):
                self._doubtful = False
            self._on_lost()
            raise
        self._doubtful = False
        self.connected = True
        for name, callback in self._ends():
            channel.watchers[name] = callback
        channel.on_restart.append(self._on_lost)

    def _ends(self) -> tuple:
        """Outcomes that tell of the session's end when nobody has asked for it."""
        return (
            (_outcome(dialect.MQTT_CALL), self._on_state),
            (_outcome(dialect.MQTT_OPEN), self._on_state),
            (_outcome(dialect.MQTT_CLOSE), self._on_lost),
        )

    async def disconnect(self) -> None:
        """End the session and the PDP context (manual 3.6.5). The will is not published. What is
        not open any more is no error.
        """
        self._on_lost()
        async with self.busy:
            await self._close()

    def leave(self) -> None:
        """Let go of the session as it is: the module is about to lose it anyway, and the broker to
        miss its pings. What the module still says of it is nobody's.
        """
        self._on_lost()

    async def _close(self) -> set:
        """Close the module's session and context, whoever has opened them. Returns the forms that
        had something to close.
        """
        closed = set()
        for form in (dialect.MQTT_CLOSE, dialect.MQTT_HANG_UP):
            try:
                await self.channel.run(form)
            except at.CommandError:
                continue  # it was not open
            closed.add(form)
        self._doubtful = False
        return closed

    def _on_state(self, line: str) -> None:
        values = at.params(line)
        if values and (values[-1] in dialect.FAILED or values[-1] == "0"):
            self._on_lost()

    def _on_lost(self, _line: str | None = None) -> None:
        """The network, the broker, a restart or we have ended the session."""
        channel = self.channel
        self.connected = False
        self.told.clear()
        if self.wanted is not None:
            self.wanted.set()
        if self._on_lost in channel.on_restart:
            channel.on_restart.remove(self._on_lost)
            for name, _ in self._ends():
                channel.watchers.pop(name, None)
        if channel.payloads.get(dialect.MQTT_MESSAGE) is self:
            channel.payloads[dialect.MQTT_MESSAGE] = payload.unheard()[dialect.MQTT_MESSAGE]
            channel.abandon(self)

    def check_open(self, form: dialect.Form) -> None:
        if not self.connected:
            raise at.NotConnected("the MQTT session is not open: connect() first", form.send)

    # Sending --------------------------------------------------------------------------------

    async def publish(
        self,
        topic: str,
        payload: str | bytes | bytearray | memoryview,
        qos: int = 1,
        retain: bool = False,
    ) -> None:
        """Publish; with QoS 1 and 2, returns when the broker has confirmed (manual 3.6.4).

        payload -- str or bytes; up to 1024 characters of printable ASCII without quotes, up to
                   512 bytes of anything else

        Raises BadArgument before anything is sent, NotConnected, Refused when there is no
        confirmation, CommandError, Timeout. After a Timeout it is not known whether the broker
        has the message. Unless it was Refused, the session then counts as lost: connect() again.
        """
        steps = checked(_message(topic, payload, retain, qos))
        form = dialect.MQTT_PUBLISH
        if not qos:  # it needs no more than a result code, and modules may tell no more (I)
            form = dialect.Form(*(form[:3] + (_outcome(form) + "?",) + form[4:]))
        async with self.busy:
            self.check_open(form)
            await self.tell(steps)
            if self._careful:
                from .mqtt_shown import compare

                await compare(self, steps)
            await self.confirmed(form, "the broker did not confirm the message to " + topic)

    async def tell(self, steps: list) -> None:
        """Settings that the module keeps: said again only when they change, but for messages."""
        kept = (dialect.MQTT_TOPIC, dialect.MQTT_QOS, dialect.MQTT_RETAINED)
        for form, args in steps:
            if form in kept and self.told.get(form) == args[0]:
                continue
            self.told.pop(form, None)
            await self.channel.run(form, *args)
            if form in kept:
                self.told[form] = args[0]

    async def confirmed(self, form: dialect.Form, refusal: str | None, *args) -> None:
        try:
            await self.channel.run(form, *args)
        except at.CommandError as error:
            if error.outcome is None:
                self._doubtful = True
                self._on_lost()  # the module has no session
                raise
            if refusal is not None:
                raise at.Refused(refusal, form.send)
        except BaseException as error:  # time-out, restart, cancellation
            # A confirmation that comes late must not confirm the next message.
            self._doubtful = not isinstance(error, at.Rebooted)
            self._on_lost()
            raise


def _outcome(form: dialect.Form) -> str:
    """The prefix of the line that tells how a command ended."""
    return form.then.rstrip("?")


def _message(topic, payload, retain, qos) -> list:
    """The settings of a message."""
    topics.check(topic, dialect.MQTT_TOPIC.send)
    plain = _plain(payload)
    return [
        (dialect.MQTT_TOPIC, (topic,)),
        (dialect.MQTT_HEX, (payload,)) if plain is None else (dialect.MQTT_TEXT, (plain,)),
        (dialect.MQTT_QOS, (qos,)),
        (dialect.MQTT_RETAINED, (retain,)),
    ]


def checked(steps: list) -> list:
    """Commands whose values can all be sent. Raises BadArgument."""
    for form, args in steps:
        if form is dialect.MQTT_QOS and isinstance(args[0], bool):
            raise at.BadArgument("qos must be a whole number from 0 to 2", form.send)
        at.render(form.send, args)
    return steps


def _plain(payload) -> str | None:
    """A payload as text if it can stand between quotes, else None: it is sent as hex then."""
    try:
        data = payload.encode() if isinstance(payload, str) else bytes(memoryview(payload))
    except (TypeError, UnicodeError):
        raise at.BadArgument("a payload is str or bytes", dialect.MQTT_TEXT.send)
    for c in data:
        if not 32 <= c < 127 or c == 34:
            return None
    return payload if isinstance(payload, str) else str(data, "ascii")


if not TYPE_CHECKING:

    def __getattr__(name: str):
        if name != "Message":  # what wait_msg() returns
            raise AttributeError(name)
        from .messages import Message

        return Message
