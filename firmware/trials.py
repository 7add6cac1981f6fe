"""One setting on trial: kept when the node reports with it, taken back when it does not. Each
function is that of trial.py.

The file config.trial holds the change and what has become of it; config.json is touched only when
a report has proved the change. Whatever moment the power goes, the node starts with the old
setting or with the new one, and still knows which it is trying.

    state      meaning
    trying     in force; ``left`` wakes may still try to report with it
    kept       a report was delivered: it stands in config.json
    taken back the wakes are used up, or it cannot be used: config.json is as it was

The last two wait until somebody has been told, and are forgotten then. A file that cannot be read,
or has not the CRC that it should have, is no trial: config.json is as it was.
"""

import json
from binascii import crc32

from . import files, log, places, strict_json, unload
from .last_good import SECRETS, ConfigError
from .trial import KEPT, TAKEN_BACK, TRIES, TRYING, forget

_FILE = "config.trial"
_STATES = (TRYING, KEPT, TAKEN_BACK)
_REFUSED = ("id",)  # whoever waits for the result would wait at the wrong place


def start(name: str, key: str, value, folder: str = "") -> None:
    if key in SECRETS:
        raise ConfigError("%s is a secret: it is not sent, but provisioned" % key)
    if key in _REFUSED:
        raise ConfigError("%s is set by provisioning only" % key)
    try:
        from . import config  # the table of settings

        config.load_file(folder + "config.json", config.SCHEMA, (key, value))
        if key.split(".")[0] in places.OWN:
            from .own import checking

            checking.known(key, value)
    except MemoryError:  # beside a session with TLS: the next start looks, and may take it back
        unload("config", "config_words")
        log.info("%s is looked at when the node starts", key)
    _write(folder, {"name": name, "key": key, "value": value, "left": TRIES, "state": TRYING})


def change(folder: str = "") -> tuple | None:
    trial = _read(folder)
    if trial is None or trial["state"] != TRYING:
        return None
    if trial["left"] <= 0:
        try:
            take_back("%d wakes did not report" % TRIES, folder)
        except OSError as error:  # the next start tries again
            log.error("end of the trial not stored: %s", error)
        return None
    return trial["key"], trial["value"]


def count(folder: str = "") -> bool:
    trial = _read(folder)
    if trial is None or trial["state"] != TRYING:
        return False
    trial["left"] -= 1
    try:
        _write(folder, trial)
    except OSError as error:
        log.tell("%s is given up: its wakes cannot be counted: %s", trial["key"], error)
        forget(folder)
    return True


def keep(folder: str = "") -> None:
    trial = _read(folder)
    if trial is None or trial["state"] != TRYING:
        return
    try:
        given = strict_json.loads(files.read(folder + "config.json") or b"")
        if not isinstance(given, dict):
            raise ValueError("config.json holds no object")
        places.put(given, trial["key"], trial["value"])
    except (ValueError, KeyError) as error:  # it is another one now
        take_back(str(error), folder)
        return
    files.replace(folder + "config.json", json.dumps(given).encode())
    trial["state"] = KEPT
    _write(folder, trial)


def take_back(why: str, folder: str = "") -> None:
    trial = _read(folder)
    if trial is not None and trial["state"] == TRYING:
        trial["state"] = TAKEN_BACK
        trial["why"] = why
        _write(folder, trial)


def outcome(folder: str = "") -> dict | None:
    trial = _read(folder)
    if trial is None or trial["state"] == TRYING:
        return None
    return {part: trial[part] for part in ("name", "key", "state", "why") if part in trial}


def _read(folder: str) -> dict | None:
    path = folder + _FILE
    try:
        text = files.read(path)
    except OSError as error:
        log.tell("%s cannot be read: %s", _FILE, error)
        return None
    if not text:
        return None
    trial = _unsealed(text)
    if trial is None:
        log.tell("%s is damaged: what was on trial is taken back", _FILE)
        files.put_aside(path)
    return trial


def _unsealed(text: bytes) -> dict | None:
    end = text.rfind(b"}") + 1
    if text[end:] not in (b"", _seal(text[:end])):  # an older firmware wrote none
        return None
    try:
        trial = strict_json.loads(text[:end])
    except ValueError:
        return None
    if not isinstance(trial, dict) or "value" not in trial:
        return None
    texts = (trial.get("name"), trial.get("key"), trial.get("why", ""))
    if not all(isinstance(each, str) for each in texts):
        return None
    left = trial.get("left")
    is_whole = type(left) is int and left <= TRIES and trial.get("state") in _STATES
    return trial if is_whole else None


def _write(folder: str, trial: dict) -> None:
    text = json.dumps(trial).encode()
    files.replace(folder + _FILE, text + _seal(text))


def _seal(text: bytes) -> bytes:
    return b"\n%08x" % crc32(text)
