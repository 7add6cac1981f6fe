"""What a node does when it is told to. Loaded only in sessions that have a command."""

import json

from micropython import const

from c1100 import C1100Error

from . import ConfigError, commands, log, trial
from .sensors import position
from .version import versions

_RESULT_BYTES = const(480)  # with quotes in it, the module takes 512 at most
_FAULTS = (ValueError, TypeError, LookupError, ArithmeticError, MemoryError, RuntimeError)


class Orders:
    """node -- app.Node; report -- async callable that samples and delivers

    restarts -- whether the node does: what comes now is for the one that it will be
    """

    def __init__(self, node, report) -> None:
        self._node = node
        self._report = report
        self._name = ""  # under which the outcome of a setting is told
        self.restarts = False

    async def execute(self, order: commands.Order, name: str) -> dict:
        """Returns the result. name -- of the command's own topic, "" if it has none"""
        log.info("command %s: %s", order.id, order.do)
        # With its counter the outcome goes where the result goes.
        self._name = "%s %d" % (name, order.counter) if name else order.id
        result = {"result": commands.DONE}
        try:
            result.update(await ACTIONS[order.do](self, order))
        except (C1100Error, ConfigError, OSError) as error:
            result = {"result": commands.FAILED, "why": str(error)[: commands.WHY_CHARACTERS]}
            log.warning("command %s failed: %s", order.id, result["why"])
        except _FAULTS as error:  # what is in their texts may be anything
            log.crash(error)
            result = {"result": commands.FAILED, "why": type(error).__name__}
        result["id"] = order.id
        result["counter"] = order.counter
        return result

    # Each returns what the result has besides ---------------------------------------------------

    async def _ping(self, _order: commands.Order) -> dict:
        state = self._node.state
        found = {"start": state.starts, "wake": state.wakes, "backlog": len(self._node.outbox)}
        found.update({name: text for name, _, text in versions()})
        return found

    async def _report_now(self, _order: commands.Order) -> dict:
        await self._report()
        return {"backlog": len(self._node.outbox)}

    async def _set(self, order: commands.Order) -> dict:
        key, value = order.args["key"], order.args["value"]
        trial.start(self._name, key, value)
        log.info("%s is on trial", key)
        self._restart()
        return {"result": trial.TRYING, "key": key}

    async def _reboot(self, _order: commands.Order) -> dict:
        self._restart()
        return {}

    def _restart(self) -> None:
        self.restarts = True
        self._node.restart()

    async def _log(self, order: commands.Order) -> dict:
        lines = log.lines()
        lines = lines[: len(lines) - max(order.args.get("skip", 0), 0)]
        found = []
        room = _RESULT_BYTES - 160  # for what else the result has
        while lines:
            room -= len(json.dumps(lines[-1])) + 2
            if room < 0:
                break
            found.insert(0, lines.pop())
        return {"lines": found, "more": len(lines)}

    async def _fix(self, _order: commands.Order) -> dict:
        samples = await position.read(self._node)
        self._node.keep(samples)
        found = {"alt": None}
        found.update({name: value for name, _, value in samples if name in ("lat", "lon", "alt")})
        return found


ACTIONS = {
    "ping": Orders._ping,
    "report": Orders._report_now,
    "set": Orders._set,
    "reboot": Orders._reboot,
    "log": Orders._log,
    "fix": Orders._fix,
}
