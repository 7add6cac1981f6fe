"""An MQTT client of its own, which knows nothing of the node: what did the broker really get?"""

import contextlib
import functools
import json
import queue
import re
import ssl
import threading
import time
from collections.abc import Collection

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tools import failure
from tools.broker import Address, BrokerError
from tools.monitor import cbor

CONNECT_LIMIT_S = 30.0
NOTHING = "nodes/-/nothing"  # a topic on which nothing is
BASE_TIME = re.compile(rb'"bt":\d+,')
NOW = b'"bt":0,'
# A record begins with its number; those of other firmware restate their base name.
BEFORE_A_RECORD = re.compile(rb',(?=\{"bn":|\{(?:"bt":\d+,)?"n":"seq",)')
BASE = re.compile(rb'\{("bn":"[^"]*",)?("bt":\d+,)?')


def records(payload: bytes) -> list[bytes]:
    """The SenML packs that one message of the node holds, byte for byte as they were sampled; of
    CBOR in the JSON that says the same.
    """
    if cbor.is_cbor(payload):
        try:
            payload = cbor.text(payload)
        except ValueError:
            return [payload]
    if not payload.startswith(b'[{"bn":'):
        return [payload]
    found = []
    name = time = b""
    for part in BEFORE_A_RECORD.split(payload[1:-1]):
        base = BASE.match(part)
        assert base is not None
        name, time = base[1] or name, base[2] or time
        found.append(b"[{" + name + (b"" if time == NOW else time) + part[base.end() :] + b"]")
    return found


def as_sampled(record: bytes, sampled: Collection[bytes]) -> bytes:
    """A record as it was sampled: one from before the node knew the time has got it since, and
    CBOR writes some numbers in another way.
    """
    if record in sampled:
        return record
    bare = BASE_TIME.sub(b"", record, count=1)
    if bare in sampled:
        return bare
    same = {_meaning(record), _meaning(bare)}
    return next((each for each in sampled if _meaning(each) in same), record)


@functools.lru_cache(65536)
def _meaning(record: bytes) -> str | bytes:
    try:
        return json.dumps(json.loads(record, parse_int=float))
    except (ValueError, RecursionError):
        return record


class Subscriber:
    """Collects the payloads of `topic`. A context manager; `payloads`, and `records` of SenML,
    grow as they arrive.

    Raises BrokerError when the broker does not accept it or its subscription.
    """

    def __init__(self, broker: Address, topic: str, tls: ssl.SSLContext | None = None) -> None:
        self.payloads: list[bytes] = []
        self.records: list[bytes] = []
        self._topic = topic
        self._settled = threading.Event()
        self._answers: queue.Queue[int] = queue.Queue()
        self._problem: str | None = "it does not answer"
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = lambda c, u, message: self._arrived(bytes(message.payload))
        if tls is not None:
            self._client.tls_set_context(tls)
        try:
            self._client.connect(broker.host, broker.port)
        except OSError as error:
            raise BrokerError(f"no MQTT broker at {broker}: {failure.words(error)}") from error
        self._client.loop_start()
        self._settled.wait(CONNECT_LIMIT_S)
        if self._problem is not None:
            self.close()
            raise BrokerError(f"the broker at {broker} cannot be used: {self._problem}")

    def __enter__(self) -> "Subscriber":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def wait(self, count: int, limit_s: float) -> None:
        """Wait until `count` records are there, for at most `limit_s` real seconds."""
        limit = time.monotonic() + limit_s
        while len(self.records) < count and time.monotonic() < limit:
            time.sleep(0.01)

    def settle(self) -> None:
        """Wait until all is here that the broker has for us by now: it answers behind that."""
        _, asked = self._client.subscribe(NOTHING, 1)
        with contextlib.suppress(queue.Empty):  # it has gone
            while asked is not None and self._answers.get(timeout=CONNECT_LIMIT_S) != asked:
                pass  # of an earlier question

    def _arrived(self, payload: bytes) -> None:
        self.payloads.append(payload)
        self.records += records(payload)

    def _connected(self, client, userdata, flags, reason, properties) -> None:
        if reason.is_failure:
            self._problem = str(reason)
            self._settled.set()
        else:
            client.subscribe(self._topic, qos=1)

    def _subscribed(self, client, userdata, mid, reasons, properties) -> None:
        if self._settled.is_set():
            self._answers.put(mid)
            return
        failed = reasons[0].is_failure
        self._problem = f"subscribing to {self._topic}: {reasons[0]}" if failed else None
        self._settled.set()
