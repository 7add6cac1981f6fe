"""Where a setting stands in config.json, without the table that says which there are."""

OWN = ("sensors", "rules", "fences", "dead_bands")  # objects: own/checking.py says of what


def put(given: dict, key: str, value) -> None:
    """Set a key (``"mqtt.port"``) in settings as a file has them. Raises KeyError, with the name
    of what is no section.
    """
    section, _, name = key.rpartition(".")
    if section and key.split(".")[0] in OWN:
        section, _, above = section.partition(".")
        given = given.setdefault(section, {})
        section = above
    given.pop(key, None)  # there may be one "mqtt.port" without a section
    inner = given.setdefault(section, {}) if section else given
    if not isinstance(inner, dict):
        raise KeyError(section)
    inner[name] = value
