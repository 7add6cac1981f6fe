"""Whether ``sensors``, ``rules``, ``fences`` and ``dead_bands`` of config.json can be used.

Of each sensor the settings that its own file names are checked. A file that cannot be loaded is
no reason to refuse a configuration: the node tells of it when it is read.
"""

from .. import ConfigError
from .. import sensors as built_in
from ..config import allowed, fits
from . import fences, over, rules, sensors

_MOST = 32  # rules, fences, bands
_NAME = 24  # characters
_USUAL = {
    "period_s": (0, int, 0, 604800),
    "limit_s": (sensors.LIMIT_S, int, 1, 120),
    "wakes": (0, int, 0, 1),
}
_DEGREES = (90, 180)
TABLES = None  # on a host: sensor: its SETTINGS, None where nobody knows them


def check(settings: dict, file: str) -> None:
    """Raises ConfigError with the key's name."""
    try:
        _sensors(settings)
        _each("rules", settings["rules"], _rule)
        _each("fences", settings["fences"], _fence)
        bands = settings["dead_bands"]
        for name in _names("dead_bands", bands):
            row("dead_bands." + name, bands[name], (0.0, float, 0, 1e12))
    except ConfigError as error:
        raise ConfigError("%s: %s" % (file, error))


def known(key: str, value) -> None:
    """That a sensor of which a setting is to be changed is there. Raises ConfigError."""
    section, _, rest = key.partition(".")
    if section == "sensors":
        names = (rest.partition(".")[0],) if rest else value
        for name in names:
            if name not in built_in.SENSORS and name not in sensors.names():
                raise _no_file(name)


def _no_file(name: str) -> ConfigError:
    return ConfigError("sensors.%s: no file sensors/%s.py" % (name, name))


def row(key: str, value, rule: tuple):
    """A setting's value, or its default where it is None. Raises ConfigError."""
    if value is None:
        value = rule[0]
        if value is None:
            raise ConfigError("%s is missing; %s" % (key, allowed(key, rule)))
        return value
    if not fits(key, value, rule):
        from ..config_words import shown

        raise ConfigError("%s: %s is not allowed; %s" % (key, shown(value), allowed(key, rule)))
    return float(value) if rule[1] is float else value


def _names(section: str, given: dict) -> list:
    if len(given) > _MOST:
        raise ConfigError("%s: %d are too many, allowed are %d" % (section, len(given), _MOST))
    for name in given:
        if not name or len(name) > _NAME or not fits("id", name, ("", str, 1, 32)):
            raise ConfigError(
                "%s: %s is no name: letters, digits and -_., up to %d" % (section, name, _NAME)
            )
    return sorted(given)


def _each(section: str, given: dict, check_one) -> None:
    for name in _names(section, given):
        key = "%s.%s" % (section, name)
        if not isinstance(given[name], dict):
            raise ConfigError("%s must be an object: {...}" % key)
        check_one(key, given[name])


def _sensors(settings: dict) -> None:
    given = settings["sensors"]
    waking = []
    for name in _names("sensors", given):
        key = "sensors." + name
        one = given[name]
        if not isinstance(one, dict):
            raise ConfigError("%s must be an object: {...}" % key)
        how = one.get("over", "last")
        for word in how if isinstance(how, list) and how else (how,):
            if word not in over.WAYS:
                raise ConfigError(
                    "%s.over: allowed is one of %s, or a list of them"
                    % (key, ", ".join(over.WAYS))
                )
        for setting in _USUAL:
            row("%s.%s" % (key, setting), one.get(setting), _USUAL[setting])
        if one.get("wakes"):
            waking.append(name)
            if settings["pins.alarm"] == -1:
                raise ConfigError("%s.wakes: no pins.alarm is set" % key)
            if len(waking) > 1:
                raise ConfigError("%s.wakes: %s has pins.alarm" % (key, waking[0]))
        table = _table(name, settings)
        if table is None:
            continue
        _fields(key, {field: one[field] for field in one if field not in sensors.USUAL}, table)


def _table(name: str, settings: dict) -> dict | None:
    """The settings that a sensor has of its own; None: nobody can say."""
    if name in built_in.SENSORS:
        return {}
    if TABLES is not None:
        if name not in TABLES:
            raise _no_file(name)
        return TABLES[name]
    try:
        table = getattr(sensors.tried(name, settings), "SETTINGS", {})
        for key in table:
            fits(key, table[key][0], table[key])  # it is a table
        return table
    except Exception as error:  # whatever somebody's file does: told when it is read
        from .. import log

        log.warning("settings of sensors.%s are not checked: %s", name, error)
        return None


def _rule(key: str, rule: dict) -> None:
    kinds = [kind for kind in rules.KINDS if kind in rule]
    if len(kinds) != 1:
        raise ConfigError("%s needs one of %s" % (key, ", ".join(rules.KINDS)))
    _fields(key, rule, rules.FIELDS)
    if "change" in rule and rule.get("hysteresis"):
        raise ConfigError("%s.hysteresis: change has none" % key)


def _fence(key: str, fence: dict) -> None:
    if ("circle" in fence) == ("polygon" in fence):
        raise ConfigError("%s needs a circle or a polygon" % key)
    rest = {name: fence[name] for name in fence if name not in ("circle", "polygon")}
    _fields(key, rest, fences.FIELDS)
    if "circle" in fence:
        circle = fence["circle"]
        if (
            not isinstance(circle, list)
            or not _is_place(circle[:2])
            or len(circle) != 3
            or not _is_number(circle[2], 1, fences.LARGEST_M)
        ):
            raise ConfigError(
                "%s.circle: allowed is [latitude, longitude, radius in metres, 1 to %d]"
                % (key, fences.LARGEST_M)
            )
        return
    corners = fence["polygon"]
    fine = isinstance(corners, list) and 3 <= len(corners) <= fences.CORNERS
    if not fine or not all(_is_place(corner) for corner in corners):
        raise ConfigError(
            "%s.polygon: allowed are 3 to %d corners, each [latitude, longitude]"
            % (key, fences.CORNERS)
        )


def _fields(key: str, given: dict, table: dict) -> None:
    for field in sorted(given):
        if field not in table:
            raise ConfigError("there is no setting %s.%s" % (key, field))
    for field in sorted(table):
        if field in given or table[field][0] is None:
            row("%s.%s" % (key, field), given.get(field), table[field])


def _is_place(place) -> bool:
    return (
        isinstance(place, list)
        and len(place) == 2
        and all(_is_number(place[n], -_DEGREES[n], _DEGREES[n]) for n in range(2))
    )


def _is_number(value, least: float, most: float) -> bool:
    return isinstance(value, (int, float)) and type(value) is not bool and least <= value <= most
