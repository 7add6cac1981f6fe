"""The configuration that a node starts with: the present one, or the last that worked.

``config.json`` has its copy in ``config.good``, ``secrets.json`` in ``secrets.good``. The first
copy is made of the first configuration that the firmware accepts; from then on only of one that
has delivered a report.

To check both files takes a table of all settings and a reader of JSON that is strict: about 15 KB
of heap. So what was found good stands in ``config.checked``: a stamp of both texts, the settings
of config.json with all that was left out, and a CRC. As long as the stamp holds, a wake reads only
these. After any start that is no wake from deep sleep the firmware may be another one, and has its
own opinion: see settings(). Secrets stand in their own file only.
"""

import json
from binascii import crc32
from hashlib import sha256

from micropython import const

from . import CHECKED, ConfigError, files, trial, unload  # noqa: F401 -- it is named here too

FILES = (("config.json", "config.good"), ("secrets.json", "secrets.good"))
SECRETS = ("pin", "mqtt.password", "commands.key", "http.token")
_STAMP_BYTES = const(32)
_CRC_BYTES = const(4)


def settings(folder: str = "", is_start: bool = False) -> tuple:
    """(settings, problem) to start with. problem -- why a file was not used as it stands: text
    for the log and for whoever can mend it; "" if all is well.

    is_start -- nothing that was checked before counts

    Never changes config.json and secrets.json. Raises ConfigError when a file cannot be used and
    there is no copy of it that can.
    """
    found = None if is_start else _checked(folder)
    if found is not None and trial.change(folder) is None:
        return found, ""
    from . import checking

    return checking.settings(folder)


def delivered(folder: str = "") -> None:
    """A report was delivered with the present configuration: it becomes the last good one.

    Raises OSError when the copy cannot be stored; the one before it is kept then.
    """
    new = []
    try:
        known = stamp(folder) == files.part(folder + CHECKED, 0, _STAMP_BYTES)
        new = [names for names in FILES if known and not _is_copied(folder, *names)]
    except OSError:
        known = False
    if not known:
        from . import checking

        checking.delivered(folder)
        return
    for name, copy in new:
        files.replace(folder + copy, files.read(folder + name) or b"")


def _is_copied(folder: str, name: str, copy: str) -> bool:
    text = files.read(folder + name)
    return text is None or text == files.read(folder + copy)


def release() -> None:
    """The code that has checked is done: its heap is for the driver. Whoever needs it once more
    loads it again.
    """
    trial.rest()
    unload("strict_json")


def _checked(folder: str) -> dict | None:
    """The settings, if both files are as they were when they were checked last."""
    try:
        return read(files.read(folder + CHECKED), folder)
    except (OSError, ValueError):
        return None


def stamp(folder: str) -> bytes:
    """Of the texts of both files. Raises OSError."""
    digest = sha256()
    for name, _ in FILES:
        text = files.read(folder + name)
        digest.update(b"%d," % (-1 if text is None else len(text)))
        digest.update(text or b"")
    return digest.digest()


def sealed(stamp: bytes, body: bytes) -> bytes:
    """What holds together a stamp and the settings that were found in its texts."""
    block = stamp + body
    return block + crc32(block).to_bytes(_CRC_BYTES, "little")


def read(block: bytes | None, folder: str) -> dict | None:
    """The settings in a file of what was checked; None if it is of other texts, or damaged."""
    if block is None or sealed(block[:_STAMP_BYTES], block[_STAMP_BYTES:-_CRC_BYTES]) != block:
        return None
    if stamp(folder) != block[:_STAMP_BYTES]:
        return None
    found = json.loads(block[_STAMP_BYTES:-_CRC_BYTES])
    # A file that the strict reader takes means the same to MicroPython's own.
    given = json.loads(files.read(folder + "secrets.json") or b"{}")
    for key in SECRETS:
        section, _, name = key.rpartition(".")
        found[key] = (given.get(section, {}) if section else given).get(name, "")
    return found
