"""With one node over a broker: what waits for it there, and what it answers."""

import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tools.broker import Address, unreachable
from tools.command.standing import FINAL, WITHDRAWN, Standing
from tools.command.words import Failure

PASSWORD_VARIABLE = "MQTT_PASSWORD"
CONNECT_LIMIT_S = 30.0
SETTLE_S = 0.5  # without a message, when the broker has answered: what is retained has come
LOOK_S = 1.0
NOTHING = "results/-"  # below a filter of ours: whoever may hear results may ask for it
STOP = "stop"
RETRY_S = (1, 30)  # until a broker that has gone is tried again
LOGIN = ("Not authorized", "Bad user name or password")


class Conversation:
    """A context manager. Raises Failure when there is no broker, or none that takes us.

    Within it Ctrl-C raises KeyboardInterrupt where it waits or is about to publish, and nowhere
    else: raised anywhere, it would lose a message on its way in. A second one is raised at once.
    """

    def __init__(self, node: str, broker: Address, user: str | None) -> None:
        self.standing = Standing()
        self.gone = False  # the broker is, for the moment
        self._topic = f"nodes/{node}/"
        self._retained = False  # the last message was
        self._is_back = False  # the broker: what it has retained may be something else
        self._broker = broker
        self._user = user
        # Messages; None: the broker is there again; a number: it has answered this question; STOP.
        # A simple one may be used in a signal's handler.
        self._arrived: queue.SimpleQueue[tuple[str, bytes, bool] | int | str | None] = (
            queue.SimpleQueue()
        )
        self._is_stopped = False
        self._handler: Any = None  # of SIGINT, before ours
        self._answered: int | None = None
        self._subscription: int | None = None
        self._single: list[dict[str, Any]] = []  # results of what has no topic of its own
        self._settled: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(*RETRY_S)
        if user:
            self._client.username_pw_set(user, os.environ.get(PASSWORD_VARIABLE))
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._lost
        self._client.on_subscribe = self._subscribed
        self._client.on_message = lambda client, userdata, m: self._arrived.put(
            (m.topic.removeprefix(self._topic), bytes(m.payload), m.retain)
        )
        try:
            self._client.connect(broker.host, broker.port)
        except OSError as error:
            raise Failure(unreachable(broker, error)) from error
        self._client.loop_start()
        try:
            problem = self._settled.get(timeout=CONNECT_LIMIT_S)
        except queue.Empty:
            problem = f"the broker at {broker} cannot be used: it does not answer"
        if problem is not None:
            self.close()
            raise Failure(problem)
        self._pump(CONNECT_LIMIT_S)  # that it is there
        self.settle()

    def __enter__(self) -> "Conversation":
        before = signal.getsignal(signal.SIGINT)
        main = threading.current_thread() is threading.main_thread()
        if main and before is signal.default_int_handler:
            self._handler = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(self, *_: object) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
        self.close()

    def _interrupted(self, *_: object) -> None:
        if self._is_stopped:
            raise KeyboardInterrupt
        self._is_stopped = True
        self._arrived.put(STOP)

    def _stop_here(self) -> None:
        if self._is_stopped:
            self._is_stopped = False
            raise KeyboardInterrupt

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def tell(self, below: str, message: bytes, retained: bool = True) -> None:
        """Publish on a topic of the node's; retained, an empty one clears it. Raises Failure."""
        self._stop_here()
        done = self._client.publish(self._topic + below, message, qos=1, retain=retained)
        limit = time.monotonic() + CONNECT_LIMIT_S
        try:
            while not done.is_published():
                if time.monotonic() > limit:
                    raise Failure(f"the broker has not confirmed {below}")
                done.wait_for_publish(LOOK_S)
                self._stop_here()
        except (RuntimeError, ValueError) as error:
            raise Failure(f"{below} was not published: {error}") from error

    def tidy(self) -> None:
        """Clear what nobody needs any more."""
        for below in self.standing.left_over():
            self.tell(below, b"")

    def put(self, name: str, sign: Callable[[int], bytes], counter: Callable[[], int]) -> bytes:
        """Have a command wait on its own topic. Returns it as it waits."""
        while True:
            number = counter()
            message = sign(number)
            before = self._others(name)
            self.tell(f"commands/{name}", message)
            limit = time.monotonic() + CONNECT_LIMIT_S
            while not self._waits(name, number):
                is_through = name in self.standing.results
                if is_through or self._is_back or time.monotonic() > limit:
                    return message  # who waits for it looks again; or this broker echoes nothing
                before = self._others(name)
                self._pump(LOOK_S)
            # Who was heard first keeps the number. Not all brokers tell everybody the same order:
            # of those that believe to be first, the first name keeps it.
            if number not in before and not self._hears_who_keeps_it(name, number):
                return message

    def _others(self, name: str) -> set[int]:
        waiting = self.standing.waiting.values()
        return {each.counter for each in waiting if each.name != name}

    def _hears_who_keeps_it(self, name: str, counter: int) -> bool:
        """Listen for SETTLE_S: is there another one with this number who keeps it?"""
        self._retained_before_an_answer()
        end = time.monotonic() + SETTLE_S
        while (left := end - time.monotonic()) > 0 and name not in self.standing.results:
            self._pump(left)
        waiting = self.standing.waiting.values()
        return any(each.counter == counter and each.name < name for each in waiting)

    def _waits(self, name: str, counter: int) -> bool:
        found = self.standing.waiting.get(name)
        return found is not None and found.counter == counter

    def answers(
        self,
        name: str,
        limit_s: float,
        show: Callable[[dict[str, Any]], None],
        message: bytes = b"",
        look: Callable[[], None] = lambda: None,
    ) -> dict[str, Any] | None:
        """Show the results of a command until the last one, and return it; None when none has
        come in time.

        message -- as it waits on its own topic, to be put there again by a broker that has lost
                   it; none: it has no such topic
        look -- called every second
        """
        limit = time.monotonic() + limit_s
        last = None
        while True:
            if message and name in self.standing.results:
                results = [self.standing.results[name]]
            else:
                results = [each for each in self._single if each.get("id") == name and not message]
                self._single.clear()
            for result in results:
                if result != last:
                    show(result)
                    last = result
                if result.get("result") in FINAL:
                    return result
            left = limit - time.monotonic()
            if left <= 0:
                return None
            look()
            self._pump(min(left, LOOK_S))
            if self._is_back:
                self.settle()
                known = name in self.standing.results or name in self.standing.waiting
                if message and not known:
                    self.tell(f"commands/{name}", message)

    def cleared(self) -> None:
        """Wait until the single place is free: the node clears what it has refused there."""
        limit = time.monotonic() + CONNECT_LIMIT_S
        while self.standing.single is not None and time.monotonic() < limit:
            self._pump(LOOK_S)

    def withdrawn(self, name: str) -> dict[str, Any] | None:
        """Take a command back. Returns the node's result if it is too late for that. Raises
        Failure when nothing of this name waits.
        """
        one = next((each for each in self.standing.queue if each.name == name), None)
        single = self.standing.single
        if one is None and single is not None and single.message.get("id") == name:
            self.tell("commands", b"")
            return None
        if one is None:
            known = self.standing.results.get(name)
            said = f"it is {known.get('result')}" if known else "`results` lists what does"
            raise Failure(f"{name} does not wait: {said}")
        self.tell(f"commands/{name}", b"")
        self.settle()
        if name not in self.standing.results:
            told = {"id": name, "counter": one.counter, "result": WITHDRAWN}
            told |= {"do": one.what, "time": int(time.time())}
            self.tell(f"results/{name}", json.dumps(told).encode())
            return None
        return self.standing.results[name]

    def settle(self) -> None:
        """Until nothing that the broker has retained comes any more: neither before its answer to
        a question, however busy it, the line or this machine is, nor for a moment behind that.
        """
        more = True
        while more:
            self._is_back = False
            while self._retained_before_an_answer():
                pass  # a broker hands out so many at once, and goes on when they are confirmed
            more = self._retained_within(SETTLE_S) or self._is_back

    def _retained_before_an_answer(self) -> bool:
        """Ask the broker something that it answers behind what it has sent before: for a topic
        on which nothing is. Whether something retained has come until then.
        """
        _, asked = self._client.subscribe(self._topic + NOTHING, 1)
        limit = time.monotonic() + CONNECT_LIMIT_S
        found = False
        while asked not in (None, self._answered) and not self._is_back:
            if not self._pump(limit - time.monotonic()):
                break
            found |= self._retained
        return found

    def _retained_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._pump(left) and self._retained:
                return True
        return False

    def _pump(self, limit_s: float) -> bool:
        """Take in the next message; whether there was one in time."""
        try:
            arrived = self._arrived.get(timeout=max(0.0, limit_s))
        except queue.Empty:
            return False
        self._retained = False
        if isinstance(arrived, str):
            self._stop_here()
            return True
        if isinstance(arrived, int):
            self._answered = arrived
            return True
        if arrived is None:
            self._is_back = True
            self.standing = Standing(reported=self.standing.reported)
            return True
        below, payload, self._retained = arrived
        self.standing.message(below, payload, self._retained, time.time())
        if below == "results":
            try:
                result = json.loads(payload)
            except (ValueError, RecursionError):
                return True  # not from this firmware
            if isinstance(result, dict):
                self._single.append(result)
        return True

    # In paho's thread ---------------------------------------------------------------------------

    def _connected(self, client, userdata, flags, reason, properties) -> None:
        if reason.is_failure:
            who = f"user {self._user}" if self._user else "who names no --user"
            hint = f": check --user and ${PASSWORD_VARIABLE}" if str(reason) in LOGIN else ""
            self._settled.put(f"the broker at {self._broker} refuses {who}: {reason}{hint}")
            return
        self.gone = False
        self._arrived.put(None)
        below = ("commands/#", "results/#", "telemetry/#")
        _, self._subscription = client.subscribe([(self._topic + each, 1) for each in below])

    def _lost(self, client, userdata, flags, reason, properties) -> None:
        self.gone = True

    def _subscribed(self, client, userdata, mid, reasons, properties) -> None:
        if mid != self._subscription:
            self._arrived.put(mid)
            return
        refused = [each for each in reasons[:2] if each.is_failure]
        self._settled.put(
            f"the broker at {self._broker} cannot be used: subscribing: {refused[0]}"
            if refused
            else None
        )
