"""A payload that does not go on, or takes too long: methods of Line, loaded with the first one."""

import time
from time import ticks_ms

from micropython import const

from .payload import REST

_PAYLOAD_MS = const(3000)  # patience with a payload that does not go on
_STALL_MS = const(1000)  # and when nobody waits for it any more
_BYTE_MS = const(4)  # and with each of its bytes: 2 digits at 5000 baud
_TRICKLE_MS = const(100)  # a line that needs so long for a byte, or longer, is slow
_TRICKLES_MS = const(30000)  # patience with a payload on such a line
_MOST = const(65536)  # of its bytes count for that
_UNTOLD = const(4096)  # where no length was told


def check_payload(line, patience_ms: int = _PAYLOAD_MS) -> None:
    """Give up a payload that does not go on; whatever comes then is lines again."""
    pending = line._payload
    if pending is None:
        return
    now = ticks_ms()
    if time.ticks_diff(now, line._payload_ms) < patience_ms and (
        time.ticks_diff(_last_ms(line, pending), now) > 0 or _trickles(line)
    ):
        return
    line.stats["short payloads"] += 1
    line._payload = None
    try:
        pending.give_up(line.ring)
    except Exception as error:
        line.report("payload", error)


def hasten_payload(line) -> None:
    """Nobody waits for it any more: give what is left of it a moment."""
    now = ticks_ms()
    end = time.ticks_add(now, _STALL_MS)
    if time.ticks_diff(end, _last_ms(line, line._payload)) < 0:
        line._payload_end = end
    line._payload_began = time.ticks_add(now, -_TRICKLES_MS)


def _last_ms(line, pending):
    """When a payload must be over, however it comes."""
    if line._payload_end is None:
        most = _UNTOLD if pending.want is REST else min(pending.want, _MOST)
        patience = _PAYLOAD_MS + _BYTE_MS * most
        line._payload_end = time.ticks_add(line._payload_began, patience)
    return line._payload_end


def _trickles(line) -> bool:
    """Whether a payload takes so long because each of its bytes does: for a while."""
    spent = time.ticks_diff(ticks_ms(), line._payload_began)
    return _TRICKLE_MS * (line.ring.received - line._payload_from) < spent < _TRICKLES_MS
