"""Certificates for the tests' TLS servers, made when they are needed.

Valid from 2020 to 2040 unless said otherwise: mbedtls of the interpreter looks at the host's
clock, the driver at the virtual network's.
"""

import datetime
import functools
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def new_key(kind: str) -> Key:
    """`kind`: ec (P-256), rsa (2048 bits) or weak (RSA, 1024 bits)."""
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 1024 if kind == "weak" else 2048)


@dataclass(frozen=True)
class Identity:
    """A certificate with its key. `chain`: PEM of those between it and its authority."""

    certificate: x509.Certificate
    key: Key
    chain: str = ""

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(PEM).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(DER)

    @property
    def key_pem(self) -> str:
        return self.key_bytes(PEM).decode()

    def key_bytes(self, encoding: serialization.Encoding, old: bool = False) -> bytes:
        """PKCS8; `old`: as openssl wrote keys before (EC PRIVATE KEY, RSA PRIVATE KEY)."""
        form = serialization.PrivateFormat
        return self.key.private_bytes(
            encoding,
            form.TraditionalOpenSSL if old else form.PKCS8,
            serialization.NoEncryption(),
        )


class Authority:
    """An issuer of certificates: a root, or one that `above` vouches for."""

    def __init__(
        self,
        kind: str = "ec",
        name: str = "Test authority",
        end: str = "2040-01-01",
        above: "Authority | None" = None,
    ) -> None:
        key = new_key(kind)
        self._above = above
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = above or self
        self.own = Identity(key=key, certificate=None)  # type: ignore[arg-type] -- signs itself
        certificate = signer._signed(key, self._name, None, "2020-01-01", end)
        self.own = Identity(certificate, key)

    @property
    def pem(self) -> str:
        return self.own.pem

    def issue(
        self, *hosts: str, kind: str = "ec", begin: str = "2020-01-01", end: str = "2040-01-01"
    ) -> Identity:
        """A certificate for hosts, by name or address."""
        key = new_key(kind)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
        chain = "" if self._above is None else self.pem
        return Identity(self._signed(key, name, hosts, begin, end), key, chain)

    def _signed(
        self,
        key: Key,
        name: x509.Name,
        hosts: tuple[str, ...] | None,
        begin: str,
        end: str,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.datetime.fromisoformat(begin))
            .not_valid_after(datetime.datetime.fromisoformat(end))
            .add_extension(x509.BasicConstraints(hosts is None, None), critical=True)
        )
        if hosts is not None:
            names = x509.SubjectAlternativeName([_general(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.own.key, hashes.SHA256())


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@functools.cache
def authority(kind: str = "ec") -> Authority:
    """One that all tests of a process share."""
    return Authority(kind)


def server_context(folder: Path, identity: Identity, clients: str = "") -> ssl.SSLContext:
    """What a Python server needs. `clients`: PEM of the issuer that its clients must have."""
    certificate, key = folder / "server.pem", folder / "server.key"
    certificate.write_text(identity.pem + identity.chain)
    key.write_text(identity.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # weak keys: whether to take them is the client's
    context.load_cert_chain(certificate, key)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=clients)
    return context
