"""Messages of the nodes from a broker, over a connection that comes back."""

import threading
import time

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tools.broker import REACH_S, Address
from tools.monitor.model import TOPICS, Fleet


class Feed:
    """Feeds a Fleet. A context manager; `state` says how the connection is.

    `lock` guards the fleet: messages come in a thread of their own.
    """

    def __init__(self, fleet: Fleet, broker: Address, user: str = "", password: str = "") -> None:
        self.fleet = fleet
        self.lock = threading.Lock()
        self.state = "connecting"
        self.refused = False  # by the broker: it will not change its mind by itself
        self._settled = threading.Event()
        self._user = user
        self._broker = broker
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if user:
            self._client.username_pw_set(user, password)
        self._client.reconnect_delay_set(1, 30)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message

    def __enter__(self) -> "Feed":
        self._client.connect_async(self._broker.host, self._broker.port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait(self) -> None:
        """Until it is known how the connection is, or for some seconds."""
        self._settled.wait(REACH_S)

    def snapshot(self) -> dict:
        """The fleet as it is now, and the state of the connection."""
        with self.lock:
            found = self.fleet.snapshot(time.time())
        return found | {"broker": str(self._broker), "state": self.state}

    def _connected(self, client, userdata, flags, reason, properties) -> None:
        if reason.is_failure:
            who = f"user {self._user}" if self._user else "us without a name (--user)"
            self.state = f"the broker at {self._broker} refused {who}: {reason}"
            self.refused = True
            self._settled.set()
            return
        self.state = "connected"
        self.refused = False
        self._settled.set()
        client.subscribe([(topic, 1) for topic in TOPICS])

    def _disconnected(self, client, userdata, flags, reason, properties) -> None:
        if not self.refused:
            self.state = "connection lost, trying again"

    def _message(self, client, userdata, message) -> None:
        with self.lock:
            self.fleet.message(message.topic, bytes(message.payload), time.time())
