"""PPP in HDLC-like framing (RFC 1662): octet stuffing and the frame check sequence."""

FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
GOOD_FCS = 0xF0B8
FRAME_LIMIT = 2048  # above any MRU in use
HEADER = b"\xff\x03"  # all stations, unnumbered information


def _table() -> tuple[int, ...]:
    rows = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
        rows.append(value)
    return tuple(rows)


_FCS = _table()


def fcs(data: bytes) -> int:
    """The 16 bit frame check sequence before its complement (RFC 1662 appendix C.2)."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _FCS[(value ^ byte) & 0xFF]
    return value


def encode(protocol: int, payload: bytes, escape_controls: bool) -> bytes:
    """One frame with both flags. `escape_controls`: octets below 0x20 are stuffed too."""
    body = HEADER + protocol.to_bytes(2, "big") + payload
    body += (fcs(body) ^ 0xFFFF).to_bytes(2, "little")
    frame = bytearray((FLAG,))
    for byte in body:
        if byte in (FLAG, ESCAPE) or (escape_controls and byte < 0x20):
            frame += bytes((ESCAPE, byte ^ FLIP))
        else:
            frame.append(byte)
    frame.append(FLAG)
    return bytes(frame)


class Decoder:
    """Takes octets, gives (protocol, payload) of every good frame; bad ones are counted."""

    def __init__(self) -> None:
        self.bad = 0
        self._frame = bytearray()
        self._escaped = False

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The frames that end within `data`."""
        found = []
        for byte in data:
            if byte == FLAG:
                frame, self._frame = bytes(self._frame), bytearray()
                aborted, self._escaped = self._escaped, False
                if frame and not aborted and (taken := self._take(frame)):
                    found.append(taken)
            elif byte == ESCAPE:
                self._escaped = True
            elif len(self._frame) < FRAME_LIMIT:
                self._frame.append(byte ^ FLIP if self._escaped else byte)
                self._escaped = False
        return found

    def _take(self, frame: bytes) -> tuple[int, bytes] | None:
        if len(frame) < 4 or fcs(frame) != GOOD_FCS:
            self.bad += 1
            return None
        frame = frame[:-2].removeprefix(HEADER)
        size = 1 if frame[:1] and frame[0] & 1 else 2  # protocol field compression
        if len(frame) < size:
            self.bad += 1
            return None
        return int.from_bytes(frame[:size], "big"), frame[size:]
