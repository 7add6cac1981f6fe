"""Values and units as a person reads them.

The units are those of SenML: RFC 8428 clause 12.1, those that RFC 8798 and RFC 9193 have added,
and the secondary ones of the registry (RFC 8798 clause 3). What is none of them is shown as it was
sent.
"""

import math

UNIT_CHARACTERS = 24
TEXT_CHARACTERS = 120
DATA_BYTES = 16  # of a data value, that are shown
DIGITS = 10  # a position to a centimetre has so many
EXACT = 2**53  # larger whole numbers are no numbers to a browser
_MICRO, _DEGREE, _SQUARED, _CUBED, _OHM, _DOT = "µ", "°", "²", "³", "Ω", "·"

# unit -> (as it is written behind a number, what it means)
UNITS: dict[str, tuple[str, str]] = {
    "m": ("m", "metres"),
    "kg": ("kg", "kilograms"),
    "g": ("g", "grams"),
    "s": ("s", "seconds"),
    "A": ("A", "amperes"),
    "K": ("K", "kelvins"),
    "cd": ("cd", "candelas"),
    "mol": ("mol", "moles"),
    "Hz": ("Hz", "hertz"),
    "rad": ("rad", "radians"),
    "sr": ("sr", "steradians"),
    "N": ("N", "newtons"),
    "Pa": ("Pa", "pascals"),
    "J": ("J", "joules"),
    "W": ("W", "watts"),
    "C": ("C", "coulombs"),
    "V": ("V", "volts"),
    "F": ("F", "farads"),
    "Ohm": (_OHM, "ohms"),
    "S": ("S", "siemens"),
    "Wb": ("Wb", "webers"),
    "T": ("T", "teslas"),
    "H": ("H", "henries"),
    "Cel": (_DEGREE + "C", "degrees Celsius"),
    "lm": ("lm", "lumens"),
    "lx": ("lx", "lux"),
    "Bq": ("Bq", "becquerels"),
    "Gy": ("Gy", "grays"),
    "Sv": ("Sv", "sieverts"),
    "kat": ("kat", "katals"),
    "m2": ("m" + _SQUARED, "square metres"),
    "m3": ("m" + _CUBED, "cubic metres"),
    "l": ("l", "litres"),
    "m/s": ("m/s", "metres per second"),
    "m/s2": ("m/s" + _SQUARED, "metres per second squared"),
    "m3/s": (f"m{_CUBED}/s", "cubic metres per second"),
    "l/s": ("l/s", "litres per second"),
    "W/m2": ("W/m" + _SQUARED, "watts per square metre"),
    "cd/m2": ("cd/m" + _SQUARED, "candelas per square metre"),
    "bit": ("bit", "bits"),
    "bit/s": ("bit/s", "bits per second"),
    "lat": (_DEGREE + " latitude", "degrees of latitude, north is positive"),
    "lon": (_DEGREE + " longitude", "degrees of longitude, east is positive"),
    "pH": ("pH", "acidity"),
    "dB": ("dB", "decibels"),
    "dBW": ("dBW", "decibels above a watt"),
    "Bspl": ("Bspl", "bels of sound pressure"),
    "count": ("", "a count"),
    "/": ("", "a ratio, 1 is the whole"),
    "%": ("%", "per cent"),
    "%RH": ("% RH", "per cent of relative humidity"),
    "%EL": ("% left", "per cent of the battery's charge that are left"),
    "EL": ("s left", "seconds until the battery is empty"),
    "1/s": ("per s", "events per second"),
    "1/min": ("per min", "events per minute"),
    "beat/min": ("beats/min", "heart beats per minute"),
    "beats": ("beats", "heart beats"),
    "S/m": ("S/m", "siemens per metre"),
    "B": ("B", "bytes"),
    "VA": ("VA", "volt-amperes"),
    "VAs": (f"VA{_DOT}s", "volt-ampere seconds"),
    "var": ("var", "volt-amperes reactive"),
    "vars": (f"var{_DOT}s", "volt-ampere reactive seconds"),
    "J/m": ("J/m", "joules per metre"),
    "kg/m3": ("kg/m" + _CUBED, "kilograms per cubic metre"),
    "deg": (_DEGREE, "degrees of an angle"),
    "NTU": ("NTU", "turbidity, nephelometric units"),
    "ms": ("ms", "milliseconds"),
    "min": ("min", "minutes"),
    "h": ("h", "hours"),
    "MHz": ("MHz", "megahertz"),
    "kW": ("kW", "kilowatts"),
    "kVA": ("kVA", "kilovolt-amperes"),
    "kvar": ("kvar", "kilovolt-amperes reactive"),
    "Ah": ("Ah", "ampere-hours"),
    "Wh": ("Wh", "watt-hours"),
    "kWh": ("kWh", "kilowatt-hours"),
    "VAh": ("VAh", "volt-ampere hours"),
    "varh": ("varh", "volt-ampere reactive hours"),
    "kvarh": ("kvarh", "kilovolt-ampere reactive hours"),
    "kVAh": ("kVAh", "kilovolt-ampere hours"),
    "Wh/km": ("Wh/km", "watt-hours per kilometre"),
    "KiB": ("KiB", "kibibytes, of 1024 bytes"),
    "GB": ("GB", "gigabytes"),
    "Mbit/s": ("Mbit/s", "megabits per second"),
    "B/s": ("B/s", "bytes per second"),
    "MB/s": ("MB/s", "megabytes per second"),
    "mV": ("mV", "millivolts"),
    "mA": ("mA", "milliamperes"),
    "dBm": ("dBm", "decibels above a milliwatt"),
    "ug/m3": (f"{_MICRO}g/m{_CUBED}", "micrograms per cubic metre"),
    "mm/h": ("mm/h", "millimetres per hour"),
    "m/h": ("m/h", "metres per hour"),
    "ppm": ("ppm", "parts per million"),
    "ppb": ("ppb", "parts per billion"),
    "ppt": ("ppt", "parts per trillion"),
    "/100": ("%", "per cent"),
    "/1000": ("‰", "per mille"),
    "hPa": ("hPa", "hectopascals"),
    "mm": ("mm", "millimetres"),
    "cm": ("cm", "centimetres"),
    "km": ("km", "kilometres"),
    "km/h": ("km/h", "kilometres per hour"),
    "mg/l": ("mg/l", "milligrams per litre"),
    "ug/l": (_MICRO + "g/l", "micrograms per litre"),
    "g/l": ("g/l", "grams per litre"),
}


def symbol(unit: str) -> str:
    """A unit as it is written behind a number."""
    return UNITS[unit][0] if unit in UNITS else cut(unit, UNIT_CHARACTERS)


def meaning(unit: str) -> str:
    """What a unit means, "" when it is not known."""
    return UNITS[unit][1] if unit in UNITS else ""


def shown(value: float | str | bool | bytes) -> float | str:
    """A value as a view shows it: a number that a browser can hold, or one line of text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        rest = "…" if len(value) > DATA_BYTES else ""
        return f"{len(value)} bytes: {value[:DATA_BYTES].hex(' ')}{rest}"
    if isinstance(value, str):
        return cut(value, TEXT_CHARACTERS)
    if isinstance(value, int):
        return value if abs(value) < EXACT else _large(value)
    if not math.isfinite(value):
        return {math.inf: "infinite", -math.inf: "-infinite"}.get(value, "not a number")
    return float(f"{value:.{DIGITS}g}")


def _large(value: int) -> str:
    try:
        return f"{value:.{DIGITS}g}"
    except OverflowError:  # more than a float holds
        return f"about {'-' * (value < 0)}1e{round(math.log10(abs(value)))}"


def number(value: object) -> float | None:
    """A value as a point of a plot; None for what is none."""
    if isinstance(value, bool):
        return float(value)
    if not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def plain(text: str) -> str:
    """Text of a stranger's, without what a terminal would take for an order."""
    return "".join(c if c.isprintable() else "?" for c in text)


def cut(text: str, most: int) -> str:
    """The beginning of a text of a stranger's, plain."""
    return plain(text if len(text) <= most else text[: most - 1] + "…")
