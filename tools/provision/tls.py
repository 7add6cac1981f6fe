"""The files that a node's tls.* settings name: checked before they go anywhere."""

import datetime
from pathlib import Path
from typing import Any

from tools.deploy import DeployError

CA, CERT, KEY = "tls.ca", "tls.cert", "tls.key"


def files(given: dict[str, Any], folder: Path | None) -> dict[str, bytes]:
    """Name -> content of what the settings name; nothing without a folder to look in.

    Raises DeployError for what is missing, no certificate or key, not of each other, or expired.
    """
    named = {key: given[key] for key in (CA, CERT, KEY) if given.get(key)}
    if not named or folder is None:
        return {}
    found = {}
    for key, name in named.items():
        try:
            found[key] = (folder / name).read_bytes()
        except OSError as error:
            raise DeployError(f"{key}: {folder / name}: {error.strerror}") from error
    _check(found)
    return {named[key]: data for key, data in found.items()}


def _check(found: dict[str, bytes]) -> None:
    from cryptography import x509  # takes a moment to load
    from cryptography.hazmat.primitives import serialization

    def certificates(key: str) -> list[x509.Certificate]:
        data = found[key]
        try:
            if b"-----BEGIN" in data:
                read = x509.load_pem_x509_certificates(data)
            else:
                read = [x509.load_der_x509_certificate(data)]
        except ValueError as error:
            raise DeployError(f"{key}: it is no certificate, neither PEM nor DER") from error
        now = datetime.datetime.now(datetime.UTC)
        for each in read:
            if each.not_valid_after_utc < now:
                day = each.not_valid_after_utc.date()
                raise DeployError(f"{key}: the certificate has expired on {day}")
        return read

    if CA in found:
        certificates(CA)
    if CERT not in found or KEY not in found:
        return
    own = certificates(CERT)[0]
    data = found[KEY]
    load = (
        serialization.load_pem_private_key
        if b"-----BEGIN" in data
        else serialization.load_der_private_key
    )
    try:
        private = load(data, None)
    except TypeError as error:
        raise DeployError(f"{KEY}: it is encrypted, and nobody is there to type") from error
    except ValueError as error:
        raise DeployError(f"{KEY}: it is no key, neither PEM nor DER") from error
    public = private.public_key()
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if public.public_bytes(*form) != own.public_key().public_bytes(*form):
        raise DeployError(f"{KEY}: it does not belong to {CERT}")
