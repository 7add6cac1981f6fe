"""What is seldom asked of a module: methods of C1100, loaded when first called."""

from collections import namedtuple

from micropython import const

from . import at, dialect
from .registration import Registration, domains

_HINTS = const(0)  # for those who check types: a board compiles none of it
if _HINTS:
    from collections.abc import Callable

    from .variants import Variant

# name as text or as the five or six digits of the PLMN; act: TS 27.007 7.3 <AcT>, None if unknown
Operator = namedtuple("Operator", ("name", "act"))

_NO_SERVICE = (30, 31, 32)  # +CME ERROR of a module that has no network to tell of


async def command(modem, command: str, wait: float = 10) -> list:
    """Send any command, such as ``+CSQ``, and return the lines of its information response.

    command -- what follows AT, one line of printable ASCII
    wait    -- seconds until Timeout

    Raises BadArgument, Timeout, CommandError, CmeError, CmsError, Rebooted.
    """
    return await modem._channel.raw(command, wait)


def off(modem, name: str, callback: "Callable[[list], object]") -> None:
    """Undo on()."""
    modem._channel.off(name, callback)


async def operator(modem) -> Operator | None:
    """The operator that the module is registered with, None without one (manual 3.1)."""
    try:
        name, act = (await modem._channel.ask(dialect.OPERATOR))[2:4]
    except at.CmeError as error:
        if error.code not in _NO_SERVICE:
            raise
        return None
    return None if name is None else Operator(name, act)


async def registration(modem) -> Registration:
    """Registration in the EPS domain, or in the GPRS domain if only that one has it."""
    found, error = await domains(modem._channel)
    if error is not None and not found:
        raise error
    best = found[0]
    for other in found[1:]:
        # EPS tells more: it is the answer unless GPRS has got further.
        if other.registered or (other.searching and not best.searching):
            best = other
    return best


async def imei(modem) -> str:
    """The module's 15-digit serial number (TS 27.007 5.4)."""
    return (await modem._channel.ask(dialect.IMEI))[0]


async def variant(modem) -> "Variant":
    """Which of the four variants this is (manual, cover); see variants.Variant.

    Raises NotSupported when the module names none of them.
    """
    from .variants import ask

    return await ask(modem._channel)
