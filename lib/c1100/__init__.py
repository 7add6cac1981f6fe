"""Driver for the LongSung C1100 NB-IoT / Cat-M1 / EGPRS + GNSS module.

    modem = C1100(machine.UART(1, 115200, timeout=0, rxbuf=2048), pwrkey=Signal(...))
    await modem.start(apn="CMNET")
    mqtt = modem.mqtt("node-1", "broker.example")
    await mqtt.connect()
    await mqtt.publish("greeting", "hello")

What a node does not use is not loaded: each feature's module is imported when it is first asked
for.
"""

__version__ = "0.1.0"

from micropython import const

from . import at
from .at import (
    BadAnswer,
    BadArgument,
    C1100Error,
    CommandError,
    Overflow,
    Rebooted,
    Refused,
    Timeout,
)
from .modem import C1100
from .ring import LineRing

TYPE_CHECKING = const(0)  # those who check types take it for true
if TYPE_CHECKING:
    from .errors import (
        Asleep,
        CmeError,
        CmsError,
        NoModule,
        NotConnected,
        NotRegistered,
        NotSupported,
        PayloadError,
        PinRefused,
        RegistrationDenied,
        SimError,
        TooWeak,
    )

    __all__ = [
        "C1100",
        "Asleep",
        "BadAnswer",
        "BadArgument",
        "C1100Error",
        "CmeError",
        "CmsError",
        "CommandError",
        "LineRing",
        "NoModule",
        "NotConnected",
        "NotRegistered",
        "NotSupported",
        "Overflow",
        "PayloadError",
        "PinRefused",
        "Rebooted",
        "Refused",
        "RegistrationDenied",
        "SimError",
        "Timeout",
        "TooWeak",
    ]
else:

    def __getattr__(name: str):
        """An error of errors.py, or a module of the package."""
        if "A" <= name[0] <= "Z":
            return getattr(at, name)
        if name[0] == "_":
            raise AttributeError(name)
        __import__(__name__ + "." + name)
        return globals()[name]
