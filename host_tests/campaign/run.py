"""The campaign itself: faults one after another, each for some wakes, and what came of it."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from host_tests.campaign.faults import FAULTS
from host_tests.campaign.rig import NODE, Rig
from host_tests.patience import LIMIT_S
from tools.broker import Address
from tools.demo.subscriber import Subscriber, as_sampled
from tools.power.account import NAUS_PER_MAH
from tools.power.delivery import confirmed

FAULTY_WAKES = (1, 4)  # at the least, at the most
GOOD_WAKES = (2, 6)
# Sometimes for so long that the outbox is full, and its policy counts.
LASTING = ("no network", "broker down", "registration denied")
LASTING_WAKES = (100, 160)
LASTS_ONE_IN = 4
WAKE_LIMIT_S = 16 * 900 * 2  # the longest sleep after failures in a row, and something
SETTLE_S = 40 * 86400
ALLOWED_WAKE_S = 620  # safe mode lasts 600; any other wake is given up after 300
ALLOWED_WAKE_MAH = 12.0


@dataclass
class Outcome:
    """What the campaign came to; `problems` is empty when the node kept every promise."""

    wakes: int = 0
    faults: Counter = field(default_factory=Counter)
    sampled: int = 0
    delivered: int = 0
    repeated: int = 0
    dropped: int = 0
    longest_wake_s: float = 0.0
    dearest_wake_mah: float = 0.0
    days: float = 0.0
    problems: list[str] = field(default_factory=list)


def campaign(
    folder: Path,
    broker: Address,
    wakes: int,
    seed: int,
    tell: Callable[[str, int], None],
    lasting: bool = True,
) -> Outcome:
    """Let a node live through so many wakes.

    tell -- called with the fault that begins and the wakes so far
    lasting -- now and then one lasts for more than a day, so that the outbox is full
    """
    with (
        Subscriber(broker, f"nodes/{NODE}/telemetry") as subscriber,
        Rig(folder, broker, seed) as rig,
    ):
        used: Counter = Counter()
        _live(rig, 3)
        bag: list[str] = []
        while len(rig.bench.wakes) < wakes:
            if not bag:  # all kinds equally often, in a new order each time
                bag = sorted(FAULTS)
                rig.random.shuffle(bag)
            name = bag.pop()
            tell(name, len(rig.bench.wakes))
            used[name] += 1
            FAULTS[name].begin(rig)
            lasts = lasting and name in LASTING and not rig.random.randrange(LASTS_ONE_IN)
            _live(rig, rig.random.randint(*(LASTING_WAKES if lasts else FAULTY_WAKES)))
            FAULTS[name].end(rig)
            _live(rig, rig.random.randint(*GOOD_WAKES))
        _settle(rig, subscriber)
        return _outcome(rig, subscriber, used)


def _live(rig: Rig, wakes: int) -> None:
    """Until so many more wakes have ended in deep sleep."""
    lived = len(rig.bench.wakes)
    begin_s = rig.bench.timeline.now_us / 1e6
    rig.bench.run(
        until=lambda: rig.asleep and len(rig.bench.wakes) >= lived + wakes,
        limit_s=begin_s + (wakes + 1) * WAKE_LIMIT_S,
    )


def _settle(rig: Rig, subscriber: Subscriber) -> None:
    """Without faults: until the queue is empty."""
    before = len(rig.said("delivered"))
    begin_s = rig.bench.timeline.now_us / 1e6
    rig.bench.run(
        until=lambda: rig.asleep and len(rig.said("delivered")) > before,
        limit_s=begin_s + SETTLE_S,
    )
    _live(rig, 8)
    subscriber.wait(confirmed(rig.bench.console), LIMIT_S)


def _outcome(rig: Rig, subscriber: Subscriber, used: Counter) -> Outcome:
    sampled = [line.encode() for line in rig.said("sampled")]
    known = set(sampled)
    arrived = list(dict.fromkeys(as_sampled(record, known) for record in subscriber.records))
    rig.watch.finish("", "ls26500")
    made = Outcome(
        wakes=len(rig.bench.wakes),
        faults=used,
        sampled=len(sampled),
        delivered=len(arrived),
        repeated=len(subscriber.records) - len(arrived),
        dropped=rig.flash.dropped(),
        days=rig.bench.timeline.now_us / 86400e6,
    )
    spans = [(w.end_us - w.start_us) / 1e6 for w in rig.bench.wakes if w.end_us is not None]
    made.longest_wake_s = max(spans)
    wakes = rig.meter.account.by_wake.values()
    made.dearest_wake_mah = max(sum(s.charge for s in w.values()) / NAUS_PER_MAH for w in wakes)
    # After the last report a few samples may wait for the next one.
    waiting = sampled[-5:]
    missing = [r for r in sampled if r not in set(arrived) and r not in waiting]
    if len(missing) > made.dropped:
        made.problems.append(
            f"{len(missing)} records are missing, {made.dropped} were given up or damaged; "
            f"the first: {missing[0]!r}"
        )
    order = [r for r in arrived if r in known]
    if order != [r for r in sampled if r in set(order)]:
        made.problems.append("the records did not arrive in order")
    # A supply cut right after the record was stored, before it was told of on the console.
    strangers = [r for r in arrived if r not in known]
    if len(strangers) > used["supply cut"] + used["program hangs"] * FAULTY_WAKES[1]:
        made.problems.append(f"arrived, but never sampled: {strangers[0]!r}")
    for record in arrived:
        json.loads(record)
    if made.longest_wake_s > ALLOWED_WAKE_S:
        made.problems.append(f"a wake lasted {made.longest_wake_s:.0f} s")
    if made.dearest_wake_mah > ALLOWED_WAKE_MAH:
        made.problems.append(f"a wake took {made.dearest_wake_mah:.1f} mAh")
    return made
