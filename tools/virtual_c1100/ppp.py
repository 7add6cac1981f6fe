"""PPP dial-up (manual 3.3.3): ATD*99#, data mode, escape, ATH, ATO."""

import re
from typing import Protocol

from tools.timeline import Timer
from tools.virtual_c1100 import ppp_dns
from tools.virtual_c1100.commandline import Int, Text
from tools.virtual_c1100.commands import LATER, Call, CmeFailure, Command, Failure, Later, Result
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.network import Network
from tools.virtual_c1100.ppp_server import Addresses, PppServer
from tools.virtual_c1100.slirp import CLIENT, DNS, GATEWAY, Nat

DIAL = re.compile(r"\*99(\*\*\*\d)?#", re.ASCII)
ESCAPE, GUARD_S = b"+++", 1.0  # S2 and S12 of V.250's kin
TICK_S = 0.2


class Line(Protocol):
    """What PPP needs of the interpreter."""

    def online(self, call: Call, sink: "Ppp") -> None: ...
    def offline(self, result: Result) -> None: ...
    def transmit(self, data: bytes) -> None: ...


class Ppp:
    """One dial-up call. `line` is set by the module once the interpreter exists."""

    line: Line

    def __init__(self, core: Core, network: Network) -> None:
        self._core = core
        self._network = network
        self._contexts: dict[int, tuple[str, str]] = {}
        self._server: PppServer | None = None
        self.nat: Nat | None = None
        self._online = False
        network.on_change.append(self._coverage)
        self.boot()
        context = (Int(1, 5), Text(6, default="IP"), Text(64, default=""),
                   Text(64, optional=True), Int(0, 2, optional=True),
                   Int(0, 4, optional=True))  # fmt: skip
        forms = [
            # The manual prints CDGCONT; 27.007 clause 10.1.1 has CGDCONT.
            Command(name, "M 3.3.3, S", self._define, context, self._show)
            for name in ("+CGDCONT", "+CDGCONT")
        ]
        self.commands = (
            *forms,
            Command("D", "M 3.3.3", self._dial, None),
            Command("O", "S", self._resume, (Int(0, 1),)),
            Command("H", "M 3.3.3", self._hang_up, (Int(0, 1),)),
        )

    def boot(self) -> None:
        """The call is gone, the client not told."""
        self._close()
        self._contexts.clear()
        self._held = b""
        self._last_us = 0
        self._guard: Timer | None = None

    def peers(self) -> list[Nat]:
        """The NAT behind the call."""
        return [self.nat] if self.nat else []

    def drop(self) -> None:
        """The network ends the call."""
        if self._server:
            self._server.terminate()

    def _coverage(self, attached: bool) -> None:
        if not attached and self._network.detached:
            self.drop()

    # Commands -------------------------------------------------------------------------------

    def _define(self, call: Call) -> None:
        number, kind, apn, *_ = call.args
        if kind.upper() not in ("IP", "PPP", "IPV6", "IPV4V6"):
            raise CmeFailure(50)
        self._contexts[number] = (kind.upper(), apn)

    def _show(self, call: Call) -> None:
        for number, (kind, apn) in sorted(self._contexts.items()):
            call.info(f'{call.name}: {number},"{kind}","{apn}","",0,0')

    def _dial(self, call: Call) -> Later:
        if not DIAL.fullmatch(call.raw.strip()):
            raise Failure
        if not self._network.attached or self._server:
            call.finish(Result.NO_CARRIER)
            return LATER
        self._core.later(self._core.profile.latency.pdp, lambda: self._connect(call))
        return LATER

    def _connect(self, call: Call) -> None:
        if self._network.refuses_context():
            call.finish(Result.NO_CARRIER)
            return
        core = self._core
        self.nat = nat = Nat(
            lambda packet: self._arrived(server, packet), lambda: core.timeline.now_us * 1000,
            lambda: not core.congested(), core.profile.peer_grace_s,
        )  # fmt: skip
        self._server = server = PppServer(
            self._to_client, lambda packet: self._depart(nat, packet), self._over,
            core.later, core.rng, Addresses(CLIENT, GATEWAY, DNS), core.profile.ppp_login,
        )  # fmt: skip
        self._online = True
        self._held, self._last_us = b"", core.timeline.now_us
        self.line.online(call, self)
        server.start()
        core.later(TICK_S, lambda: self._tick(nat))

    def _resume(self, call: Call) -> Later:
        if not self._server:
            call.finish(Result.NO_CARRIER)
            return LATER
        self._online = True
        self.line.online(call, self)
        return LATER

    def _hang_up(self, call: Call) -> None:
        self._close()

    # Data mode ------------------------------------------------------------------------------

    def __call__(self, data: bytes) -> bytes | None:
        """Bytes of the client. Returns None while in data mode, else what is not ours."""
        silence_us = self._core.timeline.now_us - self._last_us
        self._last_us = self._core.timeline.now_us
        if self._guard:
            self._guard.cancel()
            self._guard = None
        candidate = self._held + data
        if (self._held or silence_us >= GUARD_S * 1e6) and ESCAPE.startswith(candidate):
            # Perhaps the escape: nothing is passed on until it is clear.
            self._held = candidate
            self._guard = self._core.later(GUARD_S, self._pause)
        else:
            self._held = b""
            self._pass(candidate)
        return None if self._online else b""

    def _pause(self) -> None:
        self._guard = None
        held, self._held = self._held, b""
        if held == ESCAPE:
            self._online = False
            self.line.offline(Result.OK)
        else:
            self._pass(held)

    def _pass(self, data: bytes) -> None:
        if self._server:
            self._server.feed(data)

    def _depart(self, nat: Nat, packet: bytes) -> None:
        def gone() -> None:
            if self.nat is not nat:
                return
            if not ppp_dns.asks(packet, DNS):
                nat.packet_in(packet)
            elif self._server and (said := ppp_dns.answer(packet, self._known, GATEWAY)):
                self._arrived(self._server, said)

        self._network.radio.send(len(packet), "ppp", gone)

    def _known(self, name: str) -> bool:
        hosts = (host.lower() for host, _ in self._core.profile.routes)
        return name == "localhost" or name in hosts

    def _arrived(self, server: PppServer, packet: bytes) -> None:
        def there() -> None:
            if self._server is server:
                server.send_ip(packet)

        self._network.radio.receive(len(packet), "ppp", there)

    def _to_client(self, frame: bytes) -> None:
        if self._online:
            self.line.transmit(frame)

    def _over(self) -> None:
        """The link has ended, from either side."""
        was_online = self._online
        self._close()
        if was_online:
            self.line.offline(Result.NO_CARRIER)

    def _close(self) -> None:
        if self._server:
            self._server.close()
        if self.nat:
            self.nat.close()
        self._server = self.nat = None
        self._online = False

    def _tick(self, nat: Nat) -> None:
        if self.nat is nat:
            nat.tick()
            self._core.later(TICK_S, lambda: self._tick(nat))
