"""Whether it pays to wait for a better signal: what a session costs, by class (coverage.py) and by
what the node has measured of its attaches. Loaded where the signal is below report.poor_dbm.

The figures are medians of 128 sessions of a module of the C1100's class in a live network (source:
tools/power/profiles/module-mdm9206.toml).
"""

from .coverage import PARTS, kept, of
from .energy import MDM9206

# By class: seconds at search_ua from a SIM that is ready to registration; charge in mC of context,
# packet and 10 s of tail. Together 1.0, 1.35, 1.83; what a boot costs is the same in all.
_SEARCH_S = (4.2, 8.8, 15.8)
_REST_MC = (972, 1084, 1174)
_PAYS = 0.75  # a session at a better signal takes so much of the charge at most


def pays(state, settings: dict) -> bool:
    """Whether a session costs much less in a better class: in that of those measured where an
    attach takes the least, else in class 0.
    """
    now = of(state, settings)
    known = [(kept(state, k), k) for k in range(now) if kept(state, k)]
    better = min(known)[1] if known else 0
    return _session_mc(state, better, now) <= _PAYS * _session_mc(state, now, better)


def _session_mc(state, k: int, other: int) -> float:
    """Charge of a session in class k, but for the boot. Where an attach in it was not measured,
    one in the other is the measure; in a worse class it takes no less than it usually does there.
    """
    search_s = _SEARCH_S[k]
    for measured in (other, k):
        if kept(state, measured):
            took_s = max(kept(state, measured) / PARTS - MDM9206.boot_s, 0)
            took_s = took_s * _SEARCH_S[k] / _SEARCH_S[measured]
            search_s = max(took_s, search_s) if k > measured else took_s
    return MDM9206.search_ua * search_s / 1000 + _REST_MC[k]
