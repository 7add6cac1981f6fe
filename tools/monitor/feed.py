"""Messages of the nodes from a broker, over a connection that comes back."""

import threading
import time
from copy import deepcopy

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tools.broker import REACH_S, Address
from tools.monitor.database import StoreError
from tools.monitor.history import Point, plotted
from tools.monitor.model import TOPICS, Fleet
from tools.monitor.store import Store


class Feed:
    """Feeds a Fleet. A context manager; `state` says how the connection is.

    store -- that keeps what comes; problem -- why there is none although one was asked for

    `lock` guards the fleet: messages come in a thread of their own.
    """

    def __init__(
        self,
        fleet: Fleet,
        broker: Address,
        user: str = "",
        password: str = "",
        store: Store | None = None,
        problem: str = "",
    ) -> None:
        self.fleet = fleet
        self._store = store
        self._problem = problem
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
        self._client.on_subscribe = self._subscribed
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
        return found | {
            "broker": str(self._broker),
            "state": self.state,
            "store": self._store_words(),
        }

    def mark(self) -> tuple:
        """Differs when there is news."""
        return id(self.fleet), self.fleet.changes, self.state, self._store_words()

    def history(self, id: str, span_s: float) -> dict[str, dict]:
        """The values of a node over time, by name, from the store and from memory.

        span_s -- that long up to its latest value: it may be silent, or its clock behind
        """
        with self.lock:
            node = self.fleet.nodes.get(id)
            if node is None or not node.values:
                return {}
            since = max(value.at for value in node.values.values()) - span_s
        kept: dict[str, list[Point]] = {}
        if self._store is not None:
            try:
                kept = self._store.points(id, since)
                self._problem = ""
            except StoreError as error:
                self._problem = str(error)
        with self.lock:
            for name, points in node.points.items():
                kept.setdefault(name, []).extend(points)
            counted = deepcopy(node.count)
        found = {name: plotted(points, counted, since) for name, points in kept.items()}
        return {name: plot for name, plot in found.items() if plot is not None}

    def _store_words(self) -> str:
        """What is wrong with the store, "" when nothing is."""
        if self._store is None:
            return self._problem and f"nothing is kept: {self._problem}"
        problem = self._store.problem or self._problem
        lost = self._store.lost
        which = "message was" if lost == 1 else "messages were"
        gone = f"{lost} {which} not kept" if lost else ""
        return "; ".join(filter(None, (problem and f"not kept at the moment: {problem}", gone)))

    def _connected(self, client, userdata, flags, reason, properties) -> None:
        if reason.is_failure:
            self._refuse(str(reason), True)
            return
        with self.lock:  # a broker keeps nothing for one who is not there
            self.fleet.listen(time.time())
        client.subscribe([(topic, 1) for topic in TOPICS])

    def _subscribed(self, client, userdata, mid, reasons, properties) -> None:
        """Only now does what the nodes say come here."""
        missing = [
            f"{topic}: {reason}"
            for topic, reason in zip(TOPICS, reasons, strict=False)
            if reason.is_failure
        ]
        if missing:  # what is left is shown
            self._refuse(", ".join(missing), len(missing) == len(TOPICS))
            return
        self.state = "connected"
        self.refused = False
        self._settled.set()

    def _refuse(self, what: str, is_all: bool) -> None:
        who = f"user {self._user}" if self._user else "us without a name (--user)"
        self.state = f"the broker at {self._broker} refused {who}: {what}"
        self.refused = is_all
        self._settled.set()

    def _disconnected(self, client, userdata, flags, reason, properties) -> None:
        if not self.refused:
            self.state = "connection lost, trying again"

    def _message(self, client, userdata, message) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:  # not from a node
            return
        with self.lock:
            kept = self.fleet.message(topic, bytes(message.payload), time.time())
        if kept is not None and self._store is not None:
            self._store.put(kept)
