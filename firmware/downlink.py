"""The node's ear: takes commands over the MQTT session of a report, and answers.

Loaded only when the node has a ``commands.key``. Where commands wait, and what is promised to
those who give them, is in commands.py.
"""

import asyncio
import time
from binascii import unhexlify

from micropython import const

from c1100 import CommandError

from . import commands, files, log, trial
from .files import load, store

_COUNTER_FILE = "commands.counter"
_MOST = const(8)  # commands of one session, whoever sends them
_SEEN = const(256)  # messages among which they are looked for, 0.4 s each
_NOT_STORED = "its counter cannot be stored"


class Downlink:
    """node -- app.Node; mqtt -- a session of c1100.MQTT; report -- async callable that samples and
    delivers
    """

    def __init__(self, node, mqtt, report) -> None:
        self._node = node
        self._mqtt = mqtt
        self._report = report
        self._topic = "nodes/%s/" % node.settings["id"]
        self._answers = None  # once there is something to tell
        self._executes = None  # once there is a command
        self._left = _MOST  # commands that may still be taken
        self._ends = False  # the node restarts: what comes now is for the one that it will be
        self._lost = mqtt.lost
        self._heard_twice = False
        self._odd = False  # a topic that no command can have was answered: one is enough

    async def run(self) -> None:
        """Tell what became of a setting on trial, listen, execute, answer.

        Raises C1100Error when the session ends.
        """
        if not self._mqtt.connected:
            await self._mqtt.connect()
        outcome = trial.outcome()
        if outcome is not None:
            await self._results.outcome(outcome)
        if trial.change() is not None:
            return  # a report has not proved it: what waits comes after it
        trial.rest()
        counter = _stored_counter()
        if counter is None:
            log.tell("commands are refused: %s is damaged; provision again", _COUNTER_FILE)
            return
        settings = self._node.settings
        gate = commands.Gate(settings["id"], unhexlify(settings["commands.key"]), counter)
        await self._subscribe()
        while not self._ends:
            waiting = await self._gather(gate)
            if not waiting:
                break
            for _, name, found in waiting:
                if self._ends:
                    log.info("command %s waits for the restart", found["id"])
                else:
                    self._left -= 1
                    await self._take(gate, found, name)

    @property
    def _results(self):
        if self._answers is None:
            from .results import Results  # most sessions have none

            self._answers = Results(self._node, self._mqtt)
        return self._answers

    @property
    def _orders(self):
        if self._executes is None:
            from .orders import Orders  # and no command

            self._executes = Orders(self._node, self._report)
        return self._executes

    async def _subscribe(self) -> None:
        try:
            await self._mqtt.subscribe(self._topic + "commands/#")  # and what is above it
        except CommandError as error:  # no wildcards: not in this module, or not for this node
            log.warning("no queue of commands: %s", error)
            if not self._mqtt.connected:
                await self._mqtt.connect()
            await self._mqtt.subscribe(self._topic + "commands")

    async def _gather(self, gate: commands.Gate) -> list:
        """The next commands in the order of their counters, as (counter, name, command), once no
        more come. Brokers tell what they have retained in any order; what is refused is answered
        meanwhile, and what is too much comes again in the next session.

        name -- of the command's own topic, "" if it has none
        """
        held = []
        for _ in range(_SEEN):
            message = await self._next(self._node.settings["commands.listen_s"] * 1000)
            if message is None:
                if self._mqtt.lost == self._lost:
                    return held
                self._lost = self._mqtt.lost
                if self._heard_twice:
                    await self._results.refuse(commands.refusal(None, commands.TOO_LONG), "")
                    return held
                # It may have been the first one: what is retained is told again.
                self._heard_twice = True
                await self._mqtt.unsubscribe(self._topic + "commands/#")
                await self._subscribe()
                continue
            self._node.received += len(message.payload)
            if message.payload in commands.NOTHING:
                continue  # withdrawn, or done with
            name = message.topic[len(self._topic) + 9 :]  # behind "commands/"
            if not commands.is_name(name):  # it may not be cleared, and come in every session
                if not self._odd:
                    self._odd = True
                    await self._results.refuse(commands.refusal(None, commands.MALFORMED), name)
                continue
            found, result = gate.genuine(message.payload)
            if found is not None:
                if all(each[0] != found["counter"] for each in held):
                    held.append((found["counter"], name, found))
                    held.sort(key=lambda each: each[0])
                    held = held[: self._left]
                continue
            repeated = result["why"] == commands.REPEATED
            if repeated and message.retained and not name:
                log.debug("command %s has been executed", result["id"])
                continue
            self._left -= 1
            if repeated and name:
                await self._results.again(gate, result, name)
            else:
                if result["why"] == commands.REPLAY:
                    gate.prove(result)
                await self._results.refuse(result, name)
                if result["why"] == commands.REPLAY and message.retained and not name:
                    await self._results.clear(name)  # those of the queue have passed it
            if not self._left:
                return []  # who knows what else there is
        return held

    async def _next(self, ms: int):
        """The next message, None if none comes in time."""
        begin = time.ticks_ms()
        while True:
            message = self._mqtt.check_msg()
            left = ms - time.ticks_diff(time.ticks_ms(), begin)
            if message is not None or left <= 0:
                return message
            try:
                return await asyncio.wait_for_ms(self._mqtt.wait_msg(), left)
            except asyncio.TimeoutError:
                return self._mqtt.check_msg()

    async def _take(self, gate: commands.Gate, found: dict, name: str) -> None:
        results, orders = self._results, self._orders  # what cannot be loaded costs no counter
        order, result = gate.admit(found)
        # Before it is executed: a command that the power cuts short is lost, never repeated.
        try:
            store(_COUNTER_FILE, b"%d" % gate.counter, files.replace)
        except OSError as error:
            log.error("counter of commands not stored: %s", error)
            order, result = None, commands.refusal(None, _NOT_STORED)
        if order is None:
            await results.refuse(result, name)
            return
        result = await orders.execute(order, name)
        self._ends = orders.restarts
        await results.answer(result, name, order.do)


def _stored_counter() -> int | None:
    """0 before the first command; None if it cannot be read, so that nothing may be replayed."""
    try:
        text = load(_COUNTER_FILE, files.read)
    except OSError:
        return None
    if text is None:
        return 0
    return int(text) if text.isdigit() else None
