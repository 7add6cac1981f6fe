"""The last configuration that worked: what a node starts with when the present one cannot be used.

``config.json`` has its copy in ``config.good``, ``secrets.json`` in ``secrets.good``. The first
copy is made of the first configuration that the firmware accepts; from then on only of one that
has delivered a report.
"""

from . import config, files, log, trial

_FILES = (
    ("config.json", "config.good", config.SCHEMA),
    ("secrets.json", "secrets.good", config.SECRETS),
)


def settings(folder: str = "") -> tuple:
    """(settings, problem) to start with. problem -- why a file was not used as it stands: text
    for the log and for whoever can mend it; "" if all is well.

    Never changes config.json and secrets.json. Raises config.ConfigError when a file cannot be
    used and there is no copy of it that can.
    """
    found = {}
    problems = []
    for name, copy, schema in _FILES:
        try:
            part = config.load_file(folder + name, schema)
            _first_copy(folder + name, folder + copy)
        except config.ConfigError as error:
            problems.append(str(error))
            part = _from_copy(folder + copy, schema, error)
        found.update(part)
    change = trial.change(folder)
    if change is not None:
        try:
            found.update(config.load_file(folder + "config.json", config.SCHEMA, change))
        except config.ConfigError as error:  # config.json is another one now
            log.warning("%s is taken back: %s", change[0], error)
            _take_back(str(error), folder)
    return found, "; ".join(problems)


def delivered(folder: str = "") -> None:
    """A report was delivered with the present configuration: it becomes the last good one.

    Raises OSError when the copy cannot be stored; the one before it is kept then.
    """
    for name, copy, schema in _FILES:
        try:
            config.load_file(folder + name, schema)
        except config.ConfigError:
            continue  # it was the copy that has delivered
        present = files.read(folder + name)
        if present is not None and present != _read(folder + copy):
            files.replace(folder + copy, present)


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
