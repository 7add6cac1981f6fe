"""The node's jobs, from its configuration and its state."""

from binascii import crc32

from . import coverage, energy, wiring
from .scheduler import GNSS, MODEM, NOTHING, Job, Scheduler, spread, stretch

# job, where the state keeps when it ran, what it needs
_JOBS = (
    ("sample", "sampled", NOTHING),
    ("report", "reported", MODEM),
    ("position", "positioned", GNSS),
)
_MOST_STRETCH = 4
USUAL_ATTACH_S = energy.ATTACH_S
_MOST_DOUBLINGS = 4  # of the period, after failures in a row
_LONGEST_S = 86400  # that the module is left alone because a network has refused it
_SURE = 3  # attaches that were measured
_FORGETS = 4  # one avoided attach of so many makes what is known of them count less
_SPREAD = 8  # a pause varies by one part in so many


def scheduler(settings: dict, state, now_s: int | None = None, shifted: int = 0) -> Scheduler:
    """The scheduler as the state has it.

    now_s   -- clock time; None: whatever the state says is believed
    shifted -- by how much the clock has been set in this wake
    """
    if now_s is not None:
        longest_s = pause_s(_MOST_STRETCH * settings["report.period_s"], state.failures, 0)
        longest_s = max(longest_s, state.failures and _LONGEST_S)
        set_back = state.sampled > now_s + _MOST_STRETCH * settings["sample.period_s"]
        if state.hold > now_s + longest_s or set_back:  # no failure has left this
            state.hold = 0
    jobs = []
    last = []
    factors = {}
    if settings["battery.kind"] != "none":
        from . import battery

        factors = battery.factors(settings, state.level)
        if state.last_word:
            factors["report"] = factors["report"] or 1
    for name, kept, needs in _JOBS:
        period_s = settings[name + ".period_s"] * factors.get(name, 1)
        if not period_s:
            continue
        flex_s = min(settings[name + ".flex_s"], period_s - 1)
        deadline_s = max(flex_s, settings["report.deadline_s"]) if needs == MODEM else flex_s
        jobs.append(Job(name, period_s, flex_s, min(deadline_s, period_s - 1), needs))
        last.append(getattr(state, kept))
    longest = max([job.period_s for job in jobs])
    made = Scheduler(jobs, energy.profile(), spread(settings["id"], longest), last)
    made.shifted = shifted
    made.allowed = wiring.ways(settings)
    kept_as = {name: kept for name, kept, _ in _JOBS}
    for job, last in zip(made.jobs, made.last):
        if last:
            setattr(state, kept_as[job.name], max(last, 1))
    made.hold_s = state.hold or None
    made.tau_s = state.tau or None
    made.poor = coverage.poor(state, settings)
    made.network = network(state, settings)
    return made


def network(state, settings: dict, tail_s: float | None = None) -> energy.Network:
    """What the network has granted, and what an attach takes at such a signal, as far as the
    state knows: no less than at a better one.

    tail_s -- until a connection is released; None: as configured
    """
    return energy.Network(
        coverage.attach(state, settings) or USUAL_ATTACH_S,
        state.psm_active - 1 if state.psm_active else None,
        state.psm_tau or None,
        state.edrx or None,
        settings["sleep.release_s"] if tail_s is None else tail_s,
    )


def preferred(made: Scheduler, state, settings: dict, tail_s: float) -> str:
    """What would be the cheapest for the module between two reports if the network granted the PSM
    that is configured. tail_s -- as network() takes it
    """
    granted = energy.Network(
        network(state, settings).start_s,
        settings["sleep.active_s"],
        settings["sleep.tau_s"],
        None,
        tail_s,
    )
    gap_s = settings["report.period_s"] * made.stretch
    return energy.module_sleep(made.profile.module, gap_s, granted, made.allowed)


def prospects(node) -> tuple:
    """What a session has to know beforehand, as long as the scheduler is loaded: whether a module
    that is off can be started again, how long its connection lasts once it is not used any more,
    how long one may that nobody ends, how it is best left in between, the eDRX cycle that is
    wanted, 0: none, whether the report has waited for a better signal, and how long an attach
    takes here, in seconds, 0: not measured.
    """
    from . import release, unload

    settings, made = node.settings, node.scheduler
    tail = release.Release(node, None)
    tail_s, lingers_s = tail.tail_s, tail.lingers_s
    unload("release")
    return (
        wiring.can_end(settings, energy.OFF),
        tail_s,
        lingers_s,
        preferred(made, node.state, settings, tail_s),
        settings["sleep.edrx_s"] if energy.EDRX in made.allowed else 0,
        made.poor,
        coverage.attach(node.state, settings),
    )


def sleep(node, avoided: bool) -> str:
    """How the module spends the time until it is needed.

    avoided -- the session needed no attach: what it would have taken is known a little less well,
    by 1/256 in the mean. A try costs as much as some reports, so it must be rare

    An attach that is avoided is not measured again. So before a few have been, one of them may
    have been slow by chance: it is tried again where it would pay if half of the time were usual.
    And what is avoided for long enough is tried again. What is known from a better signal alone is
    no reason to try: here it takes no less.
    """
    state = node.state
    made = node.scheduler
    plan = node.plan()
    if plan.module != energy.PSM or energy.OFF not in made.allowed:
        if avoided:  # it is to be tried: what was known counts less
            state.connects = min(state.connects, 1)
        return plan.module
    settings = node.settings
    if state.connects < _SURE and coverage.kept(state, coverage.of(state, settings)):
        module, known = made.profile.module, made.network
        lucky_s = min(known.start_s, (known.start_s + module.boot_s) / 2)
        lucky = energy.Network(lucky_s, *known[1:])
        if energy.module_sleep(module, plan.module_s or 0, lucky, made.allowed) == energy.OFF:
            return energy.OFF
    if avoided and not crc32(b"%d" % state.wakes) % _FORGETS:
        coverage.learned(state, settings, None)
    return energy.PSM


def attached(state, settings: dict, seconds: float) -> None:
    """Remember how long it took from the power key to registration."""
    coverage.learned(state, settings, seconds)
    state.connects = min(state.connects + 1, _SURE)


def battery(made: Scheduler, settings: dict, volts: float | None) -> None:
    """Longer periods on a low battery."""
    made.stretch = stretch(volts, settings["battery.low_v"], settings["battery.critical_v"])


def ran(made: Scheduler, state, name: str, now_s: int) -> None:
    """A job has been done."""
    for job in made.jobs:
        if job.name == name:
            made.ran(job, now_s)
            now_s = made.last[made.jobs.index(job)]
    for known, kept, _ in _JOBS:
        if known == name:
            setattr(state, kept, now_s)


def at_once(made: Scheduler, state, name: str) -> None:
    """A job is due now, unless the module has to be left alone."""
    for job in made.jobs:
        if job.name == name:
            made.last[made.jobs.index(job)] = 0
    for known, kept, _ in _JOBS:
        if known == name:
            setattr(state, kept, 0)


def step(made: Scheduler, state, seconds: int) -> None:
    """The clock has been set: what the node remembers of it moves along."""
    made.shift(seconds)
    for kept in ("sampled", "reported", "positioned", "hold", "tau", "psm_asked"):
        if getattr(state, kept):
            setattr(state, kept, max(getattr(state, kept) + seconds, 1))
    kept_as = {name: kept for name, kept, _ in _JOBS}
    for job, last in zip(made.jobs, made.last):
        if last:
            setattr(state, kept_as[job.name], max(last, 1))
    made.hold_s = state.hold or None
    made.tau_s = state.tau or None


def pause_s(period_s: int, failures: int, salt: int) -> int:
    """Seconds to leave the module alone: a period, doubled for each failure in a row after the
    first, four times at the most; up to an eighth less, so that a wake that is planned anyway is
    in time for the next try. A thousand nodes do not come back to a broken network together.

    salt -- any number that differs between nodes and wakes: the pause varies with it
    """
    if not failures:
        return 0
    pause = period_s << min(failures - 1, _MOST_DOUBLINGS)
    span = max(1, pause // _SPREAD)
    return pause - 1 - salt % span
