"""Why a network refuses a node, and what helps then. Loaded once one has refused.

found = causes.of(error)      # Cause, None where nothing is known
"""

from collections import namedtuple

from micropython import const

from . import at, dialect

WAIT = "wait"  # a timer runs, which a module that restarts or tries too early may begin anew
FINAL = "final"  # for this SIM or this module: no other try ends otherwise
ELSEWHERE = "elsewhere"  # another network, or another place, may take the node

# domain -- EMM: of a registration, ESM: of a context; number -- of the cause
# help -- WAIT, FINAL or ELSEWHERE; wait_s -- of the timer, 0: none
# do -- what a person can do; clause -- of TS 24.301; words -- for the cause
Cause = namedtuple("Cause", ("domain", "number", "help", "wait_s", "do", "clause", "words"))

# EMM's causes (24.301 9.9.3.9) are GMM's (24.008 10.5.5.14), where the clause is 4.7.3.1.4 for
# 5.5.1.2.5 and 4.7.3.1.5 for 5.5.1.2.6; ESM's (24.301 9.9.4.4) are SM's (24.008 10.5.6.6), with
# 6.1.3.1.3. A row: domain, what helps, the timer's seconds or what a person can do, the clause,
# causes. The timer is T3402 (24.301 10.2), T3346 (the longest of its range), T3396, as long as it
# is where the network has not set it: no module tells what it has set.
_CAUSES = """\
EMM|final|enable this SIM|5.5.1.2.5|3 illegal UE|7 EPS services not allowed|8 no services allowed
EMM|final|accept this IMEI|5.5.1.2.5|5 IMEI not accepted|6 illegal ME
EMM|elsewhere||5.5.1.2.5|11 PLMN not allowed|12 area not allowed|13 roaming not allowed here|\
14 EPS not allowed here|15 no suitable cells|25 not in this CSG|35 service not authorized here|\
42 severe network failure
EMM|wait|1800|5.3.7a|22 congestion
EMM|wait|720|5.5.1.2.6|2 IMSI unknown|16 MSC not reachable|17 network failure|18 no CS domain|\
19 ESM failure|95 incorrect message|96 wrong information|97 unknown message|\
99 unknown element|111 protocol error
ESM|wait|720|6.5.1.4.2|26 insufficient resources
ESM|wait|720|6.5.1.4.3|8 barred by the operator|27 missing or unknown APN|29 login failed|\
30 rejected by the gateway|31 rejected|32 service not supported|33 service not subscribed|\
34 service out of order|38 network failure
"""

_DENIED = const(3)  # <stat>: what else it may tell is of an earlier try
# +CME ERROR (27.007 9.2.2) is 100 more than the cause, but for some of ESM.
_ODD = {149: 29, 177: 8, 190: 38}


def find(domain: str, number: int | None) -> Cause | None:
    """The row of a cause."""
    wanted = "%s " % number
    for row in _CAUSES.split("\n"):
        cells = row.split("|")
        for cell in cells[4:]:
            if cells[0] == domain and cell.startswith(wanted):
                help, more, clause = cells[1:4]
                wait_s, do = (int(more), "") if help == WAIT else (0, more)
                words = cell[len(wanted) :]
                return Cause(domain, number, help, wait_s, do, "24.301 " + clause, words)
    return None


def of(error) -> Cause | None:
    """What a network has said with an error: it has refused a registration, or a context."""
    if isinstance(error, at.RegistrationDenied):
        return find("EMM", error.cause)
    if isinstance(error, at.CmsError) or not isinstance(error, at.CmeError):
        return None
    code = error.code or 0
    number = _ODD.get(code, code - 100)
    return find("ESM" if number > 25 or code in _ODD else "EMM", number if number < 39 else None)


def is_settled(error) -> bool:
    """Whether no other network would take the module, now or ever."""
    found = of(error)
    return found is not None and found.help != ELSEWHERE


async def denial(modem) -> at.C1100Error:
    """The RegistrationDenied of a registration that is refused, with its cause."""
    number = await _ask(modem)
    text = "the network refuses this SIM: check subscription, roaming and APN"
    if number is not None:
        found = find("EMM", number)
        text += " (EMM cause %d%s)" % (number, "" if found is None else ", " + found.words)
    error = at.RegistrationDenied(text)
    error.cause = number
    return error


async def _ask(modem) -> int | None:
    """The cause for which the module is not registered; None where it tells none, or one that is
    of its manufacturer's own.
    """
    for report, mode, state, place in (  # of <cause_type>: 27.007 10.1.22, 10.1.20
        (dialect.EPS_REPORT, 5, dialect.EPS_STATE, 5),
        (dialect.GPRS_REPORT, 3, dialect.GPRS_STATE, 6),
    ):
        try:
            await modem._channel.run(report, mode)
            told = await modem._channel.ask(state)
        except (at.CommandError, at.BadAnswer, at.Timeout):
            continue
        kind, number = (told + [None] * 8)[place : place + 2]
        if told[1] == _DENIED and kind in (None, 0) and isinstance(number, int):
            return number
    return None
