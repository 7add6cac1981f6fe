"""What rules and sensors of a node's own remember from one wake to the next.

RTC memory keeps it where the board has room; else it is a small file. One that is damaged is
forgotten: then each sensor is due, and each rule begins anew.
"""

import json
from binascii import crc32

from micropython import const

from .. import files, log

_FILE = "own"
_MOST = const(1800)  # bytes: RTC memory has 2048, and the state needs some
_CRC_CHARACTERS = const(8)


def load(node) -> dict:
    """What was kept; empty if nothing was. The same one for all who ask in a wake."""
    if node.own is None:
        node.own = _read(node)
    return node.own


def _read(node) -> dict:
    kept = node.state.memo
    if not kept:
        try:
            kept = files.read(_FILE) or b""
        except OSError as error:
            log.tell("%s cannot be read: %s", _FILE, error)
            kept = b""
    try:
        text = kept[_CRC_CHARACTERS:]
        if kept and kept[:_CRC_CHARACTERS] == b"%08x" % crc32(text):
            found = json.loads(text)
            if isinstance(found, dict):
                return found
    except ValueError as error:
        log.info("%s is forgotten: %s", _FILE, error)
    return {}


def store(node) -> None:
    """Keep what load() has given. What is too long is not kept, and told."""
    text = json.dumps(node.own).encode()
    sealed = b"%08x" % crc32(text) + text
    room = getattr(node.board, "memo_bytes", 0)
    try:
        if len(sealed) > _MOST:
            log.tell("rules and sensors have more to remember than %d bytes", _MOST)
        elif len(sealed) <= room:
            node.state.memo = sealed
            node.board.store(node.state.pack())
        elif sealed != files.read(_FILE):
            node.state.memo = b""
            files.replace(_FILE, sealed)
    except OSError as error:  # at worst a sensor is read, or a rule told, once more
        log.tell("%s cannot be written: %s", _FILE, error)
