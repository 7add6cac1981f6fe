"""Three wrong PINs block a SIM for good, and a node wakes often: one refusal is remembered."""

from binascii import crc32

_FILE = "pin_refused"


def allowed(pin: str) -> str | None:
    """The configured PIN, or None when there is none or the SIM has refused this one."""
    if not pin:
        return None
    try:
        with open(_FILE) as file:
            refused = file.read() == _mark(pin)
    except OSError:
        return pin
    return None if refused else pin


def refuse(pin: str) -> None:
    """Remember that the SIM has refused this PIN, until another one is configured."""
    with open(_FILE, "w") as file:
        file.write(_mark(pin))


def _mark(pin: str) -> str:
    # Enough to tell whether the configuration has changed; the PIN itself stays in secrets.json.
    return str(crc32(pin.encode()))
