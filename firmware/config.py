"""Configuration: config.json and secrets.json beside main.py, checked against one table."""

from . import ConfigError, files, places, strict_json
from .energy import RELEASE_S
from .log import LEVELS
from .outbox import POLICIES
from .places import OWN
from .uplinks import FORMATS, JSON, NONE, SECURE, UPLINKS, chosen

PIN = "pin"  # a number, -1 where none is wired, or the board's name for it
_PIN_LENGTH = 8
HEX = "hex"  # text of hexadecimal digits, two for a byte; or none
BATTERIES = (NONE, "alkaline", "liion", "li-mno2", "li-socl2", "lifepo4")  # battery.py
_DIGITS = "0123456789"
_HEX_DIGITS = _DIGITS + "abcdefABCDEF"
_ALNUM = _DIGITS + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# What some texts hold besides: what may stand in front, what the next character is, what may
# follow it. config_words.py has all that in words.
_NAME = (("",), _ALNUM, _ALNUM + "-_.")
_HOST = (("",), _ALNUM, _ALNUM + "-_.")
_URL = (("http://", "https://"), _ALNUM, None)
_CODE = (("",), _DIGITS, _DIGITS)
_FORMS = {
    "id": _NAME,  # stands in MQTT topics, file names and names of SenML
    "mqtt.host": _HOST,
    "tcp.host": _HOST,
    "http.url": _URL,
    "tls.ca": _NAME,
    "tls.cert": _NAME,
    "tls.key": _NAME,
    "pin": _CODE,
}

# key: (default, type, least, most) -- least and most are of the value, or of a text's length --
# or (default, choices). A default of None means that the key must be given.
SCHEMA = {
    "id": (None, str, 1, 32),
    "apn": ("", str, 0, 64),
    "sample.period_s": (900, int, 10, 86400 * 7),
    "sample.flex_s": (0, int, 0, 86400),
    "sample.record": ("each", ("each", "report")),
    "sample.at_least_s": (0, int, 0, 604800),
    "report.period_s": (900, int, 10, 86400 * 7),
    "report.flex_s": (0, int, 0, 86400),
    "report.deadline_s": (0, int, 0, 86400 * 7),
    "report.poor_dbm": (-109, int, -140, -50),
    "report.limit_s": (60, int, 5, 240),
    "report.records": (0, int, 0, 10000),
    "position.period_s": (0, int, 0, 86400 * 30),
    "position.flex_s": (0, int, 0, 86400),
    "position.limit_s": (120, int, 10, 240),
    "position.weak_s": (30, int, 0, 240),
    "position.weak_db": (20, int, 1, 50),
    "position.moved_m": (0, int, 0, 100000),
    "position.still_s": (0, int, 0, 86400 * 30),
    "register_s": (180, int, 10, 600),
    "uplink.first": ("mqtt", tuple(sorted(UPLINKS))),
    "uplink.then": (NONE, (NONE,) + tuple(sorted(UPLINKS))),
    "payload.format": (JSON, FORMATS),
    "http.url": ("", str, 0, 200),
    "tcp.host": ("", str, 0, 100),
    "tcp.port": (7007, int, 1, 65535),
    "mqtt.host": ("", str, 0, 100),
    "mqtt.port": (1883, int, 1, 65535),
    "mqtts.port": (8883, int, 1, 65535),
    "mqtt.keepalive_s": (120, int, 0, 65535),
    "mqtt.qos": (1, int, 0, 2),
    "mqtt.user": ("", str, 0, 64),
    "tls.ca": ("", str, 0, 64),
    "tls.cert": ("", str, 0, 64),
    "tls.key": ("", str, 0, 64),
    "uart.id": (1, int, 0, 8),
    "uart.baud": (115200, int, 9600, 921600),
    "uart.tx": (-1, PIN, -1, 255),
    "uart.rx": (-1, PIN, -1, 255),
    "pins.pwrkey": (-1, PIN, -1, 255),
    "pins.wake": (-1, PIN, -1, 255),
    "pins.status": (-1, PIN, -1, 255),
    "pins.ring": (-1, PIN, -1, 255),
    "pins.cut": (-1, PIN, -1, 255),
    "pins.alarm": (-1, PIN, -1, 255),
    "pins.battery": (-1, PIN, -1, 255),
    "pins.temperature": (-1, PIN, -1, 255),
    "pins.pwrkey_active": (1, int, 0, 1),
    "pins.wake_active": (0, int, 0, 1),
    "pins.status_active": (1, int, 0, 1),
    "pins.ring_active": (0, int, 0, 1),
    "pins.cut_active": (1, int, 0, 1),
    "pins.alarm_active": (1, int, 0, 1),
    "battery.divider": (2.0, float, 1, 100),
    "battery.kind": (NONE, BATTERIES),
    "battery.cells": (1, int, 1, 24),
    "battery.sample": ("1,1,2,4", str, 7, 11),
    "battery.report": ("1,1,4,0", str, 7, 11),
    "battery.position": ("1,1,0,0", str, 7, 11),
    "battery.low_v": (0.0, float, 0, 100),
    "battery.critical_v": (0.0, float, 0, 100),
    "sleep.module": ("auto", ("auto", "off", "psm", "edrx", "idle")),
    "sleep.tau_s": (86400, int, 60, 35712000),
    "sleep.active_s": (10, int, 0, 11160),
    "sleep.edrx_s": (0, int, 0, 10485),
    "sleep.release_s": (RELEASE_S, int, 1, 300),
    "sleep.doze": (1, int, 0, 1),
    "watchdog_s": (60, int, 0, 3600),
    "outbox.bytes": (65536, int, 8192, 1 << 24),
    "outbox.policy": ("oldest", POLICIES),
    "commands.listen_s": (5, int, 1, 120),
    "health.period_s": (0, int, 0, 86400 * 30),
    "log.level": ("warning", LEVELS),
    "alarm.gap_s": (60, int, 1, 86400),
    "alarm.max_per_day": (24, int, 1, 1440),
    "sensors": ({}, dict, 0, 0),
    "rules": ({}, dict, 0, 0),
    "fences": ({}, dict, 0, 0),
    "dead_bands": ({}, dict, 0, 0),
}

SECRETS = {
    "pin": ("", str, 4, 8),
    "mqtt.password": ("", str, 0, 64),
    "commands.key": ("", HEX, 32, 128),
    "http.token": ("", str, 0, 128),
}


def load(folder: str = "", change: tuple | None = None) -> dict:
    """Read config.json and secrets.json from a folder and return all settings, flat.

    change -- (key, value) that takes the place of what config.json has

    Keys are those of SCHEMA and SECRETS (``"mqtt.host"``). Raises ConfigError.
    """
    settings = load_file(folder + "config.json", SCHEMA, change)
    settings.update(load_file(folder + "secrets.json", SECRETS))
    return settings


def load_file(path: str, schema: dict, change: tuple | None = None) -> dict:
    """The settings of one file, flat and complete. Raises ConfigError.

    schema -- SCHEMA or SECRETS; without a file of secrets there are none
    change -- (key, value) that takes the place of what the file has
    """
    given = read(path, schema is SCHEMA)
    if change is not None:
        put(given, change[0], change[1])
    return check(given, schema, path)


def put(given: dict, key: str, value) -> None:
    """Set a key (``"mqtt.port"``) in settings as a file has them. Raises ConfigError."""
    if key not in SCHEMA and key.split(".")[0] not in OWN:
        raise ConfigError("there is no setting %s" % key)
    try:
        places.put(given, key, value)
    except KeyError as error:
        raise ConfigError("there is no setting %s" % error.args[0])


def check(given: dict, schema: dict, name: str) -> dict:
    """Nested settings as given -> flat and complete. ``name`` of the file is for messages.

    Raises ConfigError; the value of a secret is never in its text.
    """
    flat = {}
    _flatten(given, "", flat, name)
    for key in flat:
        if key not in schema:
            text = "%s: there is no setting %s"
            if schema is SCHEMA and key in SECRETS:
                text = "%s: %s is a secret: it belongs into secrets.json"
            raise ConfigError(text % (name, key))
    settings = {}
    for key, rule in schema.items():
        value = flat.get(key, rule[0])
        if value is None:
            raise ConfigError("%s: %s is missing; %s" % (name, key, allowed(key, rule)))
        if not fits(key, value, rule):
            from .config_words import shown

            text = "its value" if schema is SECRETS else shown(value)
            raise ConfigError(
                "%s: %s: %s is not allowed; %s" % (name, key, text, allowed(key, rule))
            )
        settings[key] = float(value) if rule[1] is float else value
    if schema is SCHEMA:
        if any(settings[key] for key in OWN):
            from .own import checking

            checking.check(settings, name)
        if settings["battery.kind"] != NONE:
            from . import battery

            try:
                battery.factors(settings, 0)
            except ConfigError as error:
                raise ConfigError("%s: %s" % (name, error))
        pins = {}
        for key in sorted(schema):
            pin = settings[key]
            if schema[key][1] is PIN and pin != -1:
                if pin in pins:
                    raise ConfigError("%s: %s: pin %s is %s already" % (name, key, pin, pins[pin]))
                pins[pin] = key
        for uplink in chosen(settings):
            secure = uplink in SECURE
            for key in (UPLINKS[uplink], "tls.ca") if secure else (UPLINKS[uplink],):
                if not settings[key]:
                    raise ConfigError(
                        "%s: %s is missing, and the uplink %s needs it" % (name, key, uplink)
                    )
            if secure and bool(settings["tls.cert"]) != bool(settings["tls.key"]):
                raise ConfigError("%s: tls.cert and tls.key belong together" % name)
            if uplink == "https" and not settings["http.url"].startswith("https://"):
                raise ConfigError("%s: http.url: the uplink https needs one with https://" % name)
    return settings


def read(path: str, required: bool) -> dict:
    """What a file holds, as it stands there; empty if there is none. Raises ConfigError."""
    try:
        text = files.read(path)
    except OSError as error:
        raise ConfigError("%s cannot be read: %s" % (path, error))
    if text is None:
        if required:
            raise ConfigError("%s is missing: see README, Configure" % path)
        return {}
    try:
        given = strict_json.loads(text)
    except ValueError as error:
        raise ConfigError("%s is not valid JSON: %s" % (path, error))
    if not isinstance(given, dict):
        raise ConfigError("%s must hold one JSON object" % path)
    return given


def _flatten(given: dict, above: str, flat: dict, name: str) -> None:
    for key, value in given.items():
        key = above + key
        if isinstance(value, dict) and key not in OWN:
            if above:
                raise ConfigError("%s: %s is nested too deeply" % (name, key))
            _flatten(value, key + ".", flat, name)
        elif key in flat:  # "mqtt.port" beside a section "mqtt"
            raise ConfigError("%s: %s is there twice" % (name, key))
        else:
            flat[key] = value


def fits(key: str, value, rule: tuple) -> bool:
    """Whether a setting may have this value. rule -- of the key, from SCHEMA or SECRETS"""
    if value == "" and rule[0] == "":
        return True  # left out
    if key in _FORMS and not _has_form(value, _FORMS[key]):
        return False
    if len(rule) == 2:
        return value in rule[1]
    _, kind, least, most = rule
    if kind is PIN:
        kind = int
        if isinstance(value, str):
            kind, least, most = str, 1, _PIN_LENGTH
    if kind is HEX:
        return (
            isinstance(value, str)
            and least <= len(value) <= most
            and len(value) % 2 == 0
            and all(c in _HEX_DIGITS for c in value)
        )
    if type(value) is not kind and not (kind is float and type(value) is int):
        return False
    if kind is dict:
        return True
    if isinstance(value, str):
        # Text goes into AT commands, topics and file names.
        return least <= len(value) <= most and all("!" <= c <= "~" and c != '"' for c in value)
    return least <= value <= most


def _has_form(text, form: tuple) -> bool:
    fronts, first, others = form
    if not isinstance(text, str):
        return False
    for front in fronts:
        rest = text[len(front) :]
        if text.startswith(front) and rest and rest[0] in first:
            return others is None or all(c in others for c in rest)
    return False


def allowed(key: str, rule: tuple) -> str:
    """What a setting may be, in words."""
    from . import config_words

    return config_words.allowed(key, rule)
