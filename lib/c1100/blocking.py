"""The module's own MQTT and HTTP for code that blocks, named as in umqtt.simple and requests;
and what a network interface says, of the modem. From the main thread; see socket.run().

    asyncio.run(modem.start(apn="CMNET"))
    client = c1100.blocking.MQTTClient(modem, "node-1", "broker.example")
    answer = c1100.blocking.Requests(modem).get("http://server.example/")
"""

import asyncio

from micropython import const

from .socket import run

_HINTS = const(0)  # for those who check types: a board compiles none of it
if _HINTS:
    from collections.abc import Callable

    from .http_answer import Response
    from .modem import C1100

_GLANCE_MS = 10  # for what has come already


class MQTTClient:
    """umqtt.simple's, on modem.mqtt(). Topics and messages are bytes where they are heard.

    What is lost is an OSError: connect() again.
    """

    def __init__(
        self,
        modem: "C1100",
        client_id: str | bytes,
        server: str,
        port: int = 0,
        user: str | None = None,
        password: str | None = None,
        keepalive: int = 60,
    ) -> None:
        self._modem = modem
        self._args = (_text(client_id), server, port or 1883)
        self._options = {"user": user, "password": password, "keepalive": keepalive}
        self._mqtt = None
        self._callback = None

    def set_callback(self, f: "Callable[[bytes, bytes], object]") -> None:
        """f(topic, message), called by wait_msg() and check_msg()."""
        self._callback = f

    def set_last_will(
        self, topic: str | bytes, msg: str | bytes, retain: bool = False, qos: int = 0
    ) -> None:
        """Takes effect with connect()."""
        self._options["last_will"] = (_text(topic), msg, retain, qos)

    def connect(self, clean_session: bool = True) -> bool:
        """Returns False: whether the broker knew the session is not told by the module."""
        self._mqtt = self._modem.mqtt(*self._args, clean=clean_session, **self._options)
        run(self._mqtt.connect())
        return False

    def disconnect(self) -> None:
        """End the session."""
        run(self._session.disconnect())

    def ping(self) -> None:
        """The module does that by itself."""

    def publish(
        self, topic: str | bytes, msg: str | bytes, retain: bool = False, qos: int = 0
    ) -> None:
        """With QoS 1 and 2 until the broker has confirmed."""
        run(self._session.publish(_text(topic), msg, qos, retain))

    def subscribe(self, topic: str | bytes, qos: int = 0) -> None:
        """Until the broker has confirmed."""
        run(self._session.subscribe(_text(topic), qos))

    def wait_msg(self) -> None:
        """Wait for a message, and hand it to the callback."""
        self._hand(run(self._session.wait_msg()))

    def check_msg(self) -> None:
        """As wait_msg(), if there is one already."""
        message = self._session.check_msg()
        if message is None:
            run(_glance())
            message = self._session.check_msg()
        self._hand(message)

    def _hand(self, message) -> None:
        if message is not None and self._callback is not None:
            self._callback(message.topic.encode(), message.payload)

    @property
    def _session(self):
        if self._mqtt is None:
            raise OSError(-1, "connect() first")
        return self._mqtt


class Requests:
    """get() and post() of requests, on modem.http. What they return has status_code, content, text
    and json().
    """

    def __init__(self, modem: "C1100") -> None:
        self._http = modem.http

    def get(self, url: str, headers: dict | None = None, **options) -> "Response":
        """See http.Http.get()."""
        return run(self._http.get(url, headers, **options))

    def post(
        self,
        url: str,
        data: bytes | str | None = None,
        json: object = None,
        headers: dict | None = None,
        **options,
    ) -> "Response":
        """See http.Http.post()."""
        return run(self._http.post(url, data, json, headers, **options))


class Interface:
    """What `network` calls an interface, where it is true of a modem."""

    def __init__(self, modem: "C1100", apn: str) -> None:
        self._modem = modem
        self._apn = apn
        self._context = None
        self._address = ""

    def active(self, on: bool | None = None) -> bool | None:
        """Start the module and bring it into the network, or switch it off."""
        if on is None:
            return self._registered()
        if on:
            run(self._modem.start(apn=self._apn))
        else:
            self.disconnect()
            run(self._modem.power_off())
        return None

    def connect(self, *_args) -> None:
        """Open the PDP context."""
        if self._context is None:
            context = self._modem.pdp(self._apn)
            run(context.__aenter__())
            self._context = context
            self._address = context.address

    def disconnect(self) -> None:
        """Close it."""
        context, self._context = self._context, None
        if context is not None:
            run(context.__aexit__(None, None, None))

    def isconnected(self) -> bool:
        """Whether the module is registered and has an address."""
        return self._context is not None and self._registered()

    def _registered(self) -> bool:
        try:
            return bool(run(self._modem.registration()).registered)
        except OSError:  # it is off
            return False

    def status(self, what: str | None = None) -> int | None:
        """The <stat> of the registration (27.007 10.1.22); of "rssi": dBm, None if unknown."""
        if what == "rssi":
            return run(self._modem.signal()).rssi
        return run(self._modem.registration()).stat

    def ifconfig(self) -> tuple:
        """(address, mask, gateway, DNS); the module tells the address alone."""
        return (self._address if self._context is not None else "0.0.0.0", "", "", "")

    def config(self, what: str) -> str:
        """ "apn" or "imei"."""
        if what == "apn":
            return self._apn
        if what == "imei":
            return run(self._modem.imei())
        raise ValueError("unknown config param")


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else str(value, "utf-8")


async def _glance() -> None:
    await asyncio.sleep_ms(_GLANCE_MS)
