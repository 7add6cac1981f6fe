"""What the module has said last: for whoever has to tell of a crash. It is what is left of it in
the receive buffer, so it costs nothing before.
"""


def lines(modem, most: int) -> list:
    """The last lines as text, the oldest first, and as the last one the command that was said
    last. What is no text in them is a dot.
    """
    channel = modem._channel
    ring = channel.ring
    # What is behind the unread bytes is older than what stands before them.
    raw = bytes(ring._buf[ring._w :]) + bytes(ring._buf[: ring._r])
    found = []
    for line in raw.replace(b"\n", b"\r").split(b"\r"):
        text = "".join([chr(c) if 32 <= c < 127 else "." for c in line.strip(b"\0 ")])
        if text:
            found.append(text)
    said = channel.said
    return found[-(most - 1) :] + (["AT" + said] if said else [])
