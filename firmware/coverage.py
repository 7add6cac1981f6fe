"""What the network costs here: a class of the signal that the module last told, 0 to 2 by RSRP.

How long it takes to attach in each class the node measures itself. RSSI, of a module that tells no
RSRP, has two classes: 0, and 1 below report.poor_dbm.

All that is learned is `attach` of the state: quarters of a second, 10 bits for each class, and in
the two above how often in a row a report has waited for a better signal in vain.
"""

from micropython import const

from .state import RSRP

_FROM = (-120, -130)  # dBm of RSRP: the least of classes 0, 1; see waiting.py
_BITS = const(10)
_MOST = const(1023)
_VAIN = const(30)
PARTS = 4  # of a second
_FADES = const(64)  # what was measured, by one part in so many


def poor(state, settings: dict) -> bool:
    """Whether a report may wait: the signal is below report.poor_dbm, a better one would cost so
    much less that it pays, and to wait for it was not in vain three times in a row.
    """
    signal = state.signal - RSRP if state.signal > 0 else state.signal
    if not signal or signal >= settings["report.poor_dbm"] or state.attach >> _VAIN >= 3:
        return False
    from .waiting import pays

    return pays(state, settings)


def told(state, settings: dict, waited: bool) -> None:
    """The module has told its signal in a report, which has waited for a better one or not."""
    vain = state.attach >> _VAIN
    if waited or vain:
        from .waiting import pays

        vain = min(vain + waited, 3) if pays(state, settings) else 0
        state.attach = state.attach & (1 << _VAIN) - 1 | vain << _VAIN


def attach(state, settings: dict) -> float:
    """What an attach takes at such a signal, from the power key to registration, in seconds: a
    mean that forgets, and no less than at a better signal. 0: not measured.
    """
    return max([kept(state, k) for k in range(of(state, settings) + 1)]) / PARTS


def learned(state, settings: dict, seconds: float | None) -> None:
    """An attach was measured; None: one was avoided, and what was known of it counts less."""
    k = of(state, settings)
    parts = kept(state, k)
    if seconds is None:
        made = parts - parts // _FADES - (parts > 0)
    else:
        known = max(state.connects, 1) if parts else 0
        made = (known * parts + int(seconds * PARTS)) // (known + 1)
        made = min(max(made, 1), _MOST)
    state.attach += made - parts << k * _BITS


def of(state, settings: dict) -> int:
    """The class; 0 as long as the module has told nothing."""
    signal = state.signal
    if signal <= 0:
        return 1 if signal < settings["report.poor_dbm"] else 0
    return len([least for least in _FROM if signal - RSRP < least])


def kept(state, k: int) -> int:
    """What is remembered of class k."""
    return state.attach >> k * _BITS & _MOST
