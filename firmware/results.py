"""What becomes of commands, told to those who gave them; the rules are in commands.py.

Loaded only in sessions that have something to tell.
"""

from c1100 import BadArgument, CommandError

from . import clock, commands, files, log, strict_json, telemetry, trial
from .files import load, store

_FILE = "commands.result"  # of the last command of the queue


class Results:
    """node -- app.Node; mqtt -- an open session of c1100.MQTT

    name, below -- the last level of a command's own topic, "" if it has none
    """

    def __init__(self, node, mqtt) -> None:
        self._node = node
        self._mqtt = mqtt
        self._topic = "nodes/%s/" % node.settings["id"]

    async def answer(self, result: dict, name: str, do: str) -> None:
        """Tell the result of what was executed; of the queue until it is known to have arrived."""
        if not name:
            await self._tell(telemetry.flat(result), name)
            return
        result["do"] = do
        node = self._node
        at = clock.unix(node.now())
        if at is not None:
            result["time"] = at
            result["due"] = at + node.settings["report.period_s"] * node.scheduler.stretch
        text = telemetry.flat(result)
        try:
            store(_FILE, text.encode(), files.replace)
        except OSError as error:  # it is told only now
            log.error("result of a command not stored: %s", error)
        await self._tell(text, name)

    async def again(self, gate: commands.Gate, refusal: dict, name: str) -> None:
        """What became of the last command: whoever gave it may not have heard."""
        counter = gate.counter
        known = _stored()
        if known is None or known.get("counter") != counter:
            known = {"id": refusal["id"], "counter": counter}
            known.update({"result": commands.FAILED, "why": commands.CUT_SHORT})
        elif known.get("id") != refusal["id"]:  # another one with the same counter
            known = commands.refusal(refusal["id"], commands.REPLAY)
            gate.prove(known)
        await self._tell(telemetry.flat(known), name)

    async def refuse(self, result: dict, name: str) -> None:
        self._node.refused += 1
        log.warning("command %s refused: %s", result["id"], result["why"])
        await self._tell(telemetry.flat(result), name)

    async def clear(self, name: str) -> None:
        """Take a command off its topic; without a name, the one in the single place."""
        topic = "commands/" + name if name else "commands"
        for nothing in commands.NOTHING:
            if await self._keep(topic, nothing):
                break

    async def _tell(self, text: str, name: str) -> None:
        self._node.sent += len(text)
        await self._mqtt.publish(self._topic + "results", text, 1)
        if name:
            await self._keep("results/" + name, text)
            await self.clear(name)

    async def _keep(self, topic: str, payload) -> bool:
        """Have the broker retain it. Returns whether module and broker take it."""
        try:
            await self._mqtt.publish(self._topic + topic, payload, 1, True)
        except (BadArgument, CommandError) as error:
            log.warning("%s stays as it is: %s", topic, error)
            return False
        return True

    async def outcome(self, outcome: dict) -> None:
        """Tell what has become of a setting, as trial.outcome() gives it."""
        name, _, counter = outcome["name"].partition(" ")
        result = {"id": name, "result": outcome["state"], "key": outcome["key"]}
        if "why" in outcome:
            result["why"] = outcome["why"][: commands.WHY_CHARACTERS]
        if counter.isdigit():
            result["counter"] = int(counter)
        await self.answer(result, name if counter else "", "set")
        try:
            trial.forget()
        except OSError as error:  # it is told once more
            log.error("outcome of the trial not removed: %s", error)


def _stored() -> dict | None:
    """None where there is none that can be read."""
    try:
        found = strict_json.loads(load(_FILE, files.read) or b"")
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
