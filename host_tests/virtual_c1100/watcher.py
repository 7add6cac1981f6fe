"""An independent MQTT client that sees what a real broker delivers."""

from collections.abc import Callable
from types import TracebackType

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from host_tests.patience import LIMIT_S, until
from tools.broker import Address

USER, PASSWORD = "user", "pass"


class Watcher:
    """An independent client: `messages` is what the broker delivers to it."""

    def __init__(self, broker: Address, topic: str = "#", password: bool = False) -> None:
        self.messages: list[tuple[str, bytes, int, bool]] = []
        ready: list[bool] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, f"watcher-{id(self)}")
        if password:
            self._client.username_pw_set(USER, PASSWORD)
        self._client.on_message = lambda c, u, m: self.messages.append(
            (m.topic, bytes(m.payload), m.qos, m.retain)
        )
        self._client.on_subscribe = lambda *_: ready.append(True)
        self._client.connect(broker.host, broker.port)
        self._client.subscribe(topic, 2)
        self._client.loop_start()
        self._wait(lambda: bool(ready), "the broker did not confirm the subscription")

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> None:
        """Publish and wait for the broker's confirmation."""
        self._client.publish(topic, payload, qos, retain).wait_for_publish(LIMIT_S)

    def expect(self, topic: str, payload: bytes) -> tuple[str, bytes, int, bool]:
        """Wait until this message has come and return it."""

        def found() -> bool:
            return any(m[:2] == (topic, payload) for m in self.messages)

        self._wait(found, f"{topic} {payload!r} did not come, only {self.messages}")
        return next(m for m in self.messages if m[:2] == (topic, payload))

    def _wait(self, condition: Callable[[], bool], failure: str) -> None:
        until(condition, failure)

    def __enter__(self) -> "Watcher":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()
