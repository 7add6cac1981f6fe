"""Uplinks: one file each, and one small interface.

    class Uplink:
        batch_bytes                          # of one message
        def __init__(self, settings, modem)  # modem: started
        async def send(self, batch) -> int
        time                                 # Unix time as the far side has told it, or None
        async def close(self)

A batch is [(sequence number, record)], oldest first; send() returns the last number that the far
side has confirmed, the first of the batch at least. What else the far side has said is looked at
when that is safe: `time` may be anything of any type, and clock.told() judges it.

A record is a complete SenML pack with its own base name and time, in JSON, or in CBOR if
``payload.format`` says so: then its first byte is 0x80 or more. joined() makes one pack of
several. Errors are those of c1100, and refusal.Unfit when what the batch holds is not taken: the
caller then finds out which record it is. To add an uplink: write its file, and name it in
UPLINKS, with the setting that it cannot do without.
"""

# name: the setting that must be given
UPLINKS = {"mqtt": "mqtt.host", "http": "http.url", "tcp": "tcp.host"}
SECURE = {"mqtts": "mqtt.host", "https": "http.url"}  # tls.ca besides
UPLINKS.update(SECURE)
NONE = "none"
JSON = "senml+json"
FORMATS = (JSON, "senml+cbor")  # of application/
_CBOR = b"\x80"


def load(name: str):
    """The module of an uplink; the code of the others stays on flash."""
    return __import__("firmware.uplinks." + name, None, None, ("Uplink",))


def chosen(settings: dict) -> list:
    """Names of the uplinks to try, in that order."""
    first, then = settings["uplink.first"], settings["uplink.then"]
    return [first] if then in (NONE, first) else [first, then]


def whole(stored: bytes, settings: dict) -> bytes:
    """A stored record as a pack of its own: with the base name, which is not stored, and in the
    form that is wanted now. What is no pack stays as it is.
    """
    cbor = settings["payload.format"] != JSON
    if cbor or stored[:1] >= _CBOR:
        from .. import cbor as form

        try:
            if cbor:
                return form.whole(stored, settings["id"])
            from .. import cbor_text

            stored = cbor_text.decoded(stored)
        except (ValueError, IndexError):
            return stored
    if not is_pack(stored) or _split(stored)[0]:
        return stored
    return b'[{"bn":"%s:",' % settings["id"].encode() + stored[2:]


def is_pack(record: bytes) -> bool:
    """As far as it has to be for those that it is joined with."""
    if record[:1] >= _CBOR:
        from .. import cbor

        return cbor.is_pack(record)
    return record[:2] == b"[{" and record[-2:] == b"}]"


def joined(batch: list) -> bytes:
    """All records of a batch as one SenML pack, in which base name and time stand where they
    change; never longer than the records together.
    """
    if batch[0][1][:1] >= _CBOR:
        from .. import cbor

        return cbor.joined([record for _, record in batch])
    made = []
    known = known_at = b""
    for _, record in batch:
        name, time, rest = _split(record)
        if known_at and not time:
            time = b'"bt":0,'  # about now (RFC 8428 4.5.3), and not what the one before has
        made.append(
            b"{%s%s%s" % (b"" if name == known else name, b"" if time == known_at else time, rest)
        )
        known, known_at = name or known, time or known_at
    return b"[" + b",".join(made) + b"]"


def _split(record: bytes) -> tuple:
    """(base name with its label, base time likewise, the rest) of a pack; b"": it has none"""
    at = 2
    if record[2:8] == b'"bn":"':
        at = record.find(b'",', 8) + 2
    end = at
    if record[at : at + 5] == b'"bt":':
        end = record.find(b",", at) + 1
    return record[2:at], record[at:end], record[end:-1]


def type_of(body: bytes) -> str:
    """The content type of a pack."""
    return "application/" + FORMATS[body[:1] >= _CBOR]
