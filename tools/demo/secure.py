"""TLS in front of a server that has none, with a certificate of its own making."""

import contextlib
import datetime
import ipaddress
import socket
import socketserver
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tools.broker import HOST, Address

# Kinds of keys that a server may have.
KEYS: dict[str, Callable[[], ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RSA-2048": lambda: rsa.generate_private_key(65537, 2048),
}
USUAL = "P-256"
END_LIMIT_S = 30.0  # of what is on its way when one side has ended
BEGIN, END = datetime.datetime(2020, 1, 1), datetime.datetime(2050, 1, 1)


@dataclass
class Counts:
    """Bytes of one connection, with all of TLS, as the module carries them; and its round trips:
    how often an answer came to what was sent.
    """

    up: int = 0
    down: int = 0
    trips: int = 0
    _asked: bool = False

    def sent(self, n: int) -> None:
        self.up += n
        self._asked = True

    def came(self, n: int) -> None:
        self.down += n
        self.trips += self._asked
        self._asked = False


def identity(host: str, kind: str = USUAL) -> tuple[bytes, bytes]:
    """A certificate that vouches for itself, and its key, as PEM."""
    key = KEYS[kind]()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    try:
        shown: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        shown = x509.DNSName(host)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(END)
        .add_extension(x509.SubjectAlternativeName([shown]), critical=False)
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return certificate.public_bytes(pem), key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@contextlib.contextmanager
def in_front_of(
    plain: Address, host: str, kind: str = USUAL, sessions: list[Counts] | None = None
) -> Iterator[tuple[Address, bytes]]:
    """Take TLS connections for `host`, and pass on what is in them. Yields where, and the
    certificate that is to be trusted.

    kind -- of its key; sessions -- is given the counts of each connection
    """
    certificate, key = identity(host, kind)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="tls.") as folder:
        file = Path(folder, "both.pem")
        file.write_bytes(certificate + key)
        context.load_cert_chain(file)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            counts = Counts()
            if sessions is not None:
                sessions.append(counts)
            with (
                contextlib.suppress(OSError),  # of a node that goes off, or does not trust us
                _counted(self.request, counts) as wire,
                context.wrap_socket(wire, server_side=True) as inside,
                socket.create_connection(plain) as outside,
            ):
                back = threading.Thread(target=_pass, args=(outside, inside), daemon=True)
                back.start()
                _pass(inside, outside)
                back.join(END_LIMIT_S)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server((HOST, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield Address(HOST, int(server.server_address[1])), certificate
        finally:
            server.shutdown()


@contextlib.contextmanager
def _counted(connection: socket.socket, counts: Counts) -> Iterator[socket.socket]:
    """The same connection, with what goes through it counted."""
    ours, theirs = socket.socketpair()
    ways = [
        threading.Thread(target=_pass, args=args, daemon=True)
        for args in ((connection, ours, counts.sent), (ours, connection, counts.came))
    ]
    for way in ways:
        way.start()
    with ours, theirs:
        yield theirs
        theirs.close()
        ways[1].join(END_LIMIT_S)


def _pass(
    source: socket.socket, target: socket.socket, count: Callable[[int], None] | None = None
) -> None:
    with contextlib.suppress(OSError):  # a reset is an end, too
        while data := source.recv(65536):
            if count is not None:
                count(len(data))
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
