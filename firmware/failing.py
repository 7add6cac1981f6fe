"""Sensors that fail: each is told once, and once more when it is back, over sleep and starts.

Loaded only while one fails, or has failed within a day. Flash is written only for what is told,
and each sensor is told of four times a day at the most: the last of them says that it comes and
goes, and nothing follows before the day is over.
"""

from micropython import const

from . import files, log, telemetry

_DAY_S = const(86400)
_NAME_CHARACTERS = const(32)  # in a message
_REASON_CHARACTERS = const(90)  # in a record
_MOST = const(4)  # an even number: with a steady sensor the last one is that it is back
_WORKS = const(0)
_FAILS = const(1)
_COMES_AND_GOES = const(2)


def take(name: str, found, samples: list) -> str:
    """Add those of a sensor's values that can be sent. Returns what is wrong with the others."""
    why = "" if isinstance(found, list) else "%s instead of a list" % type(found).__name__
    for sample in () if why else found:
        if telemetry.are_samples([sample]):
            samples.append(sample)
        elif isinstance(sample, (tuple, list)) and len(sample) == 3 and isinstance(sample[0], str):
            why = why or "%s is no value, or too long" % (sample[0][:_NAME_CHARACTERS] or "?")
        else:
            why = why or "%s instead of (name, unit, value)" % type(sample).__name__
    log.warning("sensor failed: %s (%s)", why, name)
    return why


def keep(node, file: str, sensed: dict, samples: list) -> None:
    """Keep a record of these samples with what is new of the sensors, and remember that then.

    node   -- app.Node
    file   -- where it is remembered
    sensed -- sensor: why it fails, "" if it works
    """

    def is_told(text: str) -> bool:
        told = node.state.told
        if node.state.is_news(text):
            node.state.told = told
            return False
        node.faults.append(text)
        return True

    try:
        kept = files.read(file) or b""
    except OSError:
        kept = b""
    texts, after = news(kept, sensed, node.now(), is_told)
    samples += [("event", None, text) for text in texts]
    if not node.keep(samples, node.begin_s) or after == kept:
        return
    try:
        if after:
            files.replace(file, after)
        else:
            files.remove(file)
    except OSError as error:  # RTC memory knows them instead, while a report finds them again
        log.tell("%s cannot be written: %s", file, error)
        for text in texts:
            node.state.is_news(text)
            node.faults.append(text)


def news(kept: bytes, sensed: dict, now_s: int, is_told) -> tuple:
    """(what is to be told of sensors, [texts]; what the file must hold then)

    kept    -- what the file holds
    sensed  -- sensor: why it fails, "" if it works
    is_told -- callable: whether such a text has been told although the file could not hold that
    """
    known = _parsed(kept)
    events = []
    for name in sorted(sensed):
        why = sensed[name]
        state, count, since = known.get(name, (_WORKS, 0, now_s))
        is_over = abs(now_s - since) >= _DAY_S  # also when the clock has been set
        if state == (_FAILS if why else _WORKS):
            if is_over and not why:
                del known[name]
            continue
        if is_over:
            count, since = 0, now_s
        if count >= _MOST:
            continue
        state, text = _told(name, why, count + 1)
        if not is_told(text):
            known[name] = (state, count + 1, since)
            events.append(text)
    lines = ["%s %d %d %d\n" % ((name,) + known[name]) for name in sorted(known)]
    return events, "".join(lines).encode()


def _told(name: str, why: str, count: int) -> tuple:
    if count >= _MOST:
        return _COMES_AND_GOES, "sensor %s comes and goes: told again in a day" % name
    if why:
        return _FAILS, "sensor %s failed: %s" % (name, why[:_REASON_CHARACTERS])
    return _WORKS, "sensor %s is back" % name


def _parsed(kept: bytes) -> dict:
    """sensor: (state, how often it was told within a day, since when). Damage is left out."""
    known = {}
    for line in kept.split(b"\n"):
        try:
            name, state, count, since = line.rsplit(b" ", 3)
            known[name.decode()] = (int(state), int(count), int(since))
        except ValueError:
            continue
    return known
