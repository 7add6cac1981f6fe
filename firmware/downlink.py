"""The node's ear: takes commands over the MQTT session of a report, and answers.

Loaded only when the node has a ``commands.key``. A command waits for the node as a retained
message, or comes while it listens.
"""

import asyncio
import json
import time
from binascii import unhexlify

from micropython import const

from c1100 import C1100Error

from . import commands, config, files, log, telemetry, trial
from .files import load, store
from .sensors import position

_COUNTER_FILE = "commands.counter"
_MOST = const(8)  # messages of one session, whoever sends them
_RESULT_BYTES = const(480)  # with quotes in it, the module takes 512 at most
_WHY_CHARACTERS = const(120)
_NOT_STORED = "its counter cannot be stored"
_FAULTS = (ValueError, TypeError, LookupError, ArithmeticError, MemoryError, RuntimeError)
_DONE = "done"
_FAILED = "failed"


class Downlink:
    """node -- app.Node; mqtt -- a session of c1100.MQTT; report -- async callable that samples and
    delivers
    """

    def __init__(self, node, mqtt, report) -> None:
        self._node = node
        self._mqtt = mqtt
        self._report = report
        self._topic = "nodes/%s/" % node.settings["id"]

    async def run(self) -> None:
        """Tell what became of a setting on trial, listen, execute, answer.

        Raises C1100Error when the session ends.
        """
        if not self._mqtt.connected:
            await self._mqtt.connect()
        await self._tell_outcome()
        counter = _stored_counter()
        if counter is None:
            log.tell("commands are refused: %s is damaged; provision again", _COUNTER_FILE)
            return
        settings = self._node.settings
        gate = commands.Gate(settings["id"], unhexlify(settings["commands.key"]), counter)
        await self._mqtt.subscribe(self._topic + "commands")
        lost = self._mqtt.lost
        for _ in range(_MOST):
            message = await self._next(settings["commands.listen_s"] * 1000)
            if message is None:
                break
            await self._take(gate, message)
        if self._mqtt.lost != lost:
            await self._refuse(commands.refusal(None, commands.TOO_LONG))

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

    async def _take(self, gate: commands.Gate, message) -> None:
        if not message.payload:
            return  # a retained command was withdrawn
        before = gate.counter
        order, result = gate.judge(message.payload)
        if gate.counter != before:
            # Before it is executed: a command that the power cuts short is lost, never repeated.
            try:
                store(_COUNTER_FILE, b"%d" % gate.counter, files.replace)
            except OSError as error:
                log.error("counter of commands not stored: %s", error)
                order, result = None, commands.refusal(None, _NOT_STORED)
        if order is None:
            if message.retained and result["why"] == commands.REPEATED:
                log.debug("command %s has been executed", result["id"])
                return
            await self._refuse(result)
            return
        log.info("command %s: %s", order.id, order.do)
        result = {"result": _DONE}
        try:
            result.update(await _ACTIONS[order.do](self, order))
        except (C1100Error, config.ConfigError, OSError) as error:
            result = {"result": _FAILED, "why": str(error)[:_WHY_CHARACTERS]}
            log.warning("command %s failed: %s", order.id, result["why"])
        except _FAULTS as error:  # what is in their texts may be anything
            log.crash(error)
            result = {"result": _FAILED, "why": type(error).__name__}
        result["id"] = order.id
        result["counter"] = order.counter
        await self._publish(result)

    async def _refuse(self, result: dict) -> None:
        log.warning("command %s refused: %s", result["id"], result["why"])
        await self._publish(result)

    async def _publish(self, result: dict) -> None:
        await self._mqtt.publish(self._topic + "results", telemetry.flat(result), 1)

    async def _tell_outcome(self) -> None:
        outcome = trial.outcome()
        if outcome is None:
            return
        result = {"id": outcome["name"], "result": outcome["state"], "key": outcome["key"]}
        if "why" in outcome:
            result["why"] = outcome["why"][:_WHY_CHARACTERS]
        await self._publish(result)
        try:
            trial.forget()
        except OSError as error:  # it is told once more
            log.error("outcome of the trial not removed: %s", error)

    # What commands do: each returns what the result has besides ----------------------------------

    async def _ping(self, _order: commands.Order) -> dict:
        state = self._node.state
        return {"start": state.starts, "wake": state.wakes, "backlog": len(self._node.outbox)}

    async def _report_now(self, _order: commands.Order) -> dict:
        await self._report()
        return {"backlog": len(self._node.outbox)}

    async def _set(self, order: commands.Order) -> dict:
        key, value = order.args["key"], order.args["value"]
        trial.start(order.id, key, value)
        log.info("%s is on trial", key)
        self._node.restart()
        return {"result": trial.TRYING, "key": key}

    async def _reboot(self, _order: commands.Order) -> dict:
        self._node.restart()
        return {}

    async def _log(self, order: commands.Order) -> dict:
        lines = log.lines()
        lines = lines[: len(lines) - max(order.args.get("skip", 0), 0)]
        found = []
        room = _RESULT_BYTES - 100  # for what else the result has
        while lines:
            room -= len(json.dumps(lines[-1])) + 2
            if room < 0:
                break
            found.insert(0, lines.pop())
        return {"lines": found, "more": len(lines)}

    async def _fix(self, _order: commands.Order) -> dict:
        samples = await position.read(self._node)
        self._node.keep(samples)
        return {name: value for name, _, value in samples if name in ("lat", "lon", "alt")}


_ACTIONS = {
    "ping": Downlink._ping,
    "report": Downlink._report_now,
    "set": Downlink._set,
    "reboot": Downlink._reboot,
    "log": Downlink._log,
    "fix": Downlink._fix,
}


def _stored_counter() -> int | None:
    """0 before the first command; None if it cannot be read, so that nothing may be replayed."""
    try:
        text = load(_COUNTER_FILE, files.read)
    except OSError:
        return None
    if text is None:
        return 0
    return int(text) if text.isdigit() else None
