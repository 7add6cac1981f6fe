"""The model's figure for a published case: from `tools.power.model`, currents, account, battery.

    value(Spec("energy", module="nrf9160", event="tau", rat="lte-m"))      # in joules

Nothing is computed here that the model could not do for a node: a publication's conditions become
`Conditions`, its event phases of the model, its battery life that of `battery.life_years`.
"""

import functools
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace

from tools.power import model
from tools.power.account import Account, Interval
from tools.power.battery import life_years
from tools.power.currents import module_amperes
from tools.power.model import Conditions, Exchange, Phase
from tools.power.profiles import Profile, load
from tools.virtual_c1100 import Profile as VirtualProfile
from tools.virtual_c1100 import measured
from tools.virtual_c1100.air import RadioLink
from tools.virtual_c1100.measured import Luck
from tools.virtual_c1100.pdp import CALL_SIZE
from tools.virtual_c1100.profile import NO_RSSI, Cell, Latency

DAY_S = 86400.0
AIRS = {"lte-m": "lte_m", "nb-iot": "nb_iot", "gsm": "gsm"}


@dataclass(frozen=True)
class Spec:
    """What to compute, and under which conditions. Seconds, bytes, and the units in the names.

    figure -- energy of an event in J, of the median session too, or its time in s; current of a
        state, or mean of several by share, in A; life of a battery in years, from the model's
        reports, or by a given event (drain); interval in hours between given events with which a
        battery lasts a year
    event -- tau, wake-tau, exchange, report, registration, paging, sending or tail
    lasts_s -- how long the event took as a whole
    up, down -- bytes of its packets, without headers
    period_s -- from report to report, 0: none
    setup_s, resync_s -- of the technology, where the publication or a calibration gives another
    network -- of the virtual module; in the measured one a session has luck, and rsrp may be known
    """

    figure: str
    module: str = ""
    battery: str = ""
    event: str = ""
    lasts_s: float = 0.0
    up: tuple[int, ...] = ()
    down: tuple[int, ...] = ()
    period_s: float = DAY_S
    state: str = ""
    shares: tuple[tuple[str, float], ...] = ()
    rat: str = "nb-iot"
    coverage: int = 0
    tx_dbm: float = 23.0
    drx_s: float | None = None
    edrx: tuple[float, float] | None = None
    t3324_s: float = 0.0
    inactivity_s: float = 0.0
    setup_s: float | None = None
    resync_s: float | None = None
    event_ma: float = 0.0
    event_uwh: float = 0.0
    floor_ua: float = 0.0
    network: str = "assumed"
    rsrp: int | None = None


def value(spec: Spec) -> float:
    """The model's figure: in joules, amperes, years or hours. ValueError for what does not fit."""
    if spec.figure not in FIGURES:
        raise ValueError(f"figure {spec.figure!r} is none of {', '.join(FIGURES)}")
    return FIGURES[spec.figure](spec)


def conditions(spec: Spec) -> Conditions:
    """The network of a publication. Its clock starts with the radio, or with what it says of a
    boot: the C1100's own times are not in it. Nobody asked for the release of a connection.
    """
    given = {"setup": spec.setup_s, "resync": spec.resync_s, "cycle": spec.drx_s}
    changed = {name: seconds for name, seconds in given.items() if seconds is not None}
    radio = RadioLink(coverage=spec.coverage, inactivity=spec.inactivity_s)
    name = AIRS[spec.rat]
    if spec.network == measured.NAME:
        profile = measured.applied(
            VirtualProfile(radio=radio, cell=Cell(rssi=NO_RSSI, rsrp=spec.rsrp))
        )
        return replace(Conditions.of(profile, spec.rat), honours=False)
    radio = replace(radio, **{name: replace(getattr(radio, name), **changed)})
    latency = replace(Latency(), boot=0, boot_psm=0, sim_ready=0, psm_entry=0, at_idle=0)
    return Conditions(radio, latency, spec.rat, spec.t3324_s, None, spec.edrx, spec.tx_dbm)


# Events ----------------------------------------------------------------------------------------


def _tau(spec: Spec, found: Conditions) -> list[Phase]:
    if spec.lasts_s:
        return model.signalling(found, spec.lasts_s)
    return model.tau(found)


def _wake_tau(spec: Spec, found: Conditions) -> list[Phase]:
    """What the stated time leaves beside resynchronisation and update is the start."""
    rest = spec.lasts_s - model.seconds(model.update_from_psm(found))
    latency = replace(found.latency, boot_psm=max(0.0, rest))
    return model.update_from_psm(replace(found, latency=latency))


def _talk(
    build: Callable[[Conditions, Exchange], list[Phase]], spec: Spec, found: Conditions
) -> list[Phase]:
    """What the stated time leaves beside signalling, air time and tail is waiting for answers."""
    least = model.seconds(build(found, Exchange(0, spec.up, spec.down)))
    return build(found, Exchange(max(0.0, spec.lasts_s - least), spec.up, spec.down))


def _registration(spec: Spec, found: Conditions) -> list[Phase]:
    latency = replace(found.latency, registration=spec.lasts_s)
    return model.start_from_off(replace(found, latency=latency))


EVENTS: dict[str, Callable[[Spec, Conditions], list[Phase]]] = {
    "tau": _tau,
    "wake-tau": _wake_tau,
    "exchange": functools.partial(_talk, model.exchange),
    "report": functools.partial(_talk, model.report_from_psm),
    "registration": _registration,
    "paging": lambda spec, found: [Phase("connected-rx", spec.lasts_s)],
    "sending": lambda spec, found: [Phase("connected-tx", spec.lasts_s)],
    "tail": lambda spec, found: model.tail(found),
    # The phases of a session that was measured apart from each other
    "boot": lambda spec, found: model.start_from_off(found)[:2],
    "connect": lambda spec, found: model.start_from_off(found)[2:],
    "context": lambda spec, found: _opened(found),
    "packet": lambda spec, found: _connected(found, "connected-answer", PACKET_S, SMALL),
    "session": lambda spec, found: [
        *model.start_from_off(found), *_opened(found),
        *_connected(found, "connected-answer", PACKET_S, SMALL), *model.tail(found),
    ],
    "datagram": lambda spec, found: model.exchange(found, Exchange(0.0, spec.up, ())),
}  # fmt: skip
PACKET_S = 3.8  # as long as the program that was measured gives it
SMALL = 16  # bytes of a packet whose size is not told


def _opened(found: Conditions) -> list[Phase]:
    return _connected(
        found, "connected-open", found.latency.pdp + found.latency.connect, CALL_SIZE
    )


def _connected(found: Conditions, state: str, lasts_s: float, size: int) -> list[Phase]:
    """A phase of the connection, and what it sends."""
    sent_s = 8 * (size + found.radio.overhead) / found.air.uplink_bps * found.radio.uplink_factor
    return [Phase("connected-tx", sent_s), Phase(state, lasts_s - sent_s)]


def _phases(spec: Spec) -> tuple[Conditions, list[Phase]]:
    if spec.event not in EVENTS:
        raise ValueError(f"event {spec.event!r} is none of {', '.join(EVENTS)}")
    found = conditions(spec)
    return found, EVENTS[spec.event](spec, found)


# Figures ---------------------------------------------------------------------------------------


def _energy(spec: Spec) -> float:
    module = load(spec.module, "module")
    found, phases = _phases(spec)
    return model.charge_uc(phases, module, found.link) * 1e-6 * module.figures["supply"].value


SESSIONS = 400  # of which median and spread are made


@functools.lru_cache
def _sessions(spec: Spec) -> list[float]:
    """The energies, or times, of sessions with luck of their own, in ascending order."""
    numbers, usual = random.Random(1), conditions(spec)
    module = load(spec.module, "module") if spec.figure == "session-energy" else None
    found = []
    for _ in range(SESSIONS):
        luck = Luck(*(numbers.random() for _ in Luck._fields))
        met = replace(usual, luck=((luck,),) * (spec.coverage + 1))
        phases = EVENTS[spec.event](spec, met)
        if module is None:
            found.append(model.seconds(phases))
        else:
            uc = model.charge_uc(phases, module, met.link)
            found.append(uc * 1e-6 * module.figures["supply"].value)
    return sorted(found)


def _median(spec: Spec) -> float:
    return statistics.median(_sessions(spec))


def spread(spec: Spec) -> tuple[float, float] | None:
    """What 10 % of the model's sessions do not reach, and 10 % exceed; None for what has none."""
    if not spec.figure.startswith("session"):
        return None
    found = _sessions(spec)
    return found[SESSIONS // 10], found[-SESSIONS // 10]


def _current(spec: Spec) -> float:
    module, link = load(spec.module, "module"), conditions(spec).link
    shares = spec.shares or ((spec.state, 1.0),)
    return sum(module_amperes(module, state, link) * share for state, share in shares)


def _life(spec: Spec) -> float:
    module, battery = load(spec.module, "module"), load(spec.battery, "battery")
    found, phases = _phases(spec) if spec.period_s else (conditions(spec), [])
    amperes = model.mean_amperes(phases, module, found.link, spec.period_s or DAY_S)
    # The cell gives energy: a converter without loss between its voltage and the module's.
    cell = amperes * module.figures["supply"].value / battery.figures["voltage"].value
    return life_years(battery, 1000 * cell * 24)


def _drain(spec: Spec) -> float:
    battery = load(spec.battery, "battery")
    return life_years(battery, _mah_per_day(spec, battery))


def _interval(spec: Spec) -> float:
    battery = load(spec.battery, "battery")
    short, long = 1e-3, 1e9  # seconds
    for _ in range(100):
        period = (short * long) ** 0.5
        daily = _mah_per_day(replace(spec, period_s=period), battery)
        short, long = (period, long) if life_years(battery, daily) < 1 else (short, period)
    return long / 3600


def _mah_per_day(spec: Spec, battery: Profile) -> float:
    """A published event once in a period, on top of a published floor."""
    amperes = spec.event_ma * 1e-3
    if spec.event_uwh:
        joules = spec.event_uwh * 3.6e-3
        amperes = joules / battery.figures["voltage"].value / spec.lasts_s
    period_us, lasts_us = round(spec.period_s * 1e6), round(spec.lasts_s * 1e6)
    floor = Interval("board", 0, period_us, "floor", "", round(spec.floor_ua * 1e3), 1)
    event = Interval("module", 0, lasts_us, "event", "", round(amperes * 1e9), 1)
    return Account.of([floor, event]).mah_per_day(period_us)


FIGURES: dict[str, Callable[[Spec], float]] = {
    "energy": _energy,
    "session-energy": _median,
    "session-time": _median,
    "current": _current,
    "life": _life,
    "drain": _drain,
    "interval": _interval,
}
