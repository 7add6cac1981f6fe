"""The driver's errors where a number is expected: in asyncio's streams and in sockets."""

import errno

from . import at

# The first that fits counts. Numbers are of the port: errno's own.
_NUMBERS = (
    (at.NoModule, errno.ENODEV),
    (at.NotRegistered, errno.EHOSTUNREACH),
    (at.Timeout, errno.ETIMEDOUT),
    (at.Refused, errno.ECONNREFUSED),
    (at.NotSupported, errno.EOPNOTSUPP),
    (at.BadArgument, errno.EINVAL),
    (at.Overflow, errno.ENOBUFS),
    (at.NotConnected, errno.ENOTCONN),
    (at.Rebooted, errno.ECONNABORTED),
    (at.RegistrationDenied, errno.EACCES),
    (at.SimError, errno.EACCES),
)


def os_error(error: at.C1100Error, lost: bool = False) -> OSError:
    """The OSError for an error; its text stays. lost -- it was about an open connection"""
    for kind, number in _NUMBERS:
        if isinstance(error, kind):
            if lost and kind is at.NotConnected:
                number = errno.ECONNRESET
            return OSError(number, str(error))
    return OSError(errno.EIO, str(error))
