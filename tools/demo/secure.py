"""TLS in front of a server that has none, with a certificate of its own making."""

import contextlib
import datetime
import ipaddress
import socket
import socketserver
import ssl
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tools.broker import HOST, Address

BEGIN, END = datetime.datetime(2020, 1, 1), datetime.datetime(2050, 1, 1)


def identity(host: str) -> tuple[bytes, bytes]:
    """A certificate that vouches for itself, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
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
def in_front_of(plain: Address, host: str) -> Iterator[tuple[Address, bytes]]:
    """Take TLS connections for `host`, and pass on what is in them. Yields where, and the
    certificate that is to be trusted.
    """
    certificate, key = identity(host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="tls.") as folder:
        file = Path(folder, "both.pem")
        file.write_bytes(certificate + key)
        context.load_cert_chain(file)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with (
                contextlib.suppress(OSError),  # of a node that goes off, or does not trust us
                context.wrap_socket(self.request, server_side=True) as inside,
                socket.create_connection(plain) as outside,
            ):
                back = threading.Thread(target=_pass, args=(outside, inside), daemon=True)
                back.start()
                _pass(inside, outside)
                back.join(1)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server((HOST, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield Address(HOST, int(server.server_address[1])), certificate
        finally:
            server.shutdown()


def _pass(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
