"""What becomes of a backlog at a far side that refuses: each record arrives once, in order, or is
set aside; and nothing is, because of a far side that refuses everything.
"""

import json
import os

from c1100 import BadArgument, C1100Error, CommandError, NotConnected, Refused, Timeout
from firmware import aside, clock, dates, delivery, log, state, telemetry, uplinks
from firmware.outbox import Outbox
from firmware.uplinks.refusal import Unfit
from host_tests.support import fails
from host_tests.support.scratch import folder

HOME = os.getcwd()


class Far:
    """A far side, and the uplink to it.

    bad    -- predicate of a record: it refuses a batch that holds such a one
    most   -- records that it takes at once
    lines  -- it confirms record by record, as far as it gets
    """

    batch_bytes = 400

    def __init__(self):
        self.bad = lambda record: False
        self.most = 1000
        self.lines = False
        self.error = lambda: Unfit(Refused("400"), self.lines)
        self.taken = []  # numbers, as confirmed
        self.requests = 0
        self.closed = 0
        self.time = None
        self.lie = 0

    def __call__(self, settings, modem):  # the class that an uplink's module has
        return self

    async def send(self, batch):
        self.requests += 1
        assert batch == sorted(batch)
        for _, record in batch:
            json.loads(record)
        good = [seq for seq, record in batch if not self.bad(record)]
        if self.lines:
            got = 0
            while got < len(batch) and not self.bad(batch[got][1]):
                got += 1
            if not got:
                raise self.error()
            good = [seq for seq, _ in batch[:got]]
        elif len(good) < len(batch) or len(batch) > self.most:
            raise self.error()
        self.taken += good
        return good[-1] + self.lie

    async def close(self):
        self.closed += 1


class Board:
    def set_clock(self, utc):
        pass


class Node:
    """In an empty folder that is the node's flash; ``far`` is its uplink."""

    def __init__(self, far):
        self.far = far
        self.settings = {
            "id": "n",
            "payload.format": "senml+json",
            "report.limit_s": 60,
            "battery.kind": "none",
            "uplink.first": "http",
            "uplink.then": "none",
            "commands.key": "",
        }
        self.state = state.State(starts=1)
        self.proved = []
        self.sent = 0
        self.times = []
        self.events = []
        self.step = 0
        self.left_ms = 300000

    def __enter__(self):
        where = folder()
        os.mkdir(where)
        os.chdir(where)
        log.begin("off")
        self.outbox = Outbox("outbox", 65536)
        self._load = uplinks.load
        far = self.far

        class Module:
            Uplink = far

        uplinks.load = lambda name: Module
        return self

    def __exit__(self, *_):
        uplinks.load = self._load
        os.chdir(HOME)

    def keep(self, samples, at_s=None):
        self.events += [value for name, _, value in samples if name == "event"]
        self.add(samples)

    def add(self, samples=()):
        seq = self.outbox.next
        pack = telemetry.senml("n", [("seq", None, seq)] + list(samples), 1700000000)
        assert self.outbox.append(pack.encode()) == seq
        return seq

    def delivered(self, proved):
        self.proved.append(proved)

    def time_left(self):
        return self.left_ms

    def now(self):
        return 1700000000 - clock.epoch()

    def set_clock(self, known):
        self.times.append(known)
        return self.step

    async def report(self):
        """One report. Returns the error that it ended with, or None."""
        try:
            await delivery.Delivery(self, None).run()
        except C1100Error as error:
            assert not isinstance(error, Unfit), "the ladder would not know it"
            self.state.failures += 1
            return error
        self.state.failures = 0
        return None

    async def live(self, reports):
        """So many reports, a new record before each."""
        for _ in range(reports):
            self.add()
            await self.report()


def number(record):
    return json.loads(record)[0]["v"]


def bad(numbers):
    return lambda record: number(record) in numbers


BACKLOG = 12
# Which of the backlog of 12 are refused.
POISON = (
    [[n] for n in range(1, BACKLOG + 1)]
    + [[n, n + 1] for n in range(1, BACKLOG)]
    + [[1, 12], [1, 6, 12], [2, 4, 6, 8, 10, 12], [1, 3, 5, 7, 9, 11], [3, 4, 5], [1, 2, 3, 4]]
    + [[2, 3, 4, 5, 6], [9, 10, 11, 12], list(range(1, 12)), list(range(2, 13))]
)


async def _poisoned(lines, poison):
    far = Far()
    far.lines = lines
    far.bad = bad(poison)
    with Node(far) as node:
        for _ in range(BACKLOG):
            node.add()
        await node.live(30)
        assert node.outbox.peek(1) == [], poison
        expected = [seq for seq in range(1, node.outbox.next) if seq not in poison]
        assert far.taken == expected, (poison, far.taken)
        told = [event for event in node.events if "set aside" in event]
        assert sorted([int(event.split()[1]) for event in told]) == poison
        with open("set_aside", "rb") as file:
            kept = file.read().split(b"\n")[:-1]
        assert sorted([number(record) for record in kept]) == poison
        assert Outbox("refused", 8192).peek(1) == []
        assert Outbox("refused", 8192).dropped == len(poison)


async def test_a_record_that_is_refused_lets_the_others_through():
    for poison in POISON:
        await _poisoned(False, poison)


async def test_so_it_does_where_each_record_is_confirmed():
    for poison in POISON:
        await _poisoned(True, poison)


async def test_the_others_do_not_even_wait():
    for poison in range(1, BACKLOG + 1):
        far = Far()
        far.bad = bad([poison])
        with Node(far) as node:
            for _ in range(BACKLOG):
                node.add()
            assert await node.report() is None
            assert far.taken == [n for n in range(1, BACKLOG + 1) if n != poison]
            assert far.requests <= 12
            assert node.proved == [True]
            assert node.events == []  # it is tried again first


async def test_a_far_side_that_refuses_everything_gets_everything_later():
    for lines in (False, True):
        for reports in (1, 3, 10):
            far = Far()
            far.lines = lines
            far.bad = lambda record: True
            with Node(far) as node:
                for _ in range(40):
                    node.add()
                for n in range(reports):
                    before = far.requests
                    assert isinstance(await node.report(), Refused)
                    assert far.requests - before <= 8 + (4 << min(n, 4))
                assert node.proved == []
                assert far.closed == reports
                far.bad = lambda record: False
                assert await node.report() is None
                assert far.taken == list(range(1, 41))
                assert "refused" not in os.listdir()


async def test_a_long_row_of_records_that_nobody_takes_any_more():
    far = Far()
    far.bad = bad(range(1, 51))
    with Node(far) as node:
        for _ in range(50):
            node.add()
        reports = 0
        while not far.taken:
            node.add()
            await node.report()
            reports += 1
        assert reports <= 6
        await node.live(60)
        assert far.taken == list(range(51, node.outbox.next))
        # What did not fit into the queue of their own was dropped there, and told.
        assert Outbox("refused", 8192).dropped == 50
        assert [event for event in node.events if "lost" in event] == []


async def test_smaller_batches_for_who_takes_no_more_at_once():
    for most in (1, 2, 3, 4, 5, 7):
        far = Far()
        far.most = most
        with Node(far) as node:
            for _ in range(BACKLOG):
                node.add()
            assert await node.report() is None
            assert far.taken == list(range(1, BACKLOG + 1))
            assert far.requests <= BACKLOG + 4
            assert sorted(os.listdir()) == ["outbox", "outbox.next"]


async def test_what_was_refused_for_a_passing_reason_gets_through():
    for tries in (1, 2):
        for lines in (False, True):
            far = Far()
            far.lines = lines
            far.bad = bad([5])
            with Node(far) as node:
                for _ in range(BACKLOG):
                    node.add()
                await node.live(tries)
                far.bad = lambda record: False
                await node.live(2)
                assert sorted(far.taken) == list(range(1, node.outbox.next))
                assert node.events == []
                assert Outbox("refused", 8192).dropped == 0


async def test_other_refusals_set_nothing_aside():
    for kind in (Refused, Timeout, NotConnected):
        far = Far()
        far.bad = lambda record: True
        far.error = lambda kind=kind: kind("no")
        with Node(far) as node:
            for _ in range(BACKLOG):
                node.add()
            for n in range(1, 11):
                assert isinstance(await node.report(), kind)
                assert far.requests == n, "at the first refusal it ends"
            far.bad = lambda record: False
            assert await node.report() is None
            assert far.taken == list(range(1, BACKLOG + 1))


async def test_a_module_that_fails_is_given_time_for_the_ladder():
    far = Far()
    far.bad = bad([3])
    far.error = lambda: Unfit(CommandError("ERROR"))
    with Node(far) as node:
        for _ in range(6):
            node.add()
        for _ in range(4):
            assert isinstance(await node.report(), CommandError)
            assert far.taken == []
        assert await node.report() is None
        assert far.taken == [1, 2, 4, 5, 6]


async def test_a_value_that_the_module_does_not_take_is_the_records_fault():
    far = Far()
    far.bad = bad([3])
    far.error = lambda: Unfit(BadArgument("too long"))
    with Node(far) as node:
        for _ in range(6):
            node.add()
        assert await node.report() is None
        assert far.taken == [1, 2, 4, 5, 6]


NO_PACKS = (
    b"",
    b"[",
    b"{}",
    b"[]",
    b"[{",
    b"}]",
    b"garbage",
    b"\x00" * 30,
    b"[1,2]",
    b"~",
    b"17 ",
)


async def test_what_is_no_record_is_never_sent_and_blocks_nothing():
    for junk in NO_PACKS:
        for place in (1, 4, 7):
            far = Far()
            with Node(far) as node:
                for n in range(1, 8):
                    if n == place:
                        node.outbox.append(junk)
                    else:
                        node.add()
                await node.live(5)
                expected = [n for n in range(1, node.outbox.next) if n != place]
                assert far.taken == expected, junk
                assert "record %d set aside" % place in node.events[0]


async def test_confirmations_that_cannot_be():
    for lie in (1, 5, 1000, 1 << 40):  # more than was sent
        far = Far()
        far.lie = lie
        with Node(far) as node:
            for _ in range(BACKLOG):
                node.add()
            assert await node.report() is None
            assert far.taken == list(range(1, BACKLOG + 1))
    for lie in (-BACKLOG, -1000, -(1 << 40)):  # less than the first
        far = Far()
        far.lie = lie
        with Node(far) as node:
            for _ in range(3):
                node.add()
            assert await node.report() is not None
            assert node.outbox.confirmed == 0


class Hostile(Far):
    """Its answer is looked at only when what it confirms is safe."""

    fault = ValueError()
    node = None
    seen = 0

    def _time(self):
        if self.node is not None:
            self.seen = self.node.outbox.confirmed
        raise self.fault

    time = property(_time, lambda self, value: None)


async def test_nothing_that_is_told_undoes_a_confirmation():
    for fault in (ValueError(), RuntimeError(), OverflowError(), MemoryError(), KeyError(1)):
        far = Hostile()
        far.fault = fault
        with Node(far) as node:
            far.node = node
            node.add()
            assert await node.report() is None
            assert node.outbox.confirmed == 1
            assert far.seen == 1
    told = (0, -1, 22, True, 1.5, float("nan"), "x", [], {}, 10**40, None, 1 << 62)
    for time in told:
        far = Far()
        far.time = time
        with Node(far) as node:
            node.add()
            assert await node.report() is None
            assert node.times == []
    for time in (1800000000, 1800000000999, 1800000000999999):
        far = Far()
        far.time = time
        with Node(far) as node:
            for _ in range(BACKLOG):
                node.add()
            assert await node.report() is None
            assert node.times == [1800000000]  # once in a session


async def test_a_large_step_of_the_clock_is_told():
    for step, told in ((0, 0), (-3, 0), (60, 0), (61, 1), (-61, 1), (40 * 86400, 1)):
        far = Far()
        far.time = 1800000000
        with Node(far) as node:
            node.step = step
            node.add()
            assert await node.report() is None
            assert far.taken == list(range(1, 2 + told))


async def test_records_are_dated_as_soon_as_the_time_is_known():
    far = Far()
    far.time = 1800000000
    sent = []
    far.bad = lambda record: sent.append(record) and False
    with Node(far) as node:

        def set_clock(known):
            dates.learned(1, known - clock.epoch() - 5000)
            return 0

        node.set_clock = set_clock
        for n in range(1, BACKLOG + 1):
            pack = telemetry.senml("n", [("seq", None, n)]).encode()
            node.outbox.append(dates.stamped(pack, 1, 1000 + n))
        assert await node.report() is None
        times = [json.loads(record)[0].get("bt") for record in sent]
        undated = times.count(None)
        assert 0 < undated < BACKLOG  # those of the first batch
        assert times[undated:] == [1800000000 - 4000 + n for n in range(undated + 1, BACKLOG + 1)]


async def test_a_session_ends_when_its_time_is_over():
    far = Far()
    far.most = 1
    with Node(far) as node:
        node.settings["report.limit_s"] = -1
        for _ in range(3):
            node.add()
        assert await node.report() is None
        assert far.taken == [1]
        await node.report()
        assert far.taken == [1, 2]


async def test_nothing_is_tried_in_vain_at_the_end_of_a_wake():
    far = Far()
    far.bad = lambda record: True
    with Node(far) as node:
        for _ in range(BACKLOG):
            node.add()
        node.left_ms = 50000
        assert isinstance(await node.report(), Refused)
        assert far.requests == 1


async def test_a_flash_that_takes_nothing_more_loses_the_refused_and_says_so():
    far = Far()
    far.bad = bad([2])
    with Node(far) as node:
        for name in ("refused", "refused.1"):
            with open(name, "w") as file:
                file.write("no folder")
        for _ in range(3):
            node.add()
        assert await node.report() is None
        assert far.taken == [1, 3, 4]
        assert [event.split(":")[0] for event in node.events] == ["record 2 lost"]
        await node.live(3)
        assert far.taken == [1] + list(range(3, node.outbox.next))


async def test_a_damaged_queue_of_refused_records():
    for junk in (b"", b"x", b"1 2", b"x y z", b"1 x [{}]", b"\xff \xfe \xfd"):
        far = Far()
        with Node(far) as node:
            Outbox("refused", 8192).append(junk)
            await node.live(2)
            assert far.taken == [1, 2]
            assert Outbox("refused", 8192).peek(1) == []


async def test_tries_again_fail_without_consequence():
    far = Far()
    far.bad = bad([1])
    with Node(far) as node:
        node.add()
        await node.live(1)
        assert far.taken == [2]

        class Queue(aside.Aside):
            async def again(self, send):
                raise NotConnected("gone")

        before, aside.Aside = aside.Aside, Queue
        try:
            await node.live(1)
        finally:
            aside.Aside = before
        assert node.proved[-1]
        assert len(await _again(node, far)) == 0


async def _again(node, far):
    await node.live(5)
    error = await fails(Unfit, far.send([(1, b'[{"n":"seq","v":1}]')]))
    assert isinstance(error.error, Refused)
    return node.outbox.peek(1)
