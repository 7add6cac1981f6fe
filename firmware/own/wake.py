"""A wake's part in what is the node's own: which values become a record, and when to report.

sample.record     "each": each sample is a record. "report": one record a report, of all
                  readings since the last one, by each sensor's `over`
sample.at_least_s 0: whatever the values are. Else a record is made when a value has left its
                  dead band, or after so many seconds
report.records    0: by the clock only. Else a report is due, too, once so many records wait

All is judged by when the wake began: how long a sensor or the satellites take differs.
"""

from . import has_passed, memory, over


async def sample(node, found: list, is_report: bool) -> None:
    """Read the node's own sensors, and decide what becomes of this sample.

    found     -- of the sensors that every node has; node.samples has what every record has
    is_report -- whether this wake reports anyway
    """
    settings = node.settings
    kept = memory.load(node)
    readings = [(one[0], [one]) for one in found]
    from . import sensors

    readings += await sensors.read(node, kept, readings)
    samples = []
    for _, values in readings:
        samples += values
    texts, record, report = _judge(node, "rules", kept, samples)
    if settings["sample.record"] == "report":
        folds = kept.setdefault("folds", {})
        for name, values in readings:
            over.fold(folds, values, settings["sensors"].get(name, {}).get("over", "last"))
        if is_report:
            samples = over.folded(folds)
            del kept["folds"]
        elif not record:
            node.samples.clear()
            samples = []
    elif not (record or is_report or _is_worth(node, kept, samples)):
        node.samples.clear()
        samples = []
    node.samples += samples + [("event", None, text) for text in texts]
    if samples:
        _note(node, kept, samples)
    memory.store(node)
    if report and not is_report:
        node.report_at_once()


def located(node, found: list, is_report: bool) -> None:
    """A position was found. found -- its samples"""
    kept = memory.load(node)
    texts, _, report = _judge(node, "fences", kept, found)
    from . import fences

    moved_m = node.settings["position.moved_m"]
    here = fences.position(found)
    if moved_m and here is not None:
        last = kept.get("place")
        if last is None or fences.distance_m(here, last) > moved_m:
            report = report or last is not None
            kept["place"] = list(here)
            kept["still"] = 0
        else:
            kept["still"] = 1
        kept["fixed"] = node.begin_s
    node.samples += [("event", None, text) for text in texts]
    memory.store(node)
    if report and not is_report:
        node.report_at_once()


def is_still(node) -> bool:
    """Whether a position need not be found yet, because nothing moves."""
    kept = memory.load(node)
    if not kept.get("still"):
        return False
    given = node.settings
    flex_s = given["position.flex_s"]
    return not has_passed(kept.get("fixed"), node.begin_s, given["position.still_s"], flex_s)


def _judge(node, section: str, kept: dict, samples: list) -> tuple:
    given = node.settings[section]
    if not given:
        kept.pop(section, None)
        return [], False, False
    if section == "rules":
        from . import rules as judge
    else:
        from . import fences as judge
    flex_s = node.settings["sample.flex_s" if section == "rules" else "position.flex_s"]
    known = kept.setdefault(section, {})
    for name in list(known):
        if name not in given:  # the configuration has them no more
            del known[name]
    return judge.judge(given, known, samples, node.begin_s, flex_s)


def _is_worth(node, kept: dict, samples: list) -> bool:
    """Whether a sample is a record although no rule wants one."""
    settings = node.settings
    at_least_s = settings["sample.at_least_s"]
    flex_s = settings["sample.flex_s"]
    if not at_least_s or has_passed(kept.get("record"), node.begin_s, at_least_s, flex_s):
        return True
    bands = settings["dead_bands"]
    values = kept.get("values", {})
    for name, _, value in samples:
        number = over.amount(value)
        if name not in bands or number is None:
            continue
        if name not in values or abs(number - values[name]) > bands[name]:
            return True
    return False


def _note(node, kept: dict, samples: list) -> None:
    """What the next sample is compared with."""
    if not node.settings["sample.at_least_s"]:
        return
    kept["record"] = node.begin_s
    values = kept.setdefault("values", {})
    bands = node.settings["dead_bands"]
    for name, _, value in samples:
        number = over.amount(value)
        if name in bands and number is not None:
            values[name] = number
