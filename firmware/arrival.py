"""Into the network: what a session does before it has something to deliver to. Loaded then, and
gone while it delivers.
"""

import time

from micropython import const

from c1100 import C1100Error, at, dialect, timers

from . import log, unload
from .state import MODULE, WAITS

_ASK_AGAIN_S = const(86400)  # a network that has refused PSM is asked again
_RESTLESS = const(4)
_UPDATE_S = const(60)  # about a tracking-area update the module may be awake
_EARLY = 0.6  # of an attach, as they take here: nine of ten take longer
_NB_IOT = const(9)  # AcT of +CEREG (27.007 7.29)
# Attaches that are known before what one more says can wait for the session's end: the scheduler
# is loaded for it, while there is a connection.
_SURE = const(3)


async def start(session) -> None:
    await session.modem.power_on()
    session._answers = True
    if MODULE[session._node.state.module] == "psm":
        _note_rest(session)


async def locate(session) -> None:
    """A position, before the module attaches: one that has just started keeps its radio off
    meanwhile, else it would attach, and wait connected while the receiver searches.
    """
    if session._was_off and not session.modem.was_awake:
        try:
            await session.modem.radio(False, sim=True)
            session._flies = True
        except C1100Error as error:
            log.warning("no flight mode: %s", error)
    node = session._node
    found = await node.sample(("position",))
    node.samples += found
    if node.settings["fences"] or node.settings["position.moved_m"]:
        from .own import wake

        wake.located(node, found, "report" in session._names)
    node.ran("position")  # the module is not needed for it any more


async def attach(session) -> None:
    """Bring the module into the network. A PIN that was refused once is never sent again."""
    node = session._node
    settings = node.settings
    if not session._answers:
        await session.modem.power_on()
    session._answers = False  # should this fail, it is asked again
    if session._flies:
        await session.modem.radio(True)
        session._flies = False
    if _wants_psm(session):
        await _ask_for_psm(session)
    elif not session.modem.can_wake:  # whoever had the module before may have asked for it
        await session.modem.keeps(dialect.PSM_OFF)
    if MODULE[node.state.module] == WAITS:
        from . import backoff

        await backoff.attach_again(session.modem)
    pin = guard = None
    if settings["pin"]:
        from . import pin_guard as guard

        pin = guard.allowed(settings["pin"], node.state)
    begin = session.modem.patience.mark()
    if session._was_off:
        since_s = (time.time_ns() - session._began) / 1000000000
        early_s = session._usual_s * _EARLY - since_s
        session.modem.patience.early_ms = int(early_s * 1000)
    try:
        found = await session.modem.attach(
            pin, settings["apn"] or None, settings["register_s"], not session._was_off
        )
    except C1100Error as error:
        if guard is not None and isinstance(error, at.PinRefused):
            guard.refuse(settings["pin"], node.state)
        elif guard is not None and error.command == dialect.PIN_ENTER.send:
            guard.doubt(settings["pin"], node.state)
        from . import backoff

        limit_ms = settings["register_s"] * 1000
        found = await backoff.elsewhere(session.modem, error, begin, limit_ms)
    if guard is not None and pin is not None:
        guard.accept(pin)
    if session._asked_psm and session.modem.power.is_as_asked(found):
        session._granted = session.modem.power.requested
    session._act = found.act
    log.info("registered %s", "roaming" if found.roaming else "home")
    # What has made commands fail may have damaged what was taken for good.
    session.modem.careful = bool(session._ladder.events)
    if session._was_off and not (
        session.modem.was_registered or "position" in session._names or session._ladder.events
    ):
        # Not by ticks: on an STM32 they stand still while it dozes.
        session._attach_s = (time.time_ns() - session._began) / 1000000000
    await _ask_for_edrx(session, found)


async def measure(session) -> None:
    """What only a module in the network knows: signal, time."""
    node = session._node
    signal = await node.sample(("link",))
    unload("sensors.link")
    # Out of PSM it is in the network and not connected: that shows nothing, see Delivery.
    attached = session._was_off and not session.modem.was_registered
    if attached and node.settings["battery.kind"] != "none":
        from . import battery

        node.samples += battery.loaded(node)
    if session._attach_s and node.state.connects < _SURE:
        _note_attach(session)
        if not session._asked_psm and _wants_psm(session):
            await _ask_for_psm(session)  # it knows only now
    if node.samples:  # no record for that alone
        node.samples += signal
    step = await session._delivery[0].set_clock()
    if node.samples and step:
        node.samples.append(("clock_step", "s", step))


def _note_rest(session) -> None:
    """A network may grant PSM and a module never enter it, which costs more than any other
    way to spend the time. Found awake so many times in a row, it counts as refused.
    """
    state = session._node.state
    if not session.modem.was_awake:
        state.restless = 0
        return
    if state.tau and state.psm_tau:
        since_s = (session._node.now() - state.tau + _UPDATE_S) % state.psm_tau
        if since_s < 2 * _UPDATE_S + state.psm_active:
            return  # it is awake for its update
    state.restless += 1
    if state.restless >= _RESTLESS:
        log.warning("psm is granted and never entered")
        state.restless = state.psm_active = 0
        state.psm_asked = session._node.now()


def _wants_psm(session) -> bool:
    """Whether PSM would be the cheapest if the network granted what is configured."""
    node = session._node
    state = node.state
    if not session.modem.can_wake:
        return False
    refused = state.psm_asked and not state.psm_active
    if refused and abs(node.now() - state.psm_asked) < _ASK_AGAIN_S:
        return False
    return session._preferred == "psm"


async def _ask_for_psm(session) -> None:
    """Before registering, so that the network answers with its acceptance (manual 3.8.1)."""
    settings = session._node.settings
    try:
        await session.modem.power.ask_psm(settings["sleep.tau_s"], settings["sleep.active_s"])
        session._asked_psm = True
    except C1100Error as error:
        log.warning("no psm: %s", error)


async def _ask_for_edrx(session, found) -> None:
    node = session._node
    cycle_s = session._cycle_s
    if not cycle_s or node.state.edrx:
        return
    rat = timers.NB_S1 if found.act == _NB_IOT else timers.WB_S1
    try:
        granted = await session.modem.power.edrx(cycle_s, rat)
    except C1100Error as error:
        log.warning("no edrx: %s", error)
        return
    node.state.edrx = int(granted.cycle_s) if granted else 0


def _note_attach(session) -> None:
    from . import jobs

    node = session._node
    jobs.attached(node.state, node.settings, session._attach_s)
    session._is_noted = True
    session._preferred = jobs.preferred(node.scheduler, node.state, node.settings, session._tail_s)
    node.rest()
