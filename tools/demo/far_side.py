"""What a node's uplinks talk to: servers of our own for all that are not on this machine.

    with far_side.stood_in(profile.routes, settings) as arrived:
        ...                     # the node reports to the hosts of its configuration
    arrived.records             # byte for byte; None where a server is not ours

MQTT has the embedded broker and a subscriber beside it, `http` a server that answers every POST
with 200, `tcp` one that speaks the lines of firmware/uplinks/tcp.py. `mqtts` and `https` have TLS
in front of these; the node trusts a certificate of their making instead of its own `tls.ca`.
"""

import base64
import contextlib
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from tools import broker as brokers
from tools.broker import HOST, Address
from tools.demo.subscriber import Subscriber, records

PORTS = {"http": 80, "https": 443}
SECURE = ("mqtts", "https")
ARRIVAL_LIMIT_S = 30.0


@dataclass
class Kept:
    """A server that keeps what it is given."""

    records: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)

    def wait(self, count: int, limit_s: float) -> None:
        """What was confirmed is there already."""


@dataclass
class Arrived:
    """What the far sides have got. theirs -- uplinks whose server is the user's own

    files -- that the node needs, by name: whom to trust, and who it is, where it uses TLS
    """

    ours: dict[str, Kept | Subscriber] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    theirs: list[str] = field(default_factory=list)
    sessions: list[Any] = field(default_factory=list)  # secure.Counts of each TLS connection

    @property
    def records(self) -> list[bytes] | None:
        """Every record, as often as it came; None where somebody else has them."""
        if self.theirs:
            return None
        return [record for kept in self.ours.values() for record in list(kept.records)]

    def wait(self, count: int) -> None:
        """Until so many are there; a broker takes a moment. Not for ever: they may be lost."""
        others = sum(len(kept.records) for kept in self.ours.values() if isinstance(kept, Kept))
        for kept in self.ours.values():
            kept.wait(count - others, ARRIVAL_LIMIT_S)


def uplinks(settings: dict[str, Any]) -> list[str]:
    """Those that a node uses, the first one first."""
    names = (settings["uplink.first"], settings["uplink.then"])
    return [name for name in dict.fromkeys(names) if name != "none"]


def asked(settings: dict[str, Any], uplink: str) -> Address:
    """Where an uplink wants to go. Raises ValueError for what is no host and port."""
    if uplink not in ("http", "https"):
        host = settings[f"{uplink.removesuffix('s')}.host"]
        return Address(host, settings[f"{uplink}.port"])
    url = settings["http.url"]
    try:
        parts = urlsplit(url)
        return Address(parts.hostname or "", parts.port or PORTS[parts.scheme])
    except ValueError as error:
        raise ValueError(f"http.url: {url!r} cannot be used: {error}") from error


@contextlib.contextmanager
def stood_in(
    routes: dict[Any, Any], settings: dict[str, Any], tls_key: str = "P-256"
) -> Iterator[Arrived]:
    """Servers for the node's uplinks, and `routes` to them. What has a route already, or is on
    this machine, is the user's, and stays as it is.

    Raises BrokerError when the broker does not come up.
    """
    arrived = Arrived()
    with contextlib.ExitStack() as stack:
        for uplink in uplinks(settings):
            far = asked(settings, uplink)
            if far in routes or here(far.host):
                arrived.theirs.append(uplink)
                continue
            plain = uplink.removesuffix("s") if uplink in SECURE else uplink
            if plain == "mqtt":
                address = stack.enter_context(brokers.embedded())
                topic = f"nodes/{settings['id']}/telemetry/#"  # and of CBOR
                arrived.ours[uplink] = stack.enter_context(Subscriber(address, topic))
            else:
                kept = arrived.ours[uplink] = Kept()
                address = stack.enter_context(SERVERS[plain](kept))
            if uplink in SECURE:
                from tools.demo import secure  # cryptography takes a moment to load

                address, trusted = stack.enter_context(
                    secure.in_front_of(address, far.host, tls_key, arrived.sessions)
                )
                own = secure.identity(settings["id"])
                names = [settings[f"tls.{key}"] for key in ("ca", "cert", "key")]
                content = dict(zip(names, (trusted, *own), strict=True))
                arrived.files |= {name: data for name, data in content.items() if name}
            routes[far] = address
        yield arrived


def here(host: str) -> bool:
    """Whether it is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@contextlib.contextmanager
def lines(kept: Kept) -> Iterator[Address]:
    """A server of the TCP line protocol: it stores, then confirms."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # a module that goes off resets it
                self.rfile.readline()  # the node's id
                for line in self.rfile:
                    number, _, record = line.strip().partition(b" ")
                    kept.payloads.append(record)
                    if not record.startswith(b"["):
                        record = base64.b64decode(record)  # CBOR
                    kept.records.extend(records(record))
                    self.wfile.write(number + b"\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with served(Server((HOST, 0), Handler)) as address:
        yield address


@contextlib.contextmanager
def posts(kept: Kept) -> Iterator[Address]:
    """A web server: every POST is stored, then answered with 200."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept.payloads.append(body)
            kept.records.extend(records(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """The trace has it."""

    with served(ThreadingHTTPServer((HOST, 0), Handler)) as address:
        yield address


@contextlib.contextmanager
def served(server: socketserver.TCPServer) -> Iterator[Address]:
    """It answers, in a thread."""
    with server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield Address(HOST, int(server.server_address[1]))
        finally:
            server.shutdown()


SERVERS = {"http": posts, "tcp": lines}
