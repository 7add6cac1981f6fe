"""One setting on trial: what a wake asks of it. How it is kept and ended is in trials.py, which is
loaded only when there is something on trial, or to be.
"""

from micropython import const

from . import files, unload

_FILE = "config.trial"
TRIES = const(3)
TRYING = "trying"
KEPT = "kept"
TAKEN_BACK = "taken back"


def start(name: str, key: str, value, folder: str = "") -> None:
    """Put a change on trial, in force from the next start on.

    name -- under which its outcome is told

    Raises config.ConfigError when the change is not allowed, OSError when it cannot be stored;
    nothing has changed then.
    """
    _trials().start(name, key, value, folder)


def change(folder: str = "") -> tuple | None:
    """(key, value) that is in force now; None if nothing is on trial."""
    return _trials().change(folder) if _is_there(folder) else None


def count(folder: str = "") -> bool:
    """A wake begins that shall report with the change, or one has crashed.

    Returns whether there is one on trial. Raises OSError when it can neither be counted nor ended.
    """
    return _is_there(folder) and _trials().count(folder)


def keep(folder: str = "") -> None:
    """A report was delivered: what is on trial becomes part of config.json.

    Raises OSError when it cannot be stored; the trial goes on then.
    """
    if _is_there(folder):
        _trials().keep(folder)


def take_back(why: str, folder: str = "") -> None:
    """End the trial without the change."""
    if _is_there(folder):
        _trials().take_back(why, folder)


def outcome(folder: str = "") -> dict | None:
    """What somebody is still to be told: name, key, state and, if it was taken back, why."""
    return _trials().outcome(folder) if _is_there(folder) else None


def forget(folder: str = "") -> None:
    """It has been told."""
    files.remove(folder + _FILE)


def _is_there(folder: str) -> bool:
    """Whether there may be a trial. An empty file is a write that was cut off when it began."""
    try:
        return bool(files.read(folder + _FILE))
    except OSError:
        return True


def rest() -> None:
    """It is not asked for a while: the code that knows it goes, with the table of settings."""
    unload("trials", "checking", "own.checking", "config", "config_words")


def _trials():
    from . import trials

    return trials
