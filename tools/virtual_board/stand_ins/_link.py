# The interpreter's end of the line to the host: framed messages on descriptor 3.
# The kinds and their payloads are listed in the host's link.py.
import struct

_line = open(3, "r+b")
before = None  # called before each message, unless None


def send(kind, form="", *fields):
    """Send one message: `kind` is a letter, `fields` are packed by `form` (little-endian)."""
    if before:
        before()
    payload = struct.pack("<" + form, *fields)
    _line.write(struct.pack("<BH", ord(kind), len(payload)) + payload)


def send_bytes(kind, number, data):
    """Send one message that ends in bytes; `number` (u8) goes before them unless None."""
    if before:
        before()
    head = b"" if number is None else bytes((number,))
    _line.write(struct.pack("<BH", ord(kind), len(head) + len(data)) + head)
    if len(data):
        _line.write(data)


def answer():
    """Wait for the host's answer. A Ctrl-C meanwhile is raised once the answer is complete."""
    interrupted = None
    while True:
        try:
            head = _line.read(2)
            break
        except KeyboardInterrupt as e:
            interrupted = e
    if not head:
        raise SystemExit(1)  # the host has gone
    data = _line.read(head[0] | head[1] << 8)
    if interrupted is not None:
        raise interrupted
    return data


def leave(kind, form="", *fields):
    """Send the last message of this life (sleep, reset) and wait for the end of the process.

    Nothing of the program runs any more, neither `finally` nor an exception handler, as on a chip.
    """
    send(kind, form, *fields)
    while True:
        try:
            if not _line.read(1):
                raise SystemExit(1)
        except KeyboardInterrupt:
            continue
