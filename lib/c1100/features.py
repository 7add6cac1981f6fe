"""The module's features, each loaded when it is first used: nothing of the others takes heap."""

from micropython import const

from .gate import Gate

_HINTS = const(0)  # for those who check types: a board compiles none of it
if _HINTS:
    from .connection import Socket
    from .gnss import Gnss
    from .http import Http
    from .lwm2m import Lwm2m
    from .mqtt import MQTT
    from .mqtts import MQTTS
    from .passthrough import Passthrough
    from .pdp import Context
    from .power import Power
    from .streams import Stream
    from .tls_stream import Tls


class Features(Gate):
    """What C1100 has of them; the arguments are C1100's."""

    # Once they are used
    _ip = None
    _power = None
    _http = None
    _gnss = None
    apn: str | None = None  # for the PDP context and the MQTT session
    careful = False  # the line to the module may lose bytes: mqtt.MQTT looks twice

    @property
    def asks_psm(self) -> bool:
        """Whether PSM was asked for."""
        return self._power is not None and self._power.requested is not None

    @property
    def _sockets(self):
        if self._ip is None:
            from .sockets import Sockets

            self._ip = Sockets(self._channel)
        return self._ip

    def pdp(self, apn: str) -> "Context":
        """``async with modem.pdp(apn):`` -- a PDP context for sockets (manual 3.3.1.1)."""
        from .pdp import Context

        return Context(self._sockets, apn)

    def mqtts(
        self,
        client_id: str,
        host: str,
        port: int = 8883,
        *,
        ca: bytes | str,
        cert: bytes | str | None = None,
        key: bytes | str | None = None,
        **options,
    ) -> "MQTTS":
        """An MQTT client over TLS; see mqtts.MQTTS, and tls.Context for ca, cert and key."""
        from .mqtts import MQTTS
        from .tls import Context

        return MQTTS(self, Context(ca, cert, key), client_id, host, port, **options)

    async def tcp(self, host: str, port: int, local_port: int = 0, rxbuf: int = 4096) -> "Socket":
        """Open a TCP connection (manual 3.3.1.1); see sockets.open, connection.Socket."""
        return await self._sockets.open(host, port, 0, local_port, rxbuf)

    async def tls(
        self,
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
    ) -> "Tls":
        """Open a TLS connection: certificate and name are checked, with the network's time.

        ca              -- certificates of issuers that are trusted, PEM or DER: bytes, or a file
        cert, key       -- likewise, where the far end wants to know who we are
        server_hostname -- that the certificate must have; host if it is not given
        timeout_s       -- of the handshake

        Returns a tls.Tls, which is used as a Socket is. Raises what tcp() does, and
        tls.CertificateRefused; Refused when the far end speaks no TLS, or not with us;
        NotSupported; Overflow when the heap has no room for it.
        """
        from . import tls

        context = tls.Context(ca, cert, key, alpn)
        return await tls.connect(self, context, host, port, server_hostname, timeout_s, rxbuf)

    async def open_connection(
        self,
        host: str,
        port: int,
        ssl=None,
        server_hostname: str | None = None,
        rxbuf: int = 4096,
    ) -> "tuple[Stream, Stream]":
        """asyncio.open_connection() over the module: (reader, writer).

        ssl   -- tls.Context, or an SSLContext of the interpreter; None for a plain connection
        rxbuf -- bytes that may wait to be read: the module cannot be told to wait, and what comes
                 while nobody reads and it is full ends the connection

        Raises what tcp() and tls() do. Reader and writer raise OSError as asyncio's do, with its
        errno; see streams.Stream.
        """
        from .streams import Stream

        if ssl is None:
            stream = Stream(await self.tcp(host, port, rxbuf=rxbuf))
        else:
            from . import tls

            made = await tls.connect(self, ssl, host, port, server_hostname, tls.LIMIT_S, rxbuf)
            stream = Stream(made)
        return stream, stream

    async def udp(self, host: str, port: int, local_port: int = 0, rxbuf: int = 4096) -> "Socket":
        """Open a UDP socket (manual 3.3.1.1, UDP as seen in the field); see connection.Socket."""
        return await self._sockets.open(host, port, 1, local_port, rxbuf)

    def passthrough(self, sock: "Socket", **options) -> "Passthrough":
        """``async with modem.passthrough(sock) as pipe:`` transparent sending (manual 3.3.2)."""
        from .passthrough import Passthrough

        return Passthrough(self._channel, sock, **options)

    @property
    def power(self) -> "Power":
        """PSM and eDRX (manual 3.8); see power.Power."""
        if self._power is None:
            from .power import Power

            self._power = Power(self, self._channel)
        return self._power

    @property
    def http(self) -> "Http":
        """HTTP requests (manual 3.7); see http.Http."""
        if self._http is None:
            from .http import Http

            self._http = Http(self._channel)
        return self._http

    @property
    def gnss(self) -> "Gnss":
        """The GNSS receiver (manual 3.4); see gnss.Gnss."""
        if self._gnss is None:
            from .gnss import Gnss

            doze = self.patience.wait if self.patience.dozes else None
            self._gnss = Gnss(self._channel, doze)
        return self._gnss

    @property
    def lwm2m(self) -> "Lwm2m":
        """The module's LwM2M client (manual 3.5); see lwm2m.Lwm2m."""
        from .lwm2m import Lwm2m

        return Lwm2m(self._channel, self.restart)

    def mqtt(self, client_id: str, host: str, port: int = 1883, **options) -> "MQTT":
        """An MQTT client on the module's own stack (manual 3.6); see mqtt.MQTT."""
        from .mqtt import MQTT

        options.setdefault("careful", self.careful)
        return MQTT(self._channel, client_id, host, port, apn=self.apn, **options)
