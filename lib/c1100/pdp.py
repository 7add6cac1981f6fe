"""The PDP context of the module's sockets (manual 3.3.1.1 steps 1 to 3, 3.5.1.2 step 3)."""

import asyncio
import time

from micropython import const

from . import at, dialect

TYPE_CHECKING = const(0)  # those who check types take it for true

_CALL_MS = const(30000)  # patience with a context that is not there yet when its command is over
_CALL_LOOK_MS = const(2000)


class Pdp:
    """The context, as far as Sockets is about it. One that goes takes the sockets with it."""

    if TYPE_CHECKING:
        from .sockets_doubt import find_out

    def __init__(self, channel) -> None:
        self._channel = channel
        self._called = asyncio.Event()  # something was told of the context
        self._refused = False  # by +LSIP:ERROR
        self.recent = None  # the socket that the last command was for
        channel.watchers[dialect.IP_STATE.answer] = self._on_call
        channel.watchers[dialect.VERDICT] = self._on_verdict

    async def run(self, form: dialect.Form, *args, owner=None) -> list:
        """Channel.run(), for a socket or for none."""
        self.recent = owner
        return await self._channel.run(form, *args)

    async def ask(self, form: dialect.Form, *args, owner=None) -> list:
        """Channel.ask(), for a socket or for none."""
        self.recent = owner
        return await self._channel.ask(form, *args)

    async def call(self, apn: str) -> str:
        """Open the PDP context. Returns the address that the network gave, "" if it is not told.

        One that is open already, from before a restart of the board, is used as it is.

        Raises BadArgument, CommandError, NotConnected, Timeout.
        """
        try:
            await self.run(dialect.IP_PROFILE, apn)
            self._called.clear()
            self._refused = False
            lines = await self.run(dialect.IP_CALL)
        except at.CommandError as error:
            address = await self._existing()
            if address is None:
                raise error
            return address
        # A late URC of an earlier context has the answer's form too: the last line counts.
        values = at.read(lines[-1], "iS") if lines else None
        if values is None or (values[0] == 1 and values[1] is None):
            address = await self._await_call()
        else:
            address = values[1] if values[0] == 1 else None
        if address is None:
            raise at.NotConnected("the network opens no PDP context", dialect.IP_CALL.send)
        return address

    async def _existing(self) -> str | None:
        try:
            return await self.address()
        except (at.CommandError, at.BadAnswer):
            return None  # as far as is known

    async def _await_call(self) -> str | None:
        """The module told nothing before the result code: the address comes later."""
        begin = time.ticks_ms()
        while True:
            address = await self._existing()
            waited = time.ticks_diff(time.ticks_ms(), begin)
            if address is not None or self._refused or waited > _CALL_MS:
                return address
            try:
                await asyncio.wait_for_ms(self._called.wait(), _CALL_LOOK_MS)
            except asyncio.TimeoutError:
                pass  # not every module tells
            self._called.clear()

    async def address(self) -> str | None:
        """The node's address, "" if it is not told; None without a PDP context (manual 3.3.1.1
        step 3).
        """
        up, address = (await self.ask(dialect.IP_STATE))[:2]
        if up == 1:
            return address or ""
        if up == 0:
            self._lose("the network has closed the PDP context")
            return None
        raise at.BadAnswer("state %d of the PDP context" % up, dialect.IP_STATE.send)

    async def hang_up(self) -> None:
        """Close the PDP context (manual 3.5.1.2 step 3); sockets that are open end with it."""
        self._lose("the PDP context was closed")
        try:
            await self.run(dialect.IP_HANG_UP)
        except at.CommandError:
            if await self.address() is not None:
                raise  # else the network, or a restart, was faster

    # What the module tells ------------------------------------------------------------------

    def _on_call(self, line: str) -> None:
        values = at.read(line, "i")
        if values is None:
            self.find_out("context", self.address)
        elif values[0] == 0:
            self._lose("the network has closed the PDP context")
        self._called.set()

    def _on_verdict(self, line: str) -> None:
        """Behind the result code of a command that has counted as done."""
        if "OK" in at.params(line):
            return
        self._refused = True
        self._called.set()
        if self.recent is not None:
            self.recent.fail(at.CommandError(line, dialect.IP_PUSH.send))

    def _lose(self, why: str) -> None:
        """The sockets are gone with the context."""
        raise NotImplementedError


def pdp(modem, apn: str) -> "Context":
    """modem.pdp(): ``async with modem.pdp(apn):`` -- a context for sockets (manual 3.3.1.1)."""
    return Context(modem._sockets, apn)


class Context:
    """``async with modem.pdp(apn):`` -- the PDP context is open inside.

    address -- what the network gave, as text
    """

    def __init__(self, sockets: Pdp, apn: str) -> None:
        self._sockets = sockets
        self._apn = apn
        self.address = None

    async def __aenter__(self) -> "Context":
        self.address = await self._sockets.call(self._apn)
        return self

    async def __aexit__(
        self, kind: type | None, error: BaseException | None, trace: object
    ) -> None:
        try:
            await self._sockets.hang_up()
        except at.C1100Error:
            if kind is None:
                raise  # else what went wrong inside is what counts
