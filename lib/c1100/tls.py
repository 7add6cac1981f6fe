"""TLS over a TCP connection of the module: the interpreter's mbedtls, and who is at the far end.

Certificate and host name are checked, the dates by the network's time. The handshake waits for the
module as any other task does. Loaded by modem.tls() and modem.open_connection(ssl=...).
"""

import time
from errno import EINVAL, ENOMEM

from micropython import const

from . import at, cclk, x509
from .tls_stream import END, Tls

try:
    _tls = __import__("tls")  # not in all ports, nor in their stubs
except ImportError:  # a build without it
    _tls = None

# Why a certificate is refused: CertificateRefused.why
EXPIRED = "expired"
NOT_YET = "not yet valid"
UNKNOWN = "unknown issuer"
OTHER = "other host"
NO_TIME = "no time"
UNUSABLE = "not usable"

# What mbedtls says of it (x509.h), in the order in which the words count.
_SAID = (
    ("trusted CA", UNKNOWN),
    ("Common Name", OTHER),
    ("expired", EXPIRED),
    ("future", NOT_YET),
)
_ADVICE = {
    EXPIRED: "its operator has to renew it",
    NOT_YET: "its operator has to look at it, or the clock is wrong",
    UNKNOWN: "ca is not the certificate of its issuer, or somebody stands in between",
    OTHER: "check host and server_hostname, or somebody stands in between",
    NO_TIME: "neither the network nor the board knows it, and without it no certificate is valid",
    UNUSABLE: "its operator has to look at it",
}
_ALLOC = const(-0x7F00)  # MBEDTLS_ERR_SSL_ALLOC_FAILED

LIMIT_S = const(60)  # a handshake is two round trips, of up to 10 s each where coverage is poor
_SET = const(1700000000)  # a clock that shows less has not been set
_EPOCH_2000 = const(946684800)


class CertificateRefused(at.Refused):
    """The far end is not shown to be who it should be; nothing was sent to it. ``why``: EXPIRED,
    NOT_YET, UNKNOWN, OTHER, NO_TIME or UNUSABLE.
    """

    def __init__(self, why: str, text: str) -> None:
        super().__init__(text)
        self.why = why


async def tls(
    modem,
    host: str,
    port: int,
    *,
    ca: bytes | str,
    cert: bytes | str | None = None,
    key: bytes | str | None = None,
    server_hostname: str | None = None,
    alpn: list | None = None,
    timeout_s: float = 60,
    rxbuf: int = 4096,
) -> Tls:
    """modem.tls(): open a TLS connection: certificate and name are checked, with the network's
    time.

    ca              -- certificates of issuers that are trusted, PEM or DER: bytes, or a file
    cert, key       -- likewise, where the far end wants to know who we are
    server_hostname -- that the certificate must have; host if it is not given
    timeout_s       -- of the handshake

    Returns a Tls, which is used as a Socket is. Raises what tcp() does, and CertificateRefused;
    Refused when the far end speaks no TLS, or not with us; NotSupported; Overflow when the heap
    has no room for it.
    """
    context = Context(ca, cert, key, alpn)
    return await connect(modem, context, host, port, server_hostname, timeout_s, rxbuf)


class Context:
    """Whom to trust, and who we are; for as many connections as are wanted.

    ca   -- certificates of issuers that are trusted, at least one
    cert -- our own certificate, with the key that belongs to it; None if the far end wants none
    alpn -- names of protocols, where the interpreter's ssl can say them

    Certificates and keys are PEM or DER: bytes, or the name of a file. Raises BadArgument,
    NotSupported where the interpreter has no TLS.
    """

    def __init__(
        self,
        ca: bytes | str,
        cert: bytes | str | None = None,
        key: bytes | str | None = None,
        alpn: list | None = None,
    ) -> None:
        if _tls is None:
            raise at.NotSupported("this MicroPython has no tls: take a build with it")
        if not ca:
            raise at.BadArgument("ca: the certificate of the issuer is needed")
        if (cert is None) != (key is None):
            raise at.BadArgument("cert and key belong together")
        try:
            self._context = context = _tls.SSLContext(_tls.PROTOCOL_TLS_CLIENT)
        except MemoryError:
            raise at.Overflow("the heap has no room for TLS")
        context.verify_mode = _tls.CERT_REQUIRED
        for der in x509.ders(x509.content(ca), "ca"):
            _load("ca", context.load_verify_locations, der)
        if cert is not None:
            own = x509.content(cert)
            chain = x509.ders(own, "cert")
            if len(chain) == 1 or not _reads_pem(own, _tls.SSLContext(_tls.PROTOCOL_TLS_CLIENT)):
                own = chain[0]  # DER has room for one, and most far ends need no more
            _load(
                "cert or key", context.load_cert_chain, own, x509.ders(x509.content(key), "key")[0]
            )
        if alpn:
            if not hasattr(context, "set_alpn_protocols"):
                raise at.NotSupported("alpn: the ssl of this MicroPython cannot say it")
            context.set_alpn_protocols(alpn)
        self._dates = ""  # the time of the connection that is being made, as certificates have it
        self._why = None
        context.verify_callback = self._verify

    def told(self):
        """What was found to be wrong with the dates, once; None: nothing."""
        why, self._why = self._why, None
        return why

    def begin(self, now: int):
        """The interpreter's context, for a connection that is made at a Unix time."""
        self._dates = "%04d%02d%02d%02d%02d%02d" % time.gmtime(now - _epoch())[:6]
        return self._context

    def _verify(self, cert, _depth: int) -> int:
        """mbedtls looks at the dates itself only where a port has told it the time. What is not 0
        ends the handshake at once: what is wrong is not that of another connection.
        """
        try:
            begin, end = x509.validity(cert)
        except (IndexError, ValueError):
            begin = end = ""
        if begin <= self._dates <= end:
            return 0
        self._why = UNUSABLE if not end else EXPIRED if self._dates > end else NOT_YET
        return -EINVAL


def _load(what: str, load, *ders) -> None:
    try:
        load(*ders)
    except (ValueError, OSError):
        raise at.BadArgument("%s: it cannot be read, or is of a kind that is not known" % what)


def _reads_pem(content: bytes, another) -> bool:
    try:
        another.load_verify_locations(content)
    except (ValueError, OSError):
        return False
    return True


def _epoch() -> int:
    return 0 if time.gmtime(0)[0] == 1970 else _EPOCH_2000


async def _now(modem) -> int | None:
    """Unix time, from the network first; it sets the board's clock if nobody has."""
    board = int(time.time()) + _epoch()
    try:
        told = cclk.parse(await modem.clock())
    except at.CommandError:
        told = None
    except at.BadAnswer:
        told = None
    if told is None or told < _SET:
        return board if board >= _SET else None
    if board < _SET:  # mbedtls looks at that one
        from machine import RTC

        year, month, day, hour, minute, second, weekday = time.gmtime(told - _epoch())[:7]
        RTC().datetime((year, month, day, weekday, hour, minute, second, 0))
    return told


async def connect(
    modem, context, host: str, port: int, hostname: str | None, timeout_s: float, rxbuf: int
):
    """See modem.tls(). context -- a Context, or an SSLContext of the caller's own making"""
    hostname = hostname or host
    now = 0
    own = isinstance(context, Context)
    if not own and not hasattr(context, "wrap_socket"):
        raise at.BadArgument("ssl: a tls.Context(ca) says whom to trust")
    if not _is_name(hostname):
        raise at.BadArgument("server_hostname: the name in a certificate is ASCII without blanks")
    if not isinstance(timeout_s, (int, float)):
        raise at.BadArgument("timeout_s must be a number of seconds")
    if own:
        now = await _now(modem)
        if now is None:
            raise _refused(hostname, NO_TIME)
    sock = await modem.tcp(host, port, rxbuf=rxbuf)
    made = None
    try:
        try:
            made = Tls(sock, context.begin(now) if own else context, hostname)
            await made.handshake(timeout_s)
            return made
        except (OSError, ValueError) as error:
            raise _said(error, context.told() if own else None, host, port, hostname)
        except MemoryError:
            raise at.Overflow("the heap has no room for TLS")
        except at.NotConnected:
            if sock.error is not None:
                raise sock.error
            raise _said(OSError(END), None, host, port, hostname)
    except BaseException:
        (made or sock).close()
        await sock.wait_closed()
        raise


def _is_name(name) -> bool:
    """mbedtls takes it as far as the first NUL, and 255 characters."""
    return isinstance(name, str) and 0 < len(name) < 256 and " " < min(name) <= max(name) < "\x7f"


def _refused(hostname: str, why: str, detail: str = "") -> CertificateRefused:
    return CertificateRefused(
        why, "certificate of %s: %s%s: %s" % (hostname, why, detail, _ADVICE[why])
    )


def _said(error, why, host: str, port: int, hostname: str) -> at.C1100Error:
    """What an error of mbedtls in the handshake stands for."""
    if why is not None:
        return _refused(hostname, why)
    text = str(error)
    if isinstance(error, ValueError):
        for words, why in _SAID:
            if words in text:
                return _refused(hostname, why)
        return _refused(hostname, UNUSABLE, " (%s)" % text.strip().replace("\n", ", "))
    if error.errno in (ENOMEM, _ALLOC):
        return at.Overflow("the heap has no room for TLS")
    if error.errno == END:
        text = "it ends the connection"
    return at.Refused(
        "no TLS with %s:%d: %s: check port, and whether it wants a certificate"
        % (host, port, text)
    )
