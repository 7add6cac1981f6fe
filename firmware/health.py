"""The health record: once in ``health.period_s`` and after each restart, with what tally.py has
noted since, and what the node knows of itself. Loaded when one is due.
"""

import json

from micropython import const

from c1100 import C1100Error

from . import energy, files, log, tally, telemetry
from .state import MODULE

_CAUSES = ("power", "reset", "watchdog", "soft", "unknown", "deepsleep", "crash")
# Of errors that end a session, by what is to blame; what is not here is the module's.
_BLAMED = {
    "NotRegistered": "network",
    "RegistrationDenied": "network",
    "SimError": "sim",
    "PinRefused": "sim",
    "Refused": "refused",
    "Unfit": "refused",
    "BadArgument": "refused",
}
BLAMED = ("network", "sim", "refused", "module")
_RATS = {0: "GSM", 3: "EGPRS", 7: "LTE-M", 9: "NB-IoT"}  # AcT of +CEREG (27.007 7.29)
_WAKE_S = 0.3  # that a board computes in a wake without the module
_DAY_S = const(86400)
_WEEK_S = const(7 * 86400)
_MC_PER_MAH = 3600


def _new() -> dict:
    return {
        "began": 0,  # clock: the last restart
        "since": 0,  # and the last health record, with the wakes of then
        "wakes": 0,
        "starts": 0,
        "restarts": {},
        "failed": {},
        "connect": 0,  # s / 10, the last
        "worst": 0,
        "sessions": 0,  # since the last record, as all below
        "on": 0,  # s that the module was, in sessions
        "attach": 0,  # s / 10 of them until it was registered
        "sent": 0,
        "received": 0,
        "refused": 0,
        "waiting": 0,
        "writes": 0,
        "seq": 0,
        "volts": [],  # [clock, mV at rest] of some days
    }


_COUNTS = ("sessions", "on", "attach", "worst", "sent", "received", "refused", "waiting", "writes")


def counted() -> dict:
    """What all lines together say. Damaged ones count for nothing."""
    found = _new()
    for line in tally.read().split(b"\n"):
        try:
            kind, rest = line[:2], line[2:]
            if kind == b"H ":
                _take(found, json.loads(rest[rest.index(b" ") :]))
            elif kind == b"R ":
                cause, clock = rest.decode().split()
                cause = cause if cause in _CAUSES else "unknown"
                found["began"] = int(clock)
                found["restarts"][cause] = found["restarts"].get(cause, 0) + 1
            elif kind == b"T ":
                _shift(found, int(rest))
            elif kind == b"S ":
                _session(found, rest.decode().split())
        except (ValueError, TypeError, AttributeError):
            continue
    return found


def _take(found: dict, kept: dict) -> None:
    for name, value in kept.items():
        if type(found.get(name)) is type(value) and _is_whole(value):
            found[name] = value


def _is_whole(value) -> bool:
    """Whether what is in it is what was put there, as far as types go."""
    if isinstance(value, dict):
        return all(isinstance(each, int) for each in value.values())
    if isinstance(value, list):  # pairs of a time and a voltage
        return all(type(each) is list and list(map(type, each)) == [int, int] for each in value)
    return True


def _shift(found: dict, step: int) -> None:
    for name in ("began", "since"):
        if found[name]:
            found[name] += step
    for each in found["volts"]:
        each[0] += step


def _session(found: dict, words: list) -> None:
    error = words[0]
    values = [int(word) for word in words[1:]]
    connect, lasted, sent, received, refused, waiting, writes, seq, rest_mv, _ = values
    if error != "-":
        cause = _BLAMED.get(error, "module")
        found["failed"][cause] = found["failed"].get(cause, 0) + 1
    found["sessions"] += 1
    found["on"] += lasted
    found["attach"] += connect
    found["connect"] = connect or found["connect"]
    found["worst"] = max(found["worst"], connect)
    found["sent"] += sent
    found["received"] += received
    found["refused"] += refused
    found["waiting"] = max(found["waiting"], waiting)
    # A record that is made in a wake without session is written, and so is the mark of the next.
    others = max(seq - found["seq"] - 1, 0) if found["seq"] else 0
    found["writes"] += writes + 2 * others
    found["seq"] = seq
    found["rest_mv"] = rest_mv


def shorten() -> None:
    """Make one line of all; what is due stays so."""
    _write(tally.due(tally.read()), counted())


def _write(due, found: dict) -> None:
    found.pop("rest_mv", None)
    try:
        files.replace(tally.FILE, ("H %s %s\n" % (due, json.dumps(found))).encode())
    except OSError as error:
        log.tell("%s cannot be written: %s", tally.FILE, error)


async def keep(node, act: int | None) -> None:
    """Make the record, and begin to count anew. act -- AcT of the network, None: not known"""
    now = node.now()
    found = counted()
    state = node.state
    found["began"] = found["began"] or now
    wakes = state.wakes - (found["wakes"] if found["starts"] == state.starts else 0)
    charge = charged(node, found, wakes, now)
    _note_volts(found, node, now)
    if not node.keep(samples(node, found, now) + await _link(node, act) + charge):
        return
    for name in _COUNTS:
        found[name] = 0
    found["since"], found["wakes"], found["starts"] = now, state.wakes, state.starts
    found["seq"] = node.outbox.next
    _write(node.begin_s + node.settings["health.period_s"], found)


def samples(node, found: dict, now: int) -> list:
    """What is counted."""
    state = node.state
    box = node.outbox
    made = [
        ("uptime", "s", max(now - found["began"], 0)),
        ("wakes", None, state.wakes),
        ("connect", "s", found["connect"] / 10 if found["connect"] else None),
        ("connect_worst", "s", found["worst"] / 10 if found["worst"] else None),
        ("psm_tau", "s", state.psm_tau or None),
        ("psm_active", "s", state.psm_active - 1 if state.psm_active else None),
        ("edrx", "s", state.edrx or None),
        ("sent", "B", found["sent"]),
        ("received", "B", found["received"]),
        ("refused", None, found["refused"]),
        ("backlog_most", None, max(found["waiting"], len(box))),
        ("dropped", None, box.dropped),
        ("flash_writes", None, found["writes"]),
        ("battery_drop", "V", _drop(found, now)),
        ("battery_level", None, _level(state.level)),
    ]
    for kind, names in (("restarts", _CAUSES), ("failed", BLAMED)):
        of = found[kind]
        made += [(kind + "_" + name, None, of[name]) for name in names if name in of]
    return made


def _level(level: int) -> str | None:
    if not level:
        return None  # it is not watched, or not known yet
    from . import battery

    return battery.LEVELS[level]


async def _link(node, act: int | None) -> list:
    """What the module knows of its cell; whatever of it this driver tells."""
    made = []
    try:
        if act is None:
            operator = await node.modem.operator()
            act = None if operator is None else operator.act
        if act is not None:
            made.append(("rat", None, _RATS.get(act) or "act %s" % act))
    except C1100Error as error:
        log.warning("nothing of the network: %s", error)
    if node.state.signal > 0:  # the module tells more of its cell
        from c1100.cell import read

        found = await read(node.modem)
        made += [("rsrp", "dBm", found[0]), ("band", None, found[4])]
        del read
        node.modem.forget("cell")
    return made


def charged(node, found: dict, wakes: int, now: int) -> list:
    """What the node has used since the last record, by its own account of its states and the
    figures of energy.py: an estimate.
    """
    elapsed = now - found["since"]
    if not found["since"] or elapsed <= 0:
        return []
    module, board = energy.profile()
    on, attach = found["on"], min(found["attach"] // 10, found["on"])
    mc = wakes * board.boot_mc + board.active_ua * (on + wakes * _WAKE_S) / 1000
    mc += board.deep_ua * elapsed / 1000
    mc += (module.search_ua * attach + module.tail_ua * (on - attach)) / 1000
    way = MODULE[node.state.module]
    if way == energy.PSM or way == energy.IDLE or way == energy.EDRX:
        each = module.tail_ua * node.settings["sleep.release_s"] / 1000 + module.wake_mc
        rest = {energy.PSM: module.psm_ua, energy.EDRX: module.edrx_ua}.get(way, module.idle_ua)
    else:
        each, rest = module.boot_mc + module.stop_mc, module.off_ua
    mc += found["sessions"] * each + rest * elapsed / 1000
    uah = mc * 1000 // _MC_PER_MAH
    return [
        ("charge", "Ah", telemetry.Fixed(int(uah), 6)),
        ("charge_day", "Ah", telemetry.Fixed(int(uah * _DAY_S // elapsed), 6)),
    ]


def _note_volts(found: dict, node, now: int) -> None:
    """Keep the battery's voltage at rest, once a day, for a week."""
    if node.rest_v:
        kept = [each for each in found["volts"] if 0 <= now - each[0] <= _WEEK_S + _DAY_S // 2]
        if not kept or now - kept[-1][0] >= _DAY_S // 2:
            kept.append([now, int(node.rest_v * 1000)])
        found["volts"] = kept[-9:]


def _drop(found: dict, now: int) -> float | None:
    """By how many volts a battery falls in a week, from what was measured within one: a day of it
    at the least.
    """
    volts = found["volts"]
    if len(volts) < 2 or volts[-1][0] - volts[0][0] < _DAY_S:
        return None
    fell = (volts[0][1] - volts[-1][1]) / 1000
    return round(fell * _WEEK_S / (volts[-1][0] - volts[0][0]), 3)
