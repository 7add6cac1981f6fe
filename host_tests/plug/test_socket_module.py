"""Code that blocks, over c1100.socket, against real servers."""

import contextlib
import hashlib
import socketserver
import struct
from pathlib import Path

import pytest

from host_tests.certificates import Authority, authority, server_context
from host_tests.flows.echo import Serving
from host_tests.peers import dead_port
from host_tests.plug.servers import serving
from host_tests.plug.test_streams import until_quit
from host_tests.plug.test_tls import HOST
from host_tests.virtual_c1100.http_server import PAGE, HttpServer
from tools.broker import mosquitto
from tools.virtual_c1100 import Profile

UMQTT = Path(__file__).parent / "third_party" / "umqtt"
SIZE = 200_000
NOW = 3_900_000_000  # seconds since 1900


def routed(routes: dict) -> Profile:
    """These programs send what they need in pieces, and no piece but the last has an answer."""
    return Profile(routes=routes, peer_answer_s=0.5)


class Ntp(socketserver.UDPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Time)


class _Time(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        query, server = self.request
        assert len(query) == 48
        server.sendto(bytes(40) + struct.pack("!II", NOW, 0), self.client_address)


def body(n: int) -> bytes:
    return bytes(i % 256 for i in range(n))


def https(_server, connection) -> None:
    """HTTP/1.0 as far as requests needs it: /bytes/N."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)
    size = int(head.split()[1].rpartition(b"/")[2])
    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % size + body(size))


def test_every_call_and_requests(program, tmp_path):
    context = server_context(tmp_path, authority().issue(HOST))
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(serving(None, until_quit))
        secret = stack.enter_context(serving(context, until_quit))
        web = stack.enter_context(HttpServer())
        secret_web = stack.enter_context(serving(context, https))
        ntp = stack.enter_context(Serving(Ntp()))
        routes = {
            (HOST, 7000): ("127.0.0.1", plain.port),
            (HOST, 7443): ("127.0.0.1", secret.port),
            (HOST, 6999): ("127.0.0.1", dead_port()),
            (HOST, 80): web.address,
            (HOST, 443): ("127.0.0.1", secret_web.port),
            ("time.example", 123): tuple(ntp),
        }
        files = {"ca.der": authority().own.der}
        p = program("socket_calls.py", files, routed(routes), {"size": SIZE}, heap="4M")
        p.run()
    said = dict(line.split(" ", 1) for line in p.printed)
    digest = hashlib.sha256(body(SIZE)).hexdigest()
    assert said == {
        "before": "ENOTCONN",
        "same": "True True",
        "nothing": "b''",
        "past": "a timeout is no less than 0",
        "context": "b'x'",
        "send": "3 None 3 2",
        "recv": "b'abc' b'defgh' b'ij'",
        "into": "4 2 b'012345'",
        "recv_into": "1 b'789' bytearray(b'612345')",
        "lines": r"b'one\n' b'tw' b'o\n' b'\n' b'last'",
        "large": "True",
        "timeout": "ETIMEDOUT True",
        "nonblocking": "None None EAGAIN",
        "poll": "False 1 True b'x'",
        "end": r"b'quit\nbye' b'' b''",
        "gone": "ECONNRESET",
        "closed": "EBADF EBADF None",
        "nobody": "ECONNREFUSED",
        "family": "EOPNOTSUPP EOPNOTSUPP",
        "task": "True",
        "ntp": str(NOW),
        "tls": r"b'hello over tls\n'",
        "refused": "The certificate Common Name (CN) does not match with the expected CN",
        "http": f"200 {SIZE} {digest}",
        "https": f"200 {SIZE} {digest}",
        "post": "{'a': 1}",
        "released": "True",
    }
    assert p.bench.lost_bytes == 0


def test_the_example_with_requests(program, tmp_path):
    context = server_context(tmp_path, authority().issue(HOST))
    with HttpServer() as web, serving(context, https) as secret:
        routes = {(HOST, 80): web.address, (HOST, 443): ("127.0.0.1", secret.port)}
        p = program("requests_over_module.py", profile=routed(routes))
        p.run()
    assert p.printed == ["200 2000", "200 2000"]


def test_the_example_with_what_ntptime_calls(program):
    """ntptime itself is in no registry."""
    with Serving(Ntp()) as ntp:
        routes = {("time.example", 123): tuple(ntp)}
        p = program("ntp_over_module.py", profile=routed(routes))
        p.run()
    assert p.printed == [f"seconds since 1900: {NOW}"]


def test_the_example_of_a_network_interface(program):
    p = program("network_shape.py")
    p.run()
    assert p.printed == [
        "address 10.32.226.112 status 1 rssi -69",
        "apn CMNET imei 866207050000001",
        "connected False 0.0.0.0",
        "active False",
    ]


def umqtt() -> dict[str, bytes]:
    return {f"lib/umqtt/{path.name}": path.read_bytes() for path in UMQTT.glob("*.py")}


@pytest.mark.parametrize("trusted", [True, False])
def test_the_example_with_umqtt(program, trusted):
    identity = authority().issue(HOST)
    with mosquitto(tls={"certfile": identity.pem, "keyfile": identity.key_pem}) as broker:
        profile = routed({(HOST, 8883): tuple(broker)})
        ca = authority() if trusted else Authority()
        p = program("umqtt_over_module.py", {"ca.der": ca.own.der, **umqtt()}, profile)
        if trusted:
            p.run()
            assert p.printed == ["heard [b'hello']"]
        else:
            with pytest.raises(AssertionError, match="not correctly signed by the trusted CA"):
                p.run()


def test_umqtt_robust_comes_back(program):
    with mosquitto() as broker:
        profile = routed({(HOST, 1883): tuple(broker)})
        p = program("robust.py", umqtt(), profile)
        p.run()
    assert p.printed == ["[b'first', b'second'] None"]


def test_the_example_on_the_modules_own_stacks(program):
    with mosquitto() as broker, HttpServer() as web:
        routes = {(HOST, 1883): tuple(broker), (HOST, 80): web.address}
        p = program("blocking.py", profile=routed(routes))
        p.run()
    assert p.printed == [
        "active True 866207050000001 -69",
        "heard [(b'greetings', b'hello')]",
        f"got 200 {len(PAGE)}",
        "connected True 10.32.226.112",
        "active False",
    ]
