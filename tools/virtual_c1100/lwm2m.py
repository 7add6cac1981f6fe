"""LwM2M (manual 3.5.1, 3.5.2): up to three servers, kept over reboot, started at boot."""

from collections.abc import Callable

from tools.virtual_c1100.commandline import Int, Text
from tools.virtual_c1100.commands import Call, Command, Failure
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.lwm2m_link import Lwm2mLink
from tools.virtual_c1100.lwm2m_objects import Objects, Resource
from tools.virtual_c1100.network import Network
from tools.virtual_c1100.peers import resolve
from tools.virtual_c1100.profile import GSM, NB_IOT, parse_address

SHORT_IDS = {3: 102, 4: 101, 5: 1000}  # what AT+LWMTM=<n>,"..." sets (manual 3.5.2)
BEARERS = {GSM: 0, NB_IOT: 7}  # resource 4/0/0; else 6, LTE-FDD
OFF, ON = 0, 1
NOTIFY_S = 10.0  # how often observed values are looked at (inferred)


class Lwm2m:
    """AT+LWMTM and the clients behind it. Its settings survive reboot and power-off."""

    def __init__(
        self,
        core: Core,
        network: Network,
        unix_time: Callable[[], int],
        reboot: Callable[[], None],
    ) -> None:
        self._core = core
        self._network = network
        self._unix_time = unix_time
        self._reboot = reboot
        self._servers: dict[int, str] = {}
        self._automatic = False
        self.links: dict[int, Lwm2mLink] = {}
        self._started = False
        self._lifetime_s = core.profile.lwm2m_lifetime_s
        network.on_change.append(self._coverage)
        self.commands = (
            Command("+LWMTM", "M 3.5.1, 3.5.2", self._set, (Int(0, 5), Text(64, optional=True)),
                    self._show),
        )  # fmt: skip

    def boot(self) -> None:
        """The clients are gone without a word; the settings stay."""
        for link in self.links.values():
            link.close()
        self.links.clear()
        self._started = False

    def start(self) -> None:
        """The module has booted: what is set to start by itself will, once there is a network."""
        self._started = self._automatic

    def _set(self, call: Call) -> None:
        what, address = call.args
        if what in SHORT_IDS and address is not None:
            try:
                parse_address(address)
            except ValueError:
                raise Failure from None
            self._servers[what] = address
        elif what in (OFF, ON) and address is None:
            self._automatic = what == ON  # from the next boot on (manual 3.5.1 steps 2 to 4)
            if what == OFF:
                self._stop()
        else:
            raise Failure

    def _show(self, call: Call) -> None:
        """Form inferred."""
        call.info(f"+LWMTM: {int(self._automatic)}")
        for number, address in sorted(self._servers.items()):
            call.info(f'+LWMTM: {number},"{address}"')

    def _stop(self) -> None:
        """Deregister everywhere (inferred)."""
        self._started = False
        for number, link in list(self.links.items()):
            link.deregister(lambda number=number, link=link: self._gone(number, link))

    def _gone(self, number: int, link: Lwm2mLink) -> None:
        if self.links.get(number) is link:
            del self.links[number]
            link.close()

    def _coverage(self, attached: bool) -> None:
        for link in self.links.values():
            link.silent = not attached
            if attached:
                link.update()
        if attached and self._started and not self.links:
            self._core.later(self._core.profile.latency.pdp, self._connect)

    def _connect(self) -> None:
        if self.links or not self._network.attached:
            return
        profile = self._core.profile
        for number, text in sorted(self._servers.items()):
            address = resolve(profile.routes, *parse_address(text))
            if address is None:
                continue  # nobody there can be reached, so nobody answers
            link = Lwm2mLink(
                self._core.timeline, self._core.rng, address, f"urn:imei:{profile.imei}",
                self._lifetime_s, self._objects(SHORT_IDS[number]), profile.patience_s,
                self._on_air,
            )  # fmt: skip
            self.links[number] = link
            link.register()
        self._core.later(NOTIFY_S, self._notify)

    def _on_air(self, size: int, then: Callable[[], None]) -> None:
        self._network.radio.send(size, "lwm2m", then)

    def _notify(self) -> None:
        for link in self.links.values():
            link.notify()
        self._core.later(NOTIFY_S, self._notify)

    def _objects(self, short_id: int) -> Objects:
        """Object ids and resources: OMA LwM2M 1.0 appendix E."""
        profile, network = self._core.profile, self._network
        cell = network.cell
        return Objects({
            (1, 0): Resource(lambda: short_id),
            (1, 1): Resource(lambda: self._lifetime_s),
            (1, 7): Resource(lambda: "U"),
            (3, 0): Resource(lambda: profile.manufacturer),
            (3, 1): Resource(lambda: f"C1100 {profile.variant}"),
            (3, 2): Resource(lambda: profile.imei),
            (3, 3): Resource(lambda: profile.revision),
            (3, 4): Resource(execute=lambda: self._core.later(1.0, self._reboot) and None),
            (3, 9): Resource(lambda: profile.battery_percent),
            (3, 11): Resource(lambda: 0),
            (3, 13): Resource(self._unix_time),
            (3, 16): Resource(lambda: "U"),
            (4, 0): Resource(lambda: BEARERS.get(network.act or 0, 6)),
            (4, 1): Resource(lambda: BEARERS.get(network.act or 0, 6)),
            (4, 2): Resource(lambda: 2 * cell.rssi - 113),
            (4, 4): Resource(lambda: profile.local_ip),
            (4, 8): Resource(lambda: int(cell.cell_id, 16)),
            (4, 9): Resource(lambda: int(cell.plmn[3:])),
            (4, 10): Resource(lambda: int(cell.plmn[:3])),
        })  # fmt: skip
