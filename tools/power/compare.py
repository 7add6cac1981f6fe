"""A node's jobs as the oracle sees them: their windows, and the conditions of module and network.

The windows are those that the firmware promises: each job at once when the node starts, then in
each period of a grid that begins at the node's own place on the clock (firmware/scheduler.py).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

from tools.demo.far_side import uplinks
from tools.power import oracle
from tools.power.model import Conditions
from tools.power.oracle import Code, Costs, Estimate, Job, Window
from tools.power.profiles import Profile as PowerProfile
from tools.power.scenario import Change
from tools.virtual_c1100 import Profile, timers
from tools.virtual_c1100.gnss import HOT_S, WARM_S
from tools.virtual_c1100.measured import Luck
from tools.virtual_c1100.profile import GSM, LTE_M, NB_IOT

JOBS = ("sample", "report", "position")
PAYS_DBM = -120  # of RSRP: to wait for a better signal may pay below that
EPOCH_S = 946_684_800  # 2000-01-01 in Unix time, where the board's clock begins


def conditions(profile: Profile, checked: dict[str, Any]) -> Conditions:
    """What the network of a virtual module gives a node that asks for what is configured."""
    rat = {LTE_M: "lte-m", NB_IOT: "nb-iot"}.get(_act(profile), "gsm")
    active, periodic = profile.grants.timers(
        timers.t3324_bits(checked["sleep.active_s"]), timers.t3412_bits(checked["sleep.tau_s"])
    )
    psm = bool(active) and checked["sleep.module"] in ("auto", "psm")
    return Conditions.of(
        profile,
        rat,
        t3324_s=timers.t3324_s(active) if psm else None,
        t3412_s=timers.t3412_s(periodic) if psm and periodic else None,
    )


def windows(
    profile: Profile,
    checked: dict[str, Any],
    span_s: float,
    report_bytes: int,
    changes: Sequence[Change] = (),
) -> list[Window]:
    """All windows of a node's jobs that close within its first `span_s` seconds.

    A report may wait for its deadline while the signal was poor when the node last asked: at any
    time since the report before, or in the window itself.
    """
    found = []
    jobs = [_job(name, profile, checked, report_bytes) for name in JOBS]
    jobs = [job for job in jobs if job.period_s]
    longest = int(max(job.period_s for job in jobs))
    place = crc32(checked["id"].encode()) % longest
    for job in jobs:
        first = (place - (profile.start_s - EPOCH_S)) % job.period_s
        # The job's first run does for the window after it if that opens soon.
        if first < job.period_s // 2:
            first += job.period_s
        found.append(Window(0.0, 0.0, _first(job, checked)))
        found += oracle.windows([job._replace(first_s=first)], span_s)
    patience_s = min(checked["report.deadline_s"], checked["report.period_s"] - 1)
    poor = _poor(profile, checked, changes)
    for n, (release_s, deadline_s, job) in enumerate(found):
        latest_s = release_s + patience_s
        since_s = release_s - job.period_s - patience_s
        may_wait = any(begin < latest_s and end > since_s for begin, end in poor)
        if may_wait and job.name == "report" and release_s and latest_s > deadline_s:
            found[n] = Window(release_s, latest_s, job)
    return [window for window in found if window.deadline_s <= span_s]


def period_us(checked: dict[str, Any]) -> int:
    """How often a node does all its jobs, in microseconds."""
    return max(checked[f"{name}.period_s"] for name in JOBS) * 1_000_000


def _act(profile: Profile) -> int:
    return next((act for act in profile.hardware.rats if act in profile.cell.acts), GSM)


def _poor(
    profile: Profile, checked: dict[str, Any], changes: Sequence[Change]
) -> list[tuple[float, float]]:
    """From when to when the signal is poor: by RSRP where the module tells it, and it may pay to
    wait, else by RSSI.
    """
    ends = [*(change.at_s for change in changes), math.inf]
    cells = [(0.0, profile.cell.rssi, profile.cell.rsrp_dbm)]
    cells += [(change.at_s, change.rssi, change.rsrp_dbm) for change in changes]
    tells = profile.quirks.cell_info and _act(profile) != GSM
    found = []
    for (begin, rssi, rsrp), end in zip(cells, ends, strict=True):
        most = checked["report.poor_dbm"]
        by_rsrp = tells and rsrp is not None
        if (rsrp < min(most, PAYS_DBM)) if by_rsrp else (2 * rssi - 113 < most):
            found.append((begin, end))
    return found


def _job(name: str, profile: Profile, checked: dict[str, Any], report_bytes: int) -> Job:
    period_s = checked[f"{name}.period_s"]
    flex_s = min(checked[f"{name}.flex_s"], period_s - 1)
    size, gnss_s = None, 0.0
    if name == "report":
        size = report_bytes
    elif name == "position":
        latency = profile.latency
        age_s = period_s - flex_s
        starts = ((HOT_S, latency.fix_hot), (WARM_S, latency.fix_warm))
        gnss_s = next((fix_s for most_s, fix_s in starts if age_s <= most_s), latency.fix_cold)
    return Job(name, period_s, flex_s=flex_s, size=size, gnss_s=gnss_s)


def _first(job: Job, checked: dict[str, Any]) -> Job:
    """A job's run at the start: there is one record to report as yet."""
    if job.size is None:
        return job
    records = max(1.0, checked["report.period_s"] / checked["sample.period_s"])
    return job._replace(size=round(job.size / records))


def _sizes(uplink: str, checked: dict[str, Any]) -> dict[str, int]:
    """What a node's messages hold besides its records, as far as no firmware can leave it out."""
    name = checked["id"]
    if uplink in ("mqtt", "mqtts"):
        sizes = {"topic": len(f"nodes/{name}/telemetry"), "client": len(name)}
        return sizes | {"baud": checked["uart.baud"]} if uplink == "mqtt" else sizes
    return {"url": len(checked["http.url"])} if uplink in ("http", "https") else {}


def estimates(
    profile: Profile,
    checked: dict[str, Any],
    powers: tuple[PowerProfile, PowerProfile],
    span_s: float,
    report_bytes: int,
    changes: Sequence[Change] = (),
    code: Code = oracle.FREE,
    done_s: float = math.inf,
    luck: Iterable[tuple[int, Luck]] = (),
) -> list[Estimate]:
    """The least possible, and three usual firmwares, for the jobs of a node.

    profile, checked -- of the virtual module, and the node's settings
    powers -- profiles of module and board
    report_bytes -- what one report has to deliver
    changes -- of the network, by time
    code -- what the board computes in a wake
    done_s -- from when on the node was at work when the run ended: whether it had done what was
              due then is not known
    luck -- that of each session, and its coverage level: the least possible has the same
    """
    levels = tuple((change.at_s, change.coverage, change.rsrp_dbm) for change in changes)
    drawn = list(luck)
    lucks = tuple(
        tuple(one for at, one in drawn if at == level)
        for level in range(len(profile.radio.repetition))
    )
    wanted = windows(profile, checked, span_s, report_bytes, changes)
    wanted = [window for window in wanted if window.deadline_s < done_s]
    found = replace(conditions(profile, checked), luck=lucks)
    ways = []
    for uplink in uplinks(checked):
        costs = Costs(
            *powers, found, levels, code=code, uplink=uplink, sizes=_sizes(uplink, checked),
            first=drawn[0][1] if drawn else None,
        )  # fmt: skip
        ways.append([way(wanted, span_s, costs) for way in (oracle.least, *oracle.FIRMWARES)])
    # With a second uplink each way has the cheaper one.
    return [min(same, key=lambda e: e.charge_uc) for same in zip(*ways, strict=True)]
