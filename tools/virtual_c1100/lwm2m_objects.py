"""LwM2M objects of the module: 1 server, 3 device, 4 connectivity monitoring (OMA LwM2M 1.0)."""

from collections.abc import Callable
from dataclasses import dataclass

PLAIN, TLV = 0, 11542
INSTANCE_OF_RESOURCE = 0b11 << 6  # TLV type bits of a resource with a value (clause 6.4.3)

Value = str | int


class Missing(Exception):
    """No such object, instance or resource."""


class Forbidden(Exception):
    """The resource does not take this operation."""


@dataclass(frozen=True)
class Resource:
    """One resource; what it lacks it refuses."""

    read: Callable[[], Value] | None = None
    write: Callable[[str], None] | None = None
    execute: Callable[[], None] | None = None


class Objects:
    """`resources`: (object, resource) -> Resource; every object has the one instance 0."""

    def __init__(self, resources: dict[tuple[int, int], Resource]) -> None:
        self._resources = resources

    def links(self) -> str:
        """The object instances as the registration lists them."""
        return ",".join(f"</{number}/0>" for number in sorted({o for o, _ in self._resources}))

    def read(self, path: tuple[str, ...]) -> tuple[int, bytes]:
        """Content format and payload: one resource as text, an instance as TLV."""
        numbers = _numbers(path)
        if len(numbers) == 3:
            resource = self._find(numbers)
            if resource.read is None:
                raise Forbidden
            return PLAIN, str(resource.read()).encode()
        if len(numbers) != 2 or numbers[1] != 0:
            raise Missing
        rows = [(r, row) for (o, r), row in sorted(self._resources.items()) if o == numbers[0]]
        if not rows:
            raise Missing
        return TLV, b"".join(_tlv(number, row.read()) for number, row in rows if row.read)

    def write(self, path: tuple[str, ...], payload: bytes) -> None:
        """Set one resource from text. ValueError: not a value of its kind."""
        resource = self._find(_numbers(path))
        if resource.write is None:
            raise Forbidden
        resource.write(payload.decode())

    def execute(self, path: tuple[str, ...]) -> Callable[[], None]:
        """What an execute does, to be done once it has been answered."""
        resource = self._find(_numbers(path))
        if resource.execute is None:
            raise Forbidden
        return resource.execute

    def _find(self, numbers: tuple[int, ...]) -> Resource:
        if len(numbers) != 3 or numbers[1] != 0 or numbers[::2] not in self._resources:
            raise Missing
        return self._resources[numbers[0], numbers[2]]


def _numbers(path: tuple[str, ...]) -> tuple[int, ...]:
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in path):
        raise Missing
    return tuple(int(part) for part in path)


def _tlv(number: int, value: Value) -> bytes:
    """One resource in OMA TLV (clause 6.4.3); integers in 1, 2, 4 or 8 bytes."""
    if isinstance(value, str):
        data = value.encode()
    else:
        size = next(n for n in (1, 2, 4, 8) if -(1 << 8 * n - 1) <= value < 1 << 8 * n - 1)
        data = value.to_bytes(size, "big", signed=True)
    kind = INSTANCE_OF_RESOURCE | (0x20 if number > 255 else 0)
    identifier = number.to_bytes(2 if number > 255 else 1, "big")
    if len(data) < 8:
        return bytes((kind | len(data),)) + identifier + data
    size = (len(data).bit_length() + 7) // 8
    return bytes((kind | size << 3,)) + identifier + len(data).to_bytes(size, "big") + data
