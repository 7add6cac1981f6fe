"""CoAP by hand over an open UDP socket, as field firmware uses it (not in the manual).

Each part of a message is set as hexadecimal digits: numbers as the ASCII of their decimal digits,
token, options (as on the wire) and payload as they are. What comes in is told as +LSIPRCOAP.
"""

from dataclasses import dataclass

from tools.virtual_c1100.commandline import Int, Text
from tools.virtual_c1100.commands import Call, Command, Failure, Later
from tools.virtual_c1100.core import Core
from tools.virtual_c1100.sockets import HEX_DIGITS, Sockets

NUMBERS = {"ver": 3, "type": 3, "tkl": 8, "code": 255, "mid": 65535}  # with their largest value
BYTES = {"token": 8, "options": 256, "payload": 1024}  # with their largest length (inferred)
PAYLOAD_MARKER = 0xFF
EXTENSIONS = {13: 1, 14: 2}  # nibble -> further bytes (RFC 7252 clause 3.1)


@dataclass(frozen=True)
class Received:
    """A message taken apart; options stay as they are on the wire."""

    kind: int
    code: int
    mid: int
    token: bytes
    options: bytes
    payload: bytes


class Coap:
    """AT+LSIPCOAPSET and AT+LSIPCOAPSEND."""

    def __init__(self, core: Core, sockets: Sockets) -> None:
        self._core = core
        self._sockets = sockets
        self.boot()
        self.commands = (
            Command("+LSIPCOAPSET", "F", self._set, (Text(16, 1), Text(2 * BYTES["payload"]))),
            Command("+LSIPCOAPSEND", "F", self._send, (Int(1, 4),)),
        )

    def boot(self) -> None:
        """No part of a message is set."""
        self._numbers = {"ver": 1, "type": 0, "tkl": 0, "code": 1, "mid": 0}
        self._bytes = dict.fromkeys(BYTES, b"")

    def _set(self, call: Call) -> None:
        key, text = call.args[0].lower(), call.args[1]
        if len(text) % 2 or not HEX_DIGITS.issuperset(text):
            raise Failure
        value = bytes.fromhex(text)
        if key in NUMBERS:
            if not value.isdigit() or int(value) > NUMBERS[key]:
                raise Failure
            self._numbers[key] = int(value)
        elif key in BYTES and len(value) <= BYTES[key]:
            self._bytes[key] = value
        else:
            raise Failure

    def _send(self, call: Call) -> Later:
        """Options and payload hold for one message, so that an empty answer needs none (field)."""
        number, parts = self._numbers, self._bytes
        if number["tkl"] != len(parts["token"]):
            raise Failure
        first = number["ver"] << 6 | number["type"] << 4 | number["tkl"]
        data = bytes((first, number["code"])) + number["mid"].to_bytes(2, "big")
        data += parts["token"] + parts["options"]
        if parts["payload"]:
            data += bytes((PAYLOAD_MARKER,)) + parts["payload"]
        later = self._sockets.send_datagram(call, data, self._report)
        parts["options"] = parts["payload"] = b""
        return later

    def _report(self, number: int, data: bytes) -> str | None:
        """The URC for a datagram; None when it is no CoAP."""
        message = parse(data)
        if message is None:
            return None
        return (
            f"+LSIPRCOAP:{number},type={message.kind},code={message.code >> 5}."
            f"{message.code & 31},mid={message.mid},token={message.token.hex().upper()},"
            f"option={message.options.hex().upper()},payload={message.payload.hex().upper()}"
        )


def parse(data: bytes) -> Received | None:
    """A datagram taken apart; None when it is no CoAP message (RFC 7252 clause 3)."""
    if len(data) < 4 or data[0] >> 6 != 1:
        return None
    size = data[0] & 15
    start = 4 + size
    if size > 8 or len(data) < start:
        return None
    end = start
    while end < len(data) and data[end] != PAYLOAD_MARKER:
        delta, length = data[end] >> 4, data[end] & 15
        if delta == 15 or length == 15:
            return None
        at = end + 1 + EXTENSIONS.get(delta, 0)
        further = EXTENSIONS.get(length, 0)
        if further:
            base = 13 if further == 1 else 269
            length = base + int.from_bytes(data[at : at + further], "big")
        end = at + further + length
        if end > len(data):
            return None
    mid = int.from_bytes(data[2:4], "big")
    token, options = data[4:start], data[start:end]
    return Received(data[0] >> 4 & 3, data[1], mid, token, options, data[end + 1 :])
