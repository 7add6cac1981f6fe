"""The ladder: which rungs are climbed for which error, each once in a wake."""

import asyncio
import time

import c1100
from c1100 import CommandError, NoModule, NotRegistered, RegistrationDenied, SimError, Timeout
from firmware import recovery
from host_tests.support import raises


class Modem:
    """Records what is done to it; ``failing`` names what it refuses."""

    def __init__(self, *failing):
        self.done = []
        self.failing = failing

    async def _do(self, what):
        self.done.append(what)
        if what in self.failing:
            raise Timeout(what)

    async def wake(self):
        await self._do("wake")

    async def radio(self, on):
        await self._do("radio on" if on else "radio off")

    async def restart(self):
        await self._do("restart")

    async def power_cycle(self):
        await self._do("power")

    async def power_on(self):
        await self._do("power on")


class Cut:
    """The pin that takes the supply away."""

    def __init__(self, modem):
        self.modem = modem

    def on(self):
        self.modem.done.append("cut")

    def off(self):
        self.modem.done.append("supplied")


class Action:
    """Fails so many times with an error, then returns 42."""

    def __init__(self, times, error):
        self.times = times
        self.error = error
        self.tries = 0

    async def __call__(self):
        self.tries += 1
        if self.tries <= self.times:
            raise self.error
        return 42


def ladder(modem, time_left=lambda: 100000, cut=None):
    return recovery.Recovery(modem, time_left, cut)


async def test_nothing_is_done_when_all_is_well():
    modem = Modem()
    climber = ladder(modem)
    assert await climber.run(Action(0, None)) == 42
    assert modem.done == climber.events == []


async def test_each_failure_climbs_one_rung():
    for failures, done in (
        (1, ["wake"]),
        (2, ["wake", "radio off", "radio on"]),
        (3, ["wake", "radio off", "radio on", "restart"]),
        (4, ["wake", "radio off", "radio on", "restart", "power"]),
    ):
        modem = Modem()
        climber = ladder(modem)
        assert await climber.run(Action(failures, Timeout("x"))) == 42
        assert modem.done == done
        assert len(climber.events) == failures


async def test_the_top_of_the_ladder_is_the_end():
    modem = Modem()
    climber = ladder(modem)
    action = Action(99, CommandError("ERROR"))
    with raises(CommandError):
        await climber.run(action)
    assert action.tries == len(recovery.LADDER)
    # What did not help in this wake is not done again for the next action.
    with raises(CommandError):
        await climber.run(action)
    assert action.tries == len(recovery.LADDER) + 1
    assert climber.events == [rung[0] for rung in recovery.LADDER[:-1]]


async def test_a_rung_that_fails_leads_to_the_next():
    modem = Modem("radio off", "restart")
    climber = ladder(modem)
    assert await climber.run(Action(2, Timeout("x"))) == 42
    assert modem.done == ["wake", "radio off", "restart", "power"]


async def test_what_is_not_up_to_the_module_climbs_nothing():
    modem = Modem()
    climber = ladder(modem)
    with raises(RegistrationDenied):
        await climber.run(Action(9, RegistrationDenied("no")))
    assert modem.done == climber.events == []


async def test_no_rung_is_begun_when_the_time_is_over():
    modem = Modem()
    climber = ladder(modem, lambda: 0)
    with raises(Timeout):
        await climber.run(Action(9, Timeout("x")))
    assert modem.done == climber.events == []


async def test_the_supply_is_cut_last_where_that_is_wired():
    modem = Modem()
    climber = ladder(modem, cut=Cut(modem))
    assert await climber.run(Action(5, Timeout("x"))) == 42
    assert modem.done[-4:] == ["power", "cut", "supplied", "power on"]
    assert climber.events[-1] == "supply"


async def test_a_module_that_is_not_there_has_only_its_supply_cut():
    modem = Modem()
    climber = ladder(modem, cut=Cut(modem))
    assert await climber.run(Action(1, NoModule("x"))) == 42
    assert modem.done == ["cut", "supplied", "power on"]
    modem = Modem()
    climber = ladder(modem)
    with raises(NoModule):
        await climber.run(Action(1, NoModule("x")))
    assert modem.done == climber.events == []


async def test_a_module_that_is_found_missing_on_the_way_has_only_its_supply_cut():
    class Gone(Modem):
        async def wake(self):
            await self._do("wake")
            raise NoModule("x")

    modem = Gone()
    climber = ladder(modem, cut=Cut(modem))
    assert await climber.run(Action(1, Timeout("x"))) == 42
    assert modem.done == ["wake", "cut", "supplied", "power on"]
    assert climber.events == ["again", "supply"]


async def test_a_rung_that_does_not_end_is_left_for_the_next():
    class Stuck(Modem):
        async def restart(self):
            await asyncio.sleep_ms(10000000)

    modem = Stuck()
    climber = ladder(modem, lambda: 300000)
    assert await climber.run(Action(3, Timeout("x"))) == 42
    assert modem.done == ["wake", "radio off", "radio on", "power"]
    assert climber.events == ["again", "radio", "restart", "power"]


async def test_a_rung_ends_where_the_action_begins():
    modem = Modem()
    climber = ladder(modem)

    async def ready():
        modem.done.append("ready")

    class Delivery(Action):
        async def __call__(self):
            modem.done.append("deliver")
            return await super().__call__()

    assert await climber.run(Delivery(3, CommandError("ERROR")), ready) == 42
    assert modem.done == (
        ["deliver", "wake", "ready", "deliver", "radio off", "radio on", "ready", "deliver"]
        + ["restart", "ready", "deliver"]
    )


async def test_a_rung_that_does_not_lead_back_leads_to_the_next():
    for error in (Timeout("x"), CommandError("x"), NotRegistered("x"), SimError("BUSY", "x")):
        climber = ladder(Modem())
        ready = Action(2, error)  # not after the first two rungs
        action = Action(1, Timeout("y"))
        assert await climber.run(action, ready) == 42
        assert climber.events == ["again", "radio", "restart"]
        assert (ready.tries, action.tries) == (3, 2)


async def test_a_climb_ends_with_what_no_rung_mends():
    climber = ladder(Modem())
    action = Action(9, Timeout("y"))
    ready = Action(9, c1100.PinRefused("SIM PIN", "no"))
    with raises(c1100.PinRefused):
        await climber.run(action, ready)
    assert (climber.events, action.tries, ready.tries) == (["again"], 1, 1)


# What each error says of the module: whether a rung could help.
HELPS = (
    (Timeout("x"), True),
    (CommandError("x"), True),
    (c1100.CmeError(3, "x"), True),
    (c1100.CmsError(300, "x"), True),
    (c1100.BadAnswer("x"), True),
    (c1100.NotConnected("x"), True),
    (c1100.Rebooted("x"), True),
    (c1100.Asleep("x"), True),
    (c1100.PayloadError(1, 2), True),
    (SimError("BUSY", "x"), True),
    (SimError("UNKNOWN", "x"), True),
    (c1100.Refused("x"), False),
    (c1100.BadArgument("x"), False),
    (c1100.NotSupported("x"), False),
    (c1100.Overflow("x"), False),
    (NotRegistered("x"), False),
    (RegistrationDenied("x"), False),
    (SimError("NO SIM", "x"), False),
    (SimError("SIM PIN", "x"), False),
    (SimError("SIM PUK", "x"), False),
    (SimError("FAILURE", "x"), False),
    (SimError("WRONG", "x"), False),
    (SimError("PH-NET PIN", "x"), False),
    (c1100.PinRefused("SIM PIN", "x"), False),
)


async def test_climbs_for_what_is_up_to_the_module_and_for_nothing_else():
    for error, helps in HELPS:
        modem = Modem()
        climber = ladder(modem)
        action = Action(9, error)
        with raises(type(error)):
            await climber.run(action)
        assert climber.events == (["again", "radio", "restart", "power"] if helps else []), error
        assert action.tries == (5 if helps else 1)


async def test_what_is_no_error_of_the_driver_is_not_the_ladders():
    for error in (OSError(84), MemoryError(), ValueError("x"), RuntimeError("x"), KeyError("x")):
        climber = ladder(Modem())
        with raises(type(error)):
            await climber.run(Action(9, error))
        assert climber.events == []


async def test_whatever_hangs_ends_with_the_time_of_the_wake():
    async def hangs():
        await asyncio.sleep_ms(10000000)

    def wake(ms):
        end = time.ticks_add(time.ticks_ms(), ms)
        return lambda: time.ticks_diff(end, time.ticks_ms())

    for action, ready, events in ((hangs, None, []), (Action(9, Timeout("x")), hangs, ["again"])):
        climber = ladder(Modem(), wake(50000))
        begin = time.ticks_ms()
        with raises(Timeout):
            await climber.run(action, ready)
        assert climber.events == events
        assert 50000 <= time.ticks_diff(time.ticks_ms(), begin) < 51000


async def test_the_supply_is_back_whatever_ends_the_rung():
    modem = Modem()
    climber = ladder(modem, cut=Cut(modem))
    climbing = asyncio.create_task(climber.run(Action(9, NoModule("x"))))
    await asyncio.sleep_ms(100)
    assert modem.done == ["cut"]
    climbing.cancel()
    try:
        await climbing
    except asyncio.CancelledError:
        pass
    await asyncio.sleep_ms(0)
    assert modem.done == ["cut", "supplied"]
