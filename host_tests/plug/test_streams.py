"""asyncio's streams, select and ssl over the module's sockets, with and without TLS."""

import contextlib
import socketserver

import pytest

from host_tests.certificates import authority, server_context
from host_tests.flows.echo import Serving
from host_tests.plug.servers import Server, echo, serving
from host_tests.plug.test_tls import HOST, routed
from tools.virtual_c1100 import Profile

# Sizes around what a socket, a command, a push and a record of TLS take.
SIZES = (0, 1, 127, 128, 129, 699, 700, 701, 1371, 1372, 1373, 1400, 1499, 1500, 1501, 4097, 20000)


def until_quit(server: Server, connection) -> None:
    """An echo that says goodbye when it is told to quit."""
    while data := connection.recv(65536):
        if data.endswith(b"quit\n"):
            connection.sendall(data + b"bye")
            return
        connection.sendall(data)


@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_all_that_a_stream_does(program, tmp_path, kind):
    context = None
    if kind == "tls":
        context = server_context(tmp_path, authority().issue(HOST))
    with serving(context, until_quit) as server:
        settings = {"tls": kind == "tls", "sizes": SIZES}
        files = {"ca.pem": authority().pem}
        p = program("writes", files, routed(p7000=server.port), settings)
        p.run()
    assert p.said("write") == [f"{size} True" for size in SIZES]
    assert p.said("joined") == ["True"]
    assert p.said("line") == ["4", "1", "5", "3001"]
    assert p.said("rest") == ["b'4'"]
    assert p.said("into") == ["bytearray(b'0123456789') b'abc'"]
    assert p.said("parts") == ["2 2", "2", "b'abdeEF'"]
    assert p.said("eof") == ["False"]
    assert p.said("ioctl") == ["0 True"]
    assert p.said("end") == [r"b'quit\nbye' b'' b''"]
    assert p.printed[-3:] == ["EOFError", "OSError True True", "closed"]
    assert p.bench.lost_bytes == 0


def test_ends_are_oserrors_with_their_number(program):
    with serving(None) as server:
        p = program("ends", {}, routed(p7000=server.port, p6999=1))
        p.bench.run(until=lambda: "restart now" in p.lines, limit_s=600)
        p.module.reboot()
        p.run()
    assert p.said("reader")[0].startswith("True")
    assert p.said("writer")[0].startswith("True")
    assert p.said("nobody") == ["Refused"]


def test_the_loop_goes_on_meanwhile(program, tmp_path):
    context = server_context(tmp_path, authority("rsa").issue(HOST, kind="rsa"))
    with serving(context, echo) as server:
        p = program("loop", {"ca.pem": authority("rsa").pem}, routed(p7443=server.port))
        p.run()
    assert p.said("turns") == ["True True"]
    assert p.said("poll") == ["True"]
    assert p.said("some") == ["b'0123' more True b'456789' none None"]
    assert p.said("late") == ["Timeout"]
    assert p.said("after") == ["b'' 0 b''"]
    assert p.said("own") == ["b'unchecked'"]
    assert p.said("old") == ["b'older'"]
    assert p.said("blocks") == ["NotSupported"]
    assert p.said("hand") == ["b'by hand'"]


class Echo(socketserver.UDPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Back)


class _Back(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, server = self.request
        server.sendto(data, self.client_address)


def test_every_request_and_state_of_the_stream_protocol(program, tmp_path):
    context = server_context(tmp_path, authority().issue(HOST))
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(serving(None, until_quit))
        secret = stack.enter_context(serving(context, until_quit))
        udp = stack.enter_context(Serving(Echo()))
        routes = {
            (HOST, 7000): ("127.0.0.1", plain.port),
            (HOST, 7443): ("127.0.0.1", secret.port),
            (HOST, 7001): tuple(udp),
        }
        p = program("protocol", {"ca.pem": authority().pem}, Profile(routes=routes))
        p.run()
    # Each state as select.poll tells it for the masks none, in, out, both.
    states = {
        "unknown": "True",
        "flush": "0",
        "idle": "- - w w",
        "waiting": "- r w rw b'word' - - w w",
        "ended": "h rh wh rwh",
        "close": "0 0",
        "closed": "h rh wh rwh",
    }
    for kind in ("tcp", "tls", "udp"):
        said = {line.split(" ", 2)[1]: line.split(" ", 2)[2] for line in p.printed
                if line.startswith(kind) and line.count(" ") > 1}  # fmt: skip
        for state, wanted in states.items():
            if kind == "tls" and state == "ended":
                wanted = "- r w rw"  # it has said goodbye; the connection below may stand
            if state in said or kind != "udp":
                assert said[state] == wanted, (kind, state, said)
        if kind != "udp":
            assert said["line"] == r"b'one\n' b'two'"
            assert said["large"] == "True"
            assert said["rest"] == r"b'quit\nbye' b''"
            assert said["half"] == "True True"
            assert f"{kind} EOFError" in p.printed
    assert p.bench.lost_bytes == 0
