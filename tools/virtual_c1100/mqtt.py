"""MQTT, manual 3.6.1 to 3.6.5: the AT commands in front of an `MqttLink`."""

from collections.abc import Callable
from typing import Any

from tools.virtual_c1100.commandline import (
    Argument,
    BadArgument,
    Int,
    Malformed,
    Text,
    split_arguments,
)
from tools.virtual_c1100.commands import LATER, Call, Command, Failure, Later
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.mqtt_link import MqttLink, Settings
from tools.virtual_c1100.network import Network
from tools.virtual_c1100.pdp import CALL_SIZE
from tools.virtual_c1100.peers import connect, resolve

TEXT_LIMIT, HEX_LIMIT, TOPIC_LIMIT = 1024, 512, 128  # bytes; inferred (wire contract)

HANDSHAKE = 120  # bytes of the TCP handshake on the air, both SYN and ACK (inferred)
PACKET_HEAD = 7  # MQTT 3.1.1 clauses 3.3, 3.8: fixed header, lengths, packet identifier

# key of +LSMQTTCFG: the form of its values (manual 3.6.1 names the keys, field firmware the forms)
KEYS: dict[str, tuple[Int | Text, ...]] = {
    "clientid": (Text(128, 1),),
    "username": (Text(256),),
    "password": (Text(256),),
    "topic": (Text(TOPIC_LIMIT, 1),),
    "message": (Int(0, 1), Text(TEXT_LIMIT)),
    "qos": (Int(0, 2),),
    "retained": (Int(0, 1),),
    "session": (Int(0, 1),),
}


class Mqtt:
    """AT+LSMQTT...: one connection. SUB and PUB share the one configured topic (field)."""

    def __init__(self, core: Core, network: Network) -> None:
        self._core = core
        self._network = network
        self.links: list[MqttLink] = []
        self._link: MqttLink | None = None
        self._bearers = 0  # that have gone
        self.boot()
        network.on_change.append(self._coverage)
        switch = (Int(0, 1),)
        self.commands = (
            Command("+LSMQTTCFG", "M 3.6.1, F", self._configure, None),
            Command("+LSMQTTCALL", "M 3.6.1, F", self._call,
                    (Int(0, 1), Text(64, optional=True)), self._show_call),
            Command("+LSMQTTOPEN", "M 3.6.1, F", self._open,
                    (Text(128, 1), Int(1, 65535), Int(0, 65535)), self._show_open),
            Command("+LSMQTTSUB", "M 3.6.2, 3.6.3", self._subscribe, switch, self._show_sub),
            Command("+LSMQTTPUB", "M 3.6.4", self._publish, (Int(1, 1),), self._show_pub),
            Command("+LSMQTTCLOSE", "M 3.6.5", self._close, (Int(1, 1),)),
        )  # fmt: skip

    @property
    def called(self) -> bool:
        """AT+LSMQTTCALL=1 has brought the bearer up."""
        return self._called

    def boot(self, bearer: bool = False) -> None:
        """Configuration and connection are gone; the broker finds out in its own time.

        bearer -- it is up still: after PSM (inferred; the PDN connection is)
        """
        if self._link:
            self._link.abandon()
        self._link = None
        self._called, self._opening = bearer, False
        self._config: dict[str, list[Any]] = {
            "qos": [0], "retained": [0], "session": [1], "message": [0, ""],
        }  # fmt: skip

    # Configuration --------------------------------------------------------------------------

    def _configure(self, call: Call) -> None:
        try:
            given = split_arguments(call.raw)
        except Malformed:
            raise Failure from None
        key = given[0].text.lower()
        forms = KEYS.get(key)
        if forms is None or not given[0].quoted or len(given) != len(forms) + 1:
            raise Failure
        values: list[Any] = [
            _take(form, value) for form, value in zip(forms, given[1:], strict=True)
        ]
        if key == "message" and values[0] == 1:
            _unhex(values[1])
        elif key != "message":
            for value in values:
                _utf8(str(value))
        self._config[key] = values

    def _text(self, key: str) -> str | None:
        return _utf8(self._config[key][0]) if key in self._config else None

    def _payload(self) -> bytes:
        form, text = self._config["message"]
        return _unhex(text) if form else text.encode("latin-1")

    def _flags(self) -> tuple[int, bool]:
        return self._config["qos"][0], bool(self._config["retained"][0])

    def _show_sub(self, call: Call) -> None:
        """Layout inferred: the manual says that it shows parameters and content."""
        topic = self._config.get("topic", [""])[0]
        call.info(f'+LSMQTTSUB: "{topic}",{self._flags()[0]}')

    def _show_pub(self, call: Call) -> None:
        topic = self._config.get("topic", [""])[0]
        form, text = self._config["message"]
        qos, retained = self._flags()
        call.info(f'+LSMQTTPUB: "{topic}",{qos},{int(retained)},{form},"{text}"')

    # Connection -----------------------------------------------------------------------------

    def _call(self, call: Call) -> Later | None:
        if call.args[0]:
            if self._called and self._network.attached:
                call.when_sent(self._call_done)  # the bearer is there: nothing is on the air
                return None
            delay = self._core.profile.latency.pdp
            if self._network.cell.denied_context is None:
                self._network.uplink(CALL_SIZE, "pdp", delay, self._call_done, opens=True)
                return None
            asked = lambda: self._asked(call)  # noqa: E731
            self._network.uplink(CALL_SIZE, "pdp", delay, asked, opens=True)
            return LATER
        if not self._called:
            raise Failure
        self._network.uplink(CALL_SIZE, "pdp", 0.0, lambda: None)
        self._end_call()
        return None

    def _asked(self, call: Call) -> None:
        """A network that may refuse has heard of it, before the command ends."""
        refusal = self._network.refuses_context()
        if refusal:
            call.fail(refusal)
        else:
            call.when_sent(self._call_done)
            call.finish()

    def _call_done(self) -> None:
        self._called = self._network.attached
        self._urc(f"+MQTTCALL:{int(self._called)}")

    def _end_call(self) -> None:
        """The bearer goes; the TCP connection over it is dead, and the broker not told."""
        self._called = self._opening = False
        self._bearers += 1
        if self._link:
            self._link.abandon()
            self._link = None
        self._urc("+MQTTCALL:0")

    def _show_call(self, call: Call) -> None:
        call.info(f"+LSMQTTCALL: {int(self._called)}")

    def _show_open(self, call: Call) -> None:
        call.info(f"+LSMQTTOPEN: {int(self._link is not None and self._link.up)}")

    def _open(self, call: Call) -> None:
        host, port, keepalive = call.args
        client_id = self._text("clientid")
        if not self._called or self._link or self._opening or client_id is None:
            raise Failure
        topic, payload = self._text("topic"), self._payload()
        will = (topic, payload, *self._flags()) if topic and payload else None
        settings = Settings(
            client_id, keepalive, bool(self._config["session"][0]),
            self._text("username"), self._text("password"), will,
        )  # fmt: skip
        self._opening = True
        delay = self._core.profile.latency.mqtt_open
        bearer = self._bearers
        self._network.uplink(
            settings.size + HANDSHAKE, "mqtt", delay,
            lambda: self._dial(bearer, host, port, settings), opens=True,
        )  # fmt: skip

    def _dial(self, bearer: int, host: str, port: int, settings: Settings) -> None:
        if bearer != self._bearers:
            return  # what was on its way went with it
        address = resolve(self._core.profile.routes, host, port)
        try:
            if address is None or not self._network.attached:
                raise OSError("unreachable")
            link = MqttLink(
                self._core.timeline, connect(address), settings, self._on_air,
                on_open=lambda good: self._opened(link, good), on_message=self._incoming,
                on_lost=lambda: self._lost(link), on_end=lambda link: self.links.remove(link),
            )  # fmt: skip
        except (OSError, ValueError):
            self._opening = False
            self._urc("+MQTTOPEN:0")
            return
        self.links.append(link)
        self._link = link
        self._core.later(
            self._core.profile.latency.mqtt_timeout, lambda: self._give_up_opening(link)
        )

    def _give_up_opening(self, link: MqttLink) -> None:
        if link is self._link and not link.up:
            link.drop()

    def _opened(self, link: MqttLink, good: bool) -> None:
        if link is not self._link:
            return  # of before the module was restarted, or its bearer went
        self._opening = False
        if not good:
            self._link = None
        self._urc(f"+MQTTOPEN:{int(good)}")

    def _lost(self, link: MqttLink) -> None:
        if link is not self._link:
            return  # the broker has ended one that nobody owns: by the same client's next session
        self._link = None
        self._urc(self._core.profile.quirks.lost_link_urc)

    def _close(self, call: Call) -> None:
        link = self._open_link()
        self._link = None

        def close() -> None:
            link.close()
            self._urc("+MQTTCLOSE:1")

        self._uplink(2, close)

    def _coverage(self, attached: bool) -> None:
        if self._link:
            (self._link.hear if attached else self._link.silence)()

    # Messages -------------------------------------------------------------------------------

    def _open_link(self) -> MqttLink:
        if self._link is None or not self._link.up:
            raise Failure
        return self._link

    def _subscribe(self, call: Call) -> None:
        link, topic = self._open_link(), self._text("topic")
        if topic is None or not _is_filter(topic):
            raise Failure
        if call.args[0]:
            qos, _ = self._flags()
            self._send(
                len(topic), lambda done: link.subscribe(topic, qos, done),
                "+MQTTSUB:1", "+MQTTSUB:0",
            )  # fmt: skip
        else:
            good = self._core.profile.quirks.unsubscribed_urc
            self._send(len(topic), lambda done: link.unsubscribe(topic, done), good, "+MQTTSUB:0")

    def _publish(self, call: Call) -> None:
        link, topic, payload = self._open_link(), self._text("topic"), self._payload()
        if topic is None or "+" in topic or "#" in topic:
            raise Failure
        qos, retained = self._flags()
        self._send(
            len(topic) + len(payload),
            lambda done: link.publish(topic, payload, qos, retained, done),
            "+MQTTPUB:1", "+MQTTPUB:0",
        )  # fmt: skip

    def _on_air(self, size: int, then: Callable[[], None]) -> None:
        self._network.radio.send(size, "mqtt", then)

    def _uplink(self, size: int, then: Callable[[], None]) -> None:
        self._network.uplink(size, "mqtt", self._core.profile.latency.mqtt_packet, then)

    def _send(
        self, size: int, start: Callable[[Callable[[bool], None]], None], good: str, bad: str
    ) -> None:
        """After the uplink let `start` send `size` bytes; one URC says how it ended."""
        answered: list[bool] = []

        def done(success: bool) -> None:
            if not answered:
                answered.append(success)
                self._urc(good if success else bad)

        def go() -> None:
            start(done)
            self._core.later(self._core.profile.latency.mqtt_timeout, lambda: done(False))

        self._uplink(size + PACKET_HEAD, go)

    def _incoming(self, topic: str, qos: int, retained: bool, payload: bytes) -> None:
        """Prefix and order of the fields: inferred, seen nowhere (wire contract)."""
        head = f'+MQTTMSG:"{topic}",{qos},{int(retained)},{len(payload)},'
        self._urc(head.encode() + self._core.damaged(payload))

    def _urc(self, text: str | bytes) -> None:
        self._core.urc(text, lead=self._core.profile.quirks.urc_lead)


def _take(form: Int | Text, value: Argument):
    try:
        return form.take(value)
    except BadArgument as error:
        raise Failure from error


def _utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise Failure from None


def _unhex(text: str) -> bytes:
    if len(text) > 2 * HEX_LIMIT or len(text) % 2 or not all(c in HEX_DIGITS for c in text):
        raise Failure
    return bytes.fromhex(text)


HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


def _is_filter(topic: str) -> bool:
    """MQTT 3.1.1 clause 4.7.1: wildcards stand alone in their level, # last."""
    levels = topic.split("/")
    return all(
        (level in ("+", "#") or not ("+" in level or "#" in level))
        and (level != "#" or n == len(levels) - 1)
        for n, level in enumerate(levels)
    )
