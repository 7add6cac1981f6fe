"""Wrong calls and wrong far ends: each ends typed, and leaves neither a task nor a socket."""

import contextlib

from host_tests.certificates import authority, server_context
from host_tests.plug.servers import closes, echo, piecewise, resets, says, serving, waits
from host_tests.plug.test_tls import HOST
from tools.virtual_c1100 import Profile

HELLO = "b'hello'"
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"


def test_each_ends_typed_and_leaves_nothing(program, tmp_path):
    def context(**dates: str):
        folder = tmp_path / f"server{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return server_context(folder, authority().issue(HOST, **dates))

    good = context()
    peers = {  # name: how it answers, how that ends
        "one byte at a time": (piecewise(good, 1), HELLO),
        "seven at a time": (piecewise(good, 7), HELLO),
        "resets at once": (lambda _, connection: resets(connection), "Refused"),
        "no TLS": (says(bytes(range(256)), closes), "Refused"),
        "no TLS, and stays": (says(b"HTTP/1.1 400 Bad Request\r\n\r\n", waits), "Refused"),
        "an alert": (says(ALERT, waits), "Refused"),
        "half a head": (says(b"\x16\x03", closes), "Refused"),
        "a head, and silence": (says(b"\x16\x03\x03\x01\x00", waits), "Refused"),
        "a record that is too long": (
            says(b"\x16\x03\x03\xff\xff" + bytes(3000), waits),
            "Refused",
        ),
        "empty records": (says(b"\x16\x03\x03\x00\x00" * 200, waits), "Refused"),
        "data before its time": (says(b"\x17\x03\x03\x00\x05hello", waits), "Refused"),
        "more than there is room for": (says(bytes(20000), waits), "Refused"),
    }
    for n in (1, 5, 60, 400):
        peers[f"resets after {n}"] = (piecewise(good, 4096, n, resets), "Refused")
        peers[f"closes after {n}"] = (piecewise(good, 4096, n, closes), "Refused")
        peers[f"is silent after {n}"] = (piecewise(good, 4096, n, waits), "Refused")
    with contextlib.ExitStack() as stack:
        secret = stack.enter_context(serving(good))
        plain = stack.enter_context(serving(None, echo))
        old = stack.enter_context(serving(context(end="2022-01-01")))
        routes = {
            (HOST, port): ("127.0.0.1", server.port)
            for port, server in ((7443, secret), (7000, plain), (7444, old))
        }
        for at, (answer, _) in enumerate(peers.values()):
            server = stack.enter_context(serving(None, answer))
            routes[(HOST, 7100 + at)] = ("127.0.0.1", server.port)
        settings = {
            "ca": authority().pem,
            "peers": [[name, 7100 + at] for at, name in enumerate(peers)],
            "pairs": [
                [first, second, wait_ms]
                for first, second in ((7443, 7444), (7444, 7443))
                for wait_ms in (0, 100, 300, 500)
            ],
        }
        p = program("hostile", {"ca.pem": authority().pem}, Profile(routes=routes), settings)
        p.bench.run(until=lambda: any("one byte" in line for line in p.lines), limit_s=36000)
        assert secret.connections == plain.connections == 0  # nobody has been called by mistake
        p.run(limit_s=36000)
    cases = [line[5:].split(" | ") for line in p.printed if line.startswith("case ")]
    wrong = [(name, end) for name, end in cases if name.startswith("wrong")]
    assert len(wrong) == 69
    assert {end.strip() for _, end in wrong} == {"BadArgument"}, wrong
    said = {name: end.rstrip() for name, end in cases}
    assert {name: said[name] for name in peers} == {name: end for name, (_, end) in peers.items()}
    ends = "([b'', b'', 0, b'', 'NotConnected', 'NotConnected'], True)"
    assert said["closed tls"] == said["closed tcp"] == ends
    assert {end.strip() for name, end in cases if name == "cancelled"} <= {"None", HELLO}
    assert said["five"] == "(4, ['Overflow'])"
    assert said["after all"] == HELLO
    pairs = [line.split(" ", 4)[1:] for line in p.printed if line.startswith("pair ")]
    assert len(pairs) == 8
    for first, _, _, end in pairs:
        wanted = [HELLO, "'expired'"]
        assert end == f"[{', '.join(wanted if first == '7443' else reversed(wanted))}]", pairs
