"""The name server behind a PPP link (RFC 1035): it knows the names that the module itself knows.

A name of `Profile.routes`, and localhost, has the gateway's address, which is this machine. The
port stays the one that the client asks for.
"""

import socket
import struct
from collections.abc import Callable

IP, UDP = struct.Struct(">BBHHHBBH4s4s"), struct.Struct(">HHHH")
QUERY = struct.Struct(">HHHHHH")
PORT = 53
A, IN = 1, 1
ANSWER, ASKED_FOR, NO_NAME = 0x8080, 0x0100, 3  # an answer, recursion available; desired; NXDOMAIN
TTL_S = 60


def asks(packet: bytes, server: str) -> bool:
    """Whether an IP packet is a question to the name server."""
    return (
        len(packet) >= IP.size + UDP.size + QUERY.size
        and packet[0] == 0x45
        and packet[9] == socket.IPPROTO_UDP
        and packet[16:20] == socket.inet_aton(server)
        and UDP.unpack_from(packet, IP.size)[1] == PORT
    )


def answer(packet: bytes, known: Callable[[str], bool], address: str) -> bytes | None:
    """The IP packet that goes back; None to what is no question."""
    source, target = packet[12:16], packet[16:20]
    port, *_ = UDP.unpack_from(packet, IP.size)
    body = packet[IP.size + UDP.size :]
    number, flags, questions, *_ = QUERY.unpack_from(body)
    asked = _question(body)
    if flags & 0x8000 or questions != 1 or asked is None:
        return None
    name, end = asked
    kind, family = struct.unpack_from(">HH", body, end)
    there = known(name)
    found = b""
    if there and (kind, family) == (A, IN):
        # 0xC00C: the name is that of the question.
        found = struct.pack(">HHHIH4s", 0xC00C, A, IN, TTL_S, 4, socket.inet_aton(address))
    flags = ANSWER | flags & ASKED_FOR | (0 if there else NO_NAME)
    question = body[QUERY.size : end + 4]
    said = QUERY.pack(number, flags, 1, int(bool(found)), 0, 0) + question + found
    datagram = UDP.pack(PORT, port, UDP.size + len(said), 0) + said  # 0: no checksum
    head = [0x45, 0, IP.size + len(datagram), 0, 0, 64, socket.IPPROTO_UDP, 0, target, source]
    head[7] = _checksum(IP.pack(*head))
    return IP.pack(*head) + datagram


def _question(body: bytes) -> tuple[str, int] | None:
    """The name and where it ends; None if there is none."""
    labels, at = [], QUERY.size
    while at < len(body) and (size := body[at]):
        if size > 63:
            return None
        labels.append(body[at + 1 : at + 1 + size].decode("latin-1"))
        at += 1 + size
    return (".".join(labels).lower(), at + 1) if labels and at + 5 <= len(body) else None


def _checksum(head: bytes) -> int:
    total = sum(struct.unpack(">10H", head))
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    return total ^ 0xFFFF
