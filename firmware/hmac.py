"""HMAC-SHA256 (RFC 2104), which MicroPython's hashlib lacks."""

from hashlib import sha256

from micropython import const

_BLOCK = const(64)


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """The 32 bytes that prove knowledge of the key."""
    if len(key) > _BLOCK:
        key = sha256(key).digest()
    key += bytes(_BLOCK - len(key))
    inner = sha256(bytes([byte ^ 0x36 for byte in key]))
    inner.update(message)
    outer = sha256(bytes([byte ^ 0x5C for byte in key]))
    outer.update(inner.digest())
    return outer.digest()


def same(one: bytes, other: bytes) -> bool:
    """Whether both are equal, in a time that does not tell where they differ."""
    if len(one) != len(other):
        return False
    difference = 0
    for a, b in zip(one, other):
        difference |= a ^ b
    return difference == 0
