"""A PPP client of its own for the tests: frames by scapy, TCP by hand over the link.

It shares nothing with the module's PPP: framing, LCP, PAP and IPCP are built and taken apart here.
"""

import struct

from scapy.layers.inet import IP, TCP, UDP
from scapy.packet import Raw

LCP, PAP, IPCP, IPV4 = 0xC021, 0xC023, 0x8021, 0x0021


def crc16(data: bytes) -> int:
    """The FCS bit by bit (RFC 1662 appendix C.1)."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0x8408 if value & 1 else value >> 1
    return value ^ 0xFFFF


class PppClient:
    """`rig` carries the bytes; call `step` until what you wait for has happened."""

    def __init__(self, rig, login: tuple[bytes, bytes] = (b"", b"")) -> None:
        self._rig = rig
        self._login = login
        self._buffer = b""
        self.address = bytes(4)
        self.gateway = bytes(4)
        self.lcp_open = self.ipcp_open = False
        self.auth_asked = False
        self.auth_accepted: bool | None = None
        self.terminated = False
        self.packets: list[IP] = []
        self.rest = b""  # behind the last frame
        self._requested = False

    def send(self, protocol: int, payload: bytes) -> None:
        """One frame, everything stuffed that may be."""
        body = b"\xff\x03" + struct.pack(">H", protocol) + payload
        body += struct.pack("<H", crc16(body))
        stuffed = b"".join(
            bytes((0x7D, b ^ 0x20)) if b < 0x20 or b in (0x7D, 0x7E) else bytes((b,)) for b in body
        )
        self._rig.module.receive(b"\x7e" + stuffed + b"\x7e")

    def step(self, seconds: float = 0.05) -> None:
        """Let time pass and handle what came."""
        self._rig.wait(seconds)
        self._buffer += self._rig.take()
        while (start := self._buffer.find(b"\x7e")) >= 0:
            end = self._buffer.find(b"\x7e", start + 1)
            if end < 0:
                return
            frame, self._buffer = self._buffer[start + 1 : end], self._buffer[end:]
            if frame:
                self._buffer = self._buffer[1:]
                self._frame(frame)

    def until(self, condition, seconds: float = 30.0) -> None:
        """Step until `condition()`; fails after so much virtual time."""
        end = self._rig.now + seconds
        while not condition():
            assert self._rig.now < end, "the link does not get on"
            self.step()

    def text(self) -> bytes:
        """What came outside of frames."""
        text, self._buffer = self._buffer, b""
        return text

    def open(self) -> None:
        """Negotiate until IP passes."""
        self.configure()
        self.until(lambda: self.ipcp_open)

    def configure(self) -> None:
        """Send the first LCP request."""
        self._control(LCP, 1, 1, b"\x01\x04\x05\xdc\x02\x06\0\0\0\0")

    def _control(self, protocol: int, code: int, number: int, body: bytes) -> None:
        self.send(protocol, struct.pack(">BBH", code, number, len(body) + 4) + body)

    def _frame(self, stuffed: bytes) -> None:
        body = bytearray()
        flip = 0
        for byte in stuffed:
            if byte == 0x7D:
                flip = 0x20
            else:
                body.append(byte ^ flip)
                flip = 0
        assert crc16(bytes(body[:-2])) == struct.unpack("<H", body[-2:])[0], bytes(stuffed)
        assert body[:2] == b"\xff\x03"
        protocol, payload = struct.unpack(">H", body[2:4])[0], bytes(body[4:-2])
        if protocol == IPV4:
            self.packets.append(IP(payload))
        else:
            code, number, length = struct.unpack(">BBH", payload[:4])
            assert length == len(payload)
            {LCP: self._lcp, PAP: self._pap, IPCP: self._ipcp}[protocol](code, number, payload[4:])

    def _lcp(self, code: int, number: int, body: bytes) -> None:
        if code == 1:
            self.auth_asked = b"\x03\x04\xc0\x23" in body
            self._control(LCP, 2, number, body)
        elif code == 2:
            self.lcp_open = True
            if self._login[0]:
                user, password = self._login
                data = bytes((len(user),)) + user + bytes((len(password),)) + password
                self._control(PAP, 1, 1, data)
        elif code == 5:
            self.terminated = True
            self._control(LCP, 6, number, b"")
        elif code == 6:
            self.terminated = True
        if self.lcp_open and not self._requested and not self.auth_asked:
            self._request_address()

    def _pap(self, code: int, number: int, body: bytes) -> None:
        self.auth_accepted = code == 2
        if self.auth_accepted:
            self._request_address()

    def _request_address(self) -> None:
        self._requested = True
        self._control(IPCP, 1, 1, b"\x03\x06" + self.address)

    def _ipcp(self, code: int, number: int, body: bytes) -> None:
        if code == 1:
            self.gateway = body[2:6]
            self._control(IPCP, 2, number, body)
        elif code == 3:
            self.address = body[2:6]
            self._request_address()
        elif code == 2:
            self.ipcp_open = True

    # IP -------------------------------------------------------------------------------------

    def packet(self, layer) -> None:
        """Send an IP packet to the gateway."""
        source = ".".join(map(str, self.address))
        self.send(IPV4, bytes(IP(src=source, dst=".".join(map(str, self.gateway))) / layer))

    def take(self, kind) -> IP:
        """The next packet with this layer."""
        self.until(lambda: any(kind in p for p in self.packets))
        found = next(p for p in self.packets if kind in p)
        self.packets.remove(found)
        return found

    def udp(self, port: int, data: bytes) -> None:
        """One datagram."""
        self.packet(UDP(sport=40000, dport=port) / Raw(data))

    def http_get(self, port: int, path: str) -> bytes:
        """A GET over a TCP connection of its own; returns everything that the server sent."""
        mine, number = 40001, 1000
        self.packet(TCP(sport=mine, dport=port, flags="S", seq=number))
        answer = self.take(TCP)
        assert answer[TCP].flags == "SA"
        number, theirs = number + 1, answer[TCP].seq + 1
        request = f"GET {path} HTTP/1.0\r\nHost: x\r\n\r\n".encode()
        self.packet(TCP(sport=mine, dport=port, flags="A", seq=number, ack=theirs))
        self.packet(TCP(sport=mine, dport=port, flags="PA", seq=number, ack=theirs) / Raw(request))
        number += len(request)
        received = b""
        while True:
            segment = self.take(TCP)[TCP]
            if segment.seq != theirs:
                continue  # sent again
            data = bytes(segment.payload)
            theirs += len(data) + ("F" in segment.flags)
            received += data
            flags = "FA" if "F" in segment.flags else "A"
            if data or "F" in segment.flags:
                self.packet(TCP(sport=mine, dport=port, flags=flags, seq=number, ack=theirs))
            if "F" in segment.flags:
                return received
