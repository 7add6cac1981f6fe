"""Out of a session by the cheapest way: what the module is left in, and how its connection ends.
Loaded once all is delivered.
"""

import asyncio

from micropython import const

from . import log, unload
from .state import MODULE

_DEAD = const(4)  # battery.DEAD


async def settle(session) -> bool:
    """Leave the module in the state that costs least until it is needed again."""
    node = session._node
    state = node.state
    if session.modem.asleep and not node.restart_ms:  # already: it may stay so
        state.module = MODULE.index("psm")
        state.tau = 0
        return True
    await _learn_grant(session)
    tail_s = session._tail_s
    # As it was left before it mostly will be again: its connection ends before the plan is loaded.
    how = _cheapest(session, tail_s) if session._was_off or _ends(session) else ""
    if how != "off" and "report" in session._names:
        node.rest()
        await asyncio.sleep_ms(0)  # the watchdog's turn, before more code is loaded
        tail_s = await _end_connection(session)
        unload("release")
        session.modem.power.forget("release")
        session.modem.forget("asking")
        await asyncio.sleep_ms(0)
        if tail_s:
            how = ""
    how = how or _cheapest(session, tail_s)
    log.info("module %s", how)
    if how == "off":
        return False
    state.module = MODULE.index(how)
    # T3412 begins when the network releases the connection.
    since_s = node.now() + int(tail_s)
    state.tau = since_s + state.psm_tau if how == "psm" and state.psm_tau else 0
    session.modem.rest()
    return True


async def forgets(session) -> bool:
    """Whether the module will have lost its connections before it is used again, as far as
    that is known without the scheduler. Raises C1100Error.
    """
    await _learn_grant(session)
    if session._preferred == "off":
        return session._key
    # One that is awake for longer keeps them with pings, and with them stays awake for ever.
    settings, state = session._node.settings, session._node.state
    awake_s = session._lingers_s + state.psm_active
    return (
        session._preferred == "psm"
        and state.psm_active > 0
        and awake_s <= settings["mqtt.keepalive_s"]
    )


async def _learn_grant(session) -> None:
    """What has come of asking for PSM. Raises C1100Error."""
    if not session._asked_psm:
        return
    state = session._node.state
    granted = session._granted or await session.modem.power.granted()
    session._asked_psm = False
    state.psm_asked = session._node.now()
    state.psm_active = 0 if granted is None else int(granted.active_s) + 1
    state.psm_tau = 0 if granted is None else int(granted.tau_s or 0)
    log.info("psm %s", "refused" if granted is None else "granted %s %s" % tuple(granted))


def _ends(session) -> bool:
    """Whether the module is to be off, whatever it costs."""
    node = session._node
    is_dead = node.state.level == _DEAD and node.settings["battery.kind"] != "none"
    return bool(node.restart_ms or session._flies or is_dead)


def _cheapest(session, tail_s: float) -> str:
    """How the module is left. tail_s -- until its connection is released"""
    node = session._node
    state = node.state
    if _ends(session):
        return "off"
    if session._waited is not None and "report" in session._names:
        from . import coverage

        coverage.told(state, node.settings, session._waited)
        session._waited = None
    from . import jobs

    if session._attach_s and not session._is_noted:
        session._is_noted = True
        jobs.attached(state, node.settings, session._attach_s)
    made = node.scheduler
    made.network = jobs.network(state, node.settings, tail_s)
    return jobs.sleep(node, not session._was_off or session.modem.was_registered)


async def _end_connection(session) -> float:
    """Cut off its tail. Returns for how many seconds there still is one."""
    from .release import Release

    tail = Release(session._node, session.modem, session._last)
    await tail.look()
    return 0 if await tail.end() else tail.own_s
