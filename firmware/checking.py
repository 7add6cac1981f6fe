"""Which configuration a node starts with, when it has to be found out: last_good.py says when."""

import json

from . import config, files, last_good, log, trial

_SCHEMAS = (config.SCHEMA, config.SECRETS)  # in the order of last_good.FILES


def settings(folder: str = "") -> tuple:
    """As last_good.settings(). Writes the first copy of each file, and what is checked."""
    found = {}
    problems = []
    for (name, copy), schema in zip(last_good.FILES, _SCHEMAS):
        try:
            part = config.load_file(folder + name, schema)
            _first_copy(folder + name, folder + copy)
        except config.ConfigError as error:
            problems.append(str(error))
            part = _from_copy(folder + copy, schema, error)
        found.update(part)
    if not problems:
        _note(found, folder)
    change = trial.change(folder)
    if change is not None:
        try:
            found.update(config.load_file(folder + "config.json", config.SCHEMA, change))
        except config.ConfigError as error:  # config.json is another one now
            log.warning("%s is taken back: %s", change[0], error)
            _take_back(str(error), folder)
    return found, "; ".join(problems)


def delivered(folder: str = "") -> None:
    """As last_good.delivered()."""
    for (name, copy), schema in zip(last_good.FILES, _SCHEMAS):
        try:
            config.load_file(folder + name, schema)
        except config.ConfigError:
            continue  # it was the copy that has delivered
        present = files.read(folder + name)
        if present is not None and present != _read(folder + copy):
            files.replace(folder + copy, present)


def _note(found: dict, folder: str) -> None:
    """Keep the settings of config.json as they were found, so that they need no check again."""
    body = json.dumps({key: found[key] for key in config.SCHEMA}).encode()
    try:
        block = last_good.sealed(last_good.stamp(folder), body)
        if last_good.read(block, folder) != found:  # a number that JSON does not hold exactly
            return
        if not _holds(folder + last_good.CHECKED, block):
            files.replace(folder + last_good.CHECKED, block)
    except (OSError, ValueError) as error:  # the next wake checks again
        log.info("%s is not written: %s", last_good.CHECKED, error)


def _holds(path: str, data: bytes) -> bool:
    try:
        return files.read(path) == data
    except OSError:  # what is there is none of ours
        return False


def _first_copy(present: str, copy: str) -> None:
    try:
        text = files.read(present)
        if text is not None and files.read(copy) is None:
            files.replace(copy, text)
    except OSError as error:  # a full flash must not keep the node from starting
        log.error("no copy of %s: %s", present, error)


def _from_copy(copy: str, schema: dict, error: config.ConfigError) -> dict:
    if _read(copy) is None:
        raise error
    try:
        return config.load_file(copy, schema)
    except config.ConfigError as another:
        # A copy of an older firmware: what is wrong with the present file says more.
        raise config.ConfigError("%s; %s" % (error, another))


def _read(copy: str) -> bytes | None:
    try:
        return files.read(copy)
    except OSError as error:
        log.tell("%s cannot be read: %s", copy, error)
        return b""


def _take_back(why: str, folder: str) -> None:
    try:
        trial.take_back(why, folder)
    except OSError as error:  # the next start tries again
        log.error("end of the trial not stored: %s", error)
