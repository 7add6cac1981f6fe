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

A record is a complete SenML pack that restates its base name and time, so records are joined
without reading them. Errors are those of c1100, and refusal.Unfit when what the batch holds is not
taken: the caller then finds out which record it is. To add an uplink: write its file, and name it
in UPLINKS, with the setting that it cannot do without.
"""

# name: the setting that must be given
UPLINKS = {"mqtt": "mqtt.host", "http": "http.url", "tcp": "tcp.host"}
SECURE = {"mqtts": "mqtt.host", "https": "http.url"}  # tls.ca besides
UPLINKS.update(SECURE)
NONE = "none"


def load(name: str):
    """The module of an uplink; the code of the others stays on flash."""
    return __import__("firmware.uplinks." + name, None, None, ("Uplink",))


def chosen(settings: dict) -> list:
    """Names of the uplinks to try, in that order."""
    first, then = settings["uplink.first"], settings["uplink.then"]
    return [first] if then in (NONE, first) else [first, then]


def joined(batch: list) -> bytes:
    """All records of a batch as one SenML pack; never longer than the records together."""
    return b"[" + b",".join([record[1:-1] for _, record in batch]) + b"]"
