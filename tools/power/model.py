"""Event model: what a report, a tracking-area update or a gap costs, as sums over phases.

    conditions = Conditions.of(Profile(), "nb-iot", t3324_s=10, t3412_s=86400)
    charge_uc(report(conditions, Exchange.mqtt(Latency(), 158)), module)

The times are those of the virtual module and its network (`RadioLink`, `Latency`), the currents
those of a power profile: the same figures as in a metered run, without running it. Charges are in
microcoulombs (1 uC = 1 uA s).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from tools.power.currents import Link, module_amperes
from tools.power.profiles import Profile
from tools.virtual_c1100.air import Air, RadioLink
from tools.virtual_c1100.http import BODY_LIMIT
from tools.virtual_c1100.http_request import REPLY_HEAD
from tools.virtual_c1100.measured import NAME as MEASURED
from tools.virtual_c1100.measured import Luck, connect_factor
from tools.virtual_c1100.mqtt import HANDSHAKE, HEX_LIMIT, PACKET_HEAD
from tools.virtual_c1100.pdp import CALL_SIZE
from tools.virtual_c1100.profile import Latency
from tools.virtual_c1100.profile import Profile as VirtualProfile
from tools.virtual_c1100.sockets import BUFFER

UC_PER_MAH = 3.6e6
BAUD = 115200

# A full handshake of TLS 1.2 with mbedtls and one certificate with a P-256 key, and what a record
# adds with AES-GCM: counted on the wire between the virtual module and Python's ssl.
TLS_UP, TLS_DOWN = (147, 126), (626, 51)
RECORD = 29


class Phase(NamedTuple):
    """The module in one state for some seconds."""

    state: str
    seconds: float


@dataclass(frozen=True)
class Exchange:
    """What one session says to the far side, over a bearer that is there (`call`).

    seconds -- from the connection's set-up to the last answer, without time on the air
    up, down -- bytes of each packet
    opening -- that part of the seconds in which context and connection open
    """

    seconds: float
    up: tuple[int, ...]
    down: tuple[int, ...]
    opening: float = 0.0
    line: float = 0.0

    @classmethod
    def call(cls, latency: Latency) -> "Exchange":
        """The bearer: once, until the module is switched off (manual 3.3.1.1, 3.6)."""
        return cls(latency.pdp, (CALL_SIZE,), (), latency.pdp)

    @classmethod
    def mqtt(
        cls,
        latency: Latency,
        payload: int,
        topic: int = 23,
        client: int = 12,
        baud: int = BAUD,
    ) -> "Exchange":
        """TCP, CONNECT, the payload at QoS 1 in as few PUBLISH as the module takes it (manual 3.6,
        MQTT 3.1.1). No DISCONNECT: without a will it changes nothing, and the broker finds out.
        The first payload may be in the module before; the others take their way over the line,
        as two digits each byte, while the connection waits.
        """
        messages = max(1, -(-payload // HEX_LIMIT))
        head = PACKET_HEAD + topic
        published = [head + HEX_LIMIT] * (messages - 1)
        published.append(head + payload - HEX_LIMIT * (messages - 1))
        up = (HANDSHAKE + 14 + client, *published)
        opening = latency.mqtt_open
        seconds = opening + messages * latency.mqtt_packet
        line = max(0, payload - HEX_LIMIT) * 20 / baud
        return cls(seconds, up, (4,) * (1 + messages), opening, line)

    @classmethod
    def http(cls, latency: Latency, payload: int, url: int = 0, head: int = 0) -> "Exchange":
        """As few POST as the module takes the payload in; each has its connection, and needs no
        bearer of the host's (manual 3.7). url, head -- bytes of the URL and of all headers
        """
        requests = max(1, -(-payload // BODY_LIMIT))
        up = _shared(payload, BODY_LIMIT, HANDSHAKE + url + head)
        return cls(requests * latency.connect, up, (REPLY_HEAD,) * requests)

    @classmethod
    def tcp(cls, latency: Latency, payload: int, hello: int = 0) -> "Exchange":
        """Connection, the payload behind a greeting of `hello` bytes in as few packets as
        the module takes it, one confirmation for all (manual 3.3.1.1). The connection need not be
        closed: it goes with the bearer.
        """
        packets = _shared(hello + payload, BUFFER, 0)
        opening = latency.connect
        seconds = opening + len(packets) * latency.packet
        return cls(seconds, (0, *packets), (2,), opening)

    @classmethod
    def mqtts(cls, latency: Latency, payload: int, topic: int = 0, client: int = 0) -> "Exchange":
        """Connection, TLS, then CONNECT and one PUBLISH; our own stack has no limit."""
        up = (0, *TLS_UP, 14 + client + RECORD)
        published = _shared(9 + topic + payload, BUFFER - RECORD, RECORD)
        opening = latency.connect
        seconds = opening + (len(TLS_UP) + 1 + len(published)) * latency.packet
        down = (*TLS_DOWN, 4 + RECORD, 4 + RECORD)
        return cls(seconds, (*up, *published), down, opening)

    @classmethod
    def https(cls, latency: Latency, payload: int, url: int = 0, head: int = 0) -> "Exchange":
        """Connection, TLS, then one POST."""
        posted = _shared(url + head + payload, BUFFER - RECORD, RECORD)
        opening = latency.connect
        seconds = opening + (len(TLS_UP) + len(posted)) * latency.packet
        up = (0, *TLS_UP, *posted)
        return cls(seconds, up, (*TLS_DOWN, REPLY_HEAD + RECORD), opening)

    @classmethod
    def least(cls, uplink: str, latency: Latency, payload: int, **sizes: int) -> "Exchange":
        """The least of one session by the uplink of this name. KeyError for an unknown one."""
        kinds = {"mqtt": cls.mqtt, "http": cls.http, "tcp": cls.tcp}
        kinds |= {"mqtts": cls.mqtts, "https": cls.https}
        return kinds[uplink](latency, payload, **sizes)


def _shared(payload: int, most: int, head: int) -> tuple[int, ...]:
    """The sizes of messages with at most so much of a payload each, and a head."""
    full, rest = divmod(payload, most)
    parts = [most] * full + ([rest] if rest or not full else [])
    return tuple(head + part for part in parts)


@dataclass(frozen=True)
class Conditions:
    """Module and network as far as energy depends on them.

    rat -- "lte-m", "nb-iot" or "gsm"; t3324_s -- active time granted, None without PSM
    t3412_s -- periodic tracking-area update, None: deactivated
    edrx -- cycle and paging time window in seconds when granted
    measured -- the network is one that was; rsrp -- in dBm, None: any of the coverage level
    luck -- of the sessions of which the mean is wanted, by coverage level
    honours -- module and network release a connection when they are asked to
    """

    radio: RadioLink
    latency: Latency
    rat: str = "lte-m"
    t3324_s: float | None = None
    t3412_s: float | None = None
    edrx: tuple[float, float] | None = None
    tx_dbm: float = 23.0
    measured: bool = False
    rsrp: int | None = None
    luck: tuple[tuple[Luck, ...], ...] = ()
    honours: bool = False

    @classmethod
    def of(
        cls,
        profile: VirtualProfile,
        rat: str = "lte-m",
        *,
        t3324_s: float | None = None,
        t3412_s: float | None = None,
        edrx: tuple[float, float] | None = None,
    ) -> "Conditions":
        """The conditions of a virtual module; without PSM its network's usual T3412 holds."""
        if t3324_s is None and t3412_s is None:
            t3412_s = profile.grants.usual_t3412_s
        made = cls(profile.radio, profile.latency, rat, t3324_s, t3412_s, edrx)
        measured = profile.network == MEASURED
        return replace(
            made,
            measured=measured,
            rsrp=profile.cell.rsrp_dbm if measured else None,
            honours=profile.grants.release == "honoured",
        )

    @property
    def air(self) -> Air:
        """The figures of the radio access technology."""
        return {"lte-m": self.radio.lte_m, "nb-iot": self.radio.nb_iot, "gsm": self.radio.gsm}[
            self.rat
        ]

    @property
    def link(self) -> Link:
        """For the currents."""
        link = Link(self.rat, self.air.cycle, self.edrx, self.tx_dbm)
        if not self.measured:
            return link
        return replace(link, level=self.radio.coverage, rsrp=self.rsrp, luck=self._luck)

    @property
    def _luck(self) -> tuple[Luck, ...]:
        level = self.radio.coverage
        return (self.luck[level] if level < len(self.luck) else ()) or (Luck(),)

    @property
    def connect_factor(self) -> float:
        """How much longer than usual it takes to get into the network, in the mean."""
        if not self.measured:
            return self.radio.factor
        level, lucks = self.radio.coverage, self._luck
        return sum(connect_factor(level, self.rsrp, luck) for luck in lucks) / len(lucks)

    def at(self, coverage: int, rsrp: int | None = None) -> "Conditions":
        """The same at another coverage level, and RSRP."""
        return replace(self, radio=replace(self.radio, coverage=coverage), rsrp=rsrp)


def charge_uc(phases: Iterable[Phase], module: Profile, link: Link, above: float = 0.0) -> float:
    """Charge of `phases` in microcoulombs, above a floor of `above` amperes."""
    return 1e6 * sum(
        (module_amperes(module, state, link) - above) * seconds for state, seconds in phases
    )


def signalling(conditions: Conditions, seconds: float) -> list[Phase]:
    """A procedure with the core network that takes `seconds` at coverage level 0."""
    sent = conditions.air.tx_share
    total = seconds * conditions.radio.factor
    return [Phase("connected-rx", total * (1 - sent)), Phase("connected-tx", total * sent)]


def tau(conditions: Conditions) -> list[Phase]:
    """A tracking-area update in idle mode (24.301 clause 5.5.3); the network releases at once."""
    return signalling(conditions, conditions.air.tau)


def wake_from_psm(conditions: Conditions) -> list[Phase]:
    """The firmware starts, and the known cell is found again."""
    resync = conditions.air.resync * conditions.radio.factor
    return [Phase("boot", conditions.latency.boot_psm), Phase("search", resync)]


def start_from_off(conditions: Conditions) -> list[Phase]:
    """Boot, SIM, search, attach (manual 3.1)."""
    latency = conditions.latency
    attach = min(conditions.air.attach, latency.registration)
    return [
        Phase("boot", latency.boot),
        Phase("boot" if conditions.measured else "awake", latency.sim_ready),
        Phase("search", (latency.registration - attach) * conditions.connect_factor),
        *signalling(conditions, attach),
    ]


def exchange(conditions: Conditions, what: Exchange) -> list[Phase]:
    """From the connection's set-up to the last byte, in RRC connected mode. Each packet goes as
    often as the network's loss makes necessary on average.
    """
    air, radio = conditions.air, conditions.radio
    times = 1 / (1 - radio.loss)
    factor = radio.factor * times
    slower = radio.uplink_factor * times
    sent = sum(8 * (size + radio.overhead) / air.uplink_bps for size in what.up) * slower
    received = sum(8 * (size + radio.overhead) / air.downlink_bps for size in what.down) * factor
    retries = (times - 1) * (len(what.up) + len(what.down)) * radio.retry
    return [
        *signalling(conditions, air.setup),
        Phase("connected-tx", sent),
        Phase("connected-rx", received),
        Phase("connected-open", what.opening),
        Phase("connected-answer", what.seconds - what.opening),
        Phase("connected-tail", retries + what.line),
    ]


def tail(conditions: Conditions) -> list[Phase]:
    """The connection without traffic, until the network releases it: of its own accord, or
    because it was asked for and honours that, whatever costs less.
    """
    alone = [Phase("connected-tail", conditions.radio.inactivity)]
    if not conditions.honours:
        return alone
    asked = signalling(conditions, conditions.radio.last_word)
    return asked if seconds(asked) < conditions.radio.inactivity else alone


def active_time(conditions: Conditions, hosted: bool = True) -> list[Phase]:
    """Idle until T3324 ends; the processor is awake for the first seconds after its host."""
    active_s = conditions.t3324_s or 0.0
    entry = conditions.latency.psm_entry
    if not hosted:
        return [Phase("idle", active_s + entry)]
    # The processor stays awake from the last AT command, most of it in the connection's tail.
    awake = max(0.0, conditions.latency.at_idle - seconds(tail(conditions)))
    active_s = max(active_s, awake)
    return [Phase("awake", awake), Phase("idle", active_s - awake + entry)]


def switch_off(conditions: Conditions) -> list[Phase]:
    """Detach, and the seconds until the supply is off."""
    detach = conditions.radio.detach * conditions.radio.factor
    rest = max(0.0, conditions.latency.power_off - detach)
    return [*signalling(conditions, conditions.radio.detach), Phase("awake", rest)]


def update_from_psm(conditions: Conditions) -> list[Phase]:
    """T3412 has expired in PSM: wake, update, active time, and back."""
    return [
        *wake_from_psm(conditions),
        *tau(conditions),
        *active_time(conditions, hosted=False),
    ]


def report_from_psm(conditions: Conditions, what: Exchange) -> list[Phase]:
    """One whole session out of PSM and back."""
    return [
        *wake_from_psm(conditions),
        *exchange(conditions, what),
        *tail(conditions),
        *active_time(conditions),
    ]


def seconds(phases: Iterable[Phase]) -> float:
    """How long `phases` take."""
    return sum(phase.seconds for phase in phases)


def mean_amperes(
    phases: Iterable[Phase], module: Profile, link: Link, period_s: float, asleep: str = "psm"
) -> float:
    """Mean current of a module that goes through `phases` once in every `period_s` seconds and is
    in the state `asleep` for the rest, in amperes. ValueError when they take longer than that.
    """
    once = list(phases)
    rest = period_s - seconds(once)
    if rest < 0:
        raise ValueError(f"phases of {seconds(once):g} s every {period_s:g} s")
    return charge_uc([*once, Phase(asleep, rest)], module, link) * 1e-6 / period_s
