"""Where the fuzzer begins: inputs that are right, so that what is a little wrong is near."""

import json

from firmware import commands
from host_tests.fuzz.targets import GOOD, KEY

GGA = b"GNGGA,092725.00,3114.1904,N,12128.4200,E,1,08,1.01,499.6,M,48.0,M,,"
RMC = b"GNRMC,092725.00,A,3114.1904,N,12128.4200,E,10.0,77.52,091226,,,A,V"
LINES = (
    b"+CSQ: 22,99",
    b'+CEREG: 4,1,"0012","00000034",9,,,"00000101","00100001"',
    b"+CREG: 2",
    b'+COPS: 0,2,"46000",9',
    b"+CME ERROR: 30",
    b"+CME ERROR: no network service",
    b"OK",
    b"3",
    b"+LSIPCALL:1, 10.0.0.9",
    b"+LSIPCLOSE:1,3,3,0",
    b'+CCLK: "26/11/28,12:00:00+32"',
    b"RDY",
    b'+CEDRXRDP: 5,"0101","0101","0001"',
    b'+MQTTMSG:"a/b",1,0,5,hello',
    b"C1100 MGGT",
    b"CONNECT 9600",
)


def counted(*parts: bytes) -> bytes:
    """Parts as `Feed.take` reads them."""
    return b"".join(bytes((len(part),)) + part for part in parts)


def signed(body: str) -> bytes:
    """A command with the right mac, as far as the bytes are concerned."""
    mac = commands.signature(KEY, "n1", "a", 9, body).hex()
    return json.dumps({"id": "a", "counter": 9, "body": body, "mac": mac}).encode()


SEEDS: dict[str, list[bytes]] = {
    "ring": [counted(bytes(range(10))) + b"+CSQ: 22,99\r\n0\r\r\n\x00OK\r\n> x\r"],
    "grammar": list(LINES),
    "arguments": [bytes((n,)) + counted(b"abc", b"1") for n in range(0, 60, 7)],
    "payloads": [
        counted(b"\x10\x20") + b"\x00\x00" + b"3,abc\r",
        counted(b"\x03") + b"\x00\x01" + b"3,616263\r",
    ],
    "codecs": [
        counted(b"00100001") + b"\x05" + counted(b"\x10\x27\x00\x00"),
        counted(b"0101") + b"\x04",
    ],
    "nmea": [counted(GGA, RMC), counted(RMC, GGA)],
    "times": [
        counted(text) for text in (b"26/11/28,12:00:00+32", b"2026/11/28,12:00:00", b"1800000000")
    ],
    "config": [
        GOOD,
        b'{"id":"n","mqtt":{"host":"h","port":1883},"pins":{"ring":"X5"},"sleep":{"module":"psm"}}',
        b'{"id": "n", "battery": {"divider": 2.5e0, "low_v": -0.0}, "mqtt": {"host": "\\u0068"}}',
    ],
    "commands": [
        signed('{"do":"ping"}'),
        signed('{"do":"set","key":"a","value":[1]}'),
        b'{"do":"log","skip":3}',
        b'{"do": "fix"}',
    ],
    "outbox": [bytes((12, *range(24), 1, 3, 1, 0, 10, 0, 0, 7))],
    "state": [bytes(90)],
    "trial": [
        b"\x00\x00\x01"
        + counted(b'{"name":"a","key":"mqtt.port","value":1,"left":3,"state":"trying"}')
    ],
}
