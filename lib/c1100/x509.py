"""Certificates and keys as far as mbedtls does not read them: PEM, and dates (RFC 7468, 5280)."""

from binascii import a2b_base64

from . import at


def content(given) -> bytes:
    """What is given as bytes, text or the name of a file. Raises BadArgument."""
    if isinstance(given, (bytes, bytearray, memoryview)):
        return bytes(given)
    if not isinstance(given, str):
        raise at.BadArgument("a certificate or key is bytes, text or the name of a file")
    if "-----BEGIN" in given:
        return given.encode()
    try:
        with open(given, "rb") as file:
            return file.read()
    except OSError as error:
        raise at.BadArgument("%s cannot be read: %s" % (given, error))


def ders(data: bytes, what: str) -> list:
    """What a file has, PEM or DER, each as DER: not every port can read PEM."""
    if data[:1] == b"\x30":
        return [data]
    found = []
    for block in data.split(b"-----BEGIN ")[1:]:
        kind, _, rest = block.partition(b"-----")
        if b"PARAMETERS" in kind:
            continue
        if b"ENCRYPTED" in block:
            raise at.BadArgument("%s: it is encrypted, and nobody is there to type" % what)
        try:
            found.append(a2b_base64(rest.partition(b"-----END")[0]))
        except ValueError:
            break
    if not found:
        raise at.BadArgument("%s: it is neither PEM nor DER" % what)
    return found


def _inside(buf, i: int) -> tuple:
    """Tag, begin and end of a DER element's content."""
    tag, n = buf[i], buf[i + 1]
    i += 2
    if n & 0x80:
        end = i + (n & 0x7F)
        n = int.from_bytes(bytes(buf[i:end]), "big")
        i = end
    return tag, i, i + n


def validity(cert) -> tuple:
    """First and last moment of a certificate (RFC 5280 4.1.2.5) as YYYYMMDDhhmmss."""
    _, i, _ = _inside(cert, _inside(cert, 0)[1])  # of what is signed
    if cert[i] == 0xA0:
        i = _inside(cert, i)[2]  # version
    for _ in range(3):  # serial number, algorithm, issuer
        i = _inside(cert, i)[2]
    _, i, _ = _inside(cert, i)
    moments = []
    for _ in range(2):
        tag, begin, i = _inside(cert, i)
        text = str(bytes(cert[begin:i]), "utf-8").rstrip("Z")
        if tag == 0x17:
            text = ("20" if text < "50" else "19") + text
        if len(text) != 14:
            raise ValueError
        moments.append(text)
    return tuple(moments)
