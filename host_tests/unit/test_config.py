"""The configuration's table: defaults, and messages that name the key and what is allowed."""

from firmware import config
from host_tests.support import raises

LEAST = {"id": "node-1", "mqtt": {"host": "broker.example"}}


def check(**changes):
    given = dict(LEAST)
    given.update(changes)
    return config.check(given, config.SCHEMA, "config.json")


def message(given, schema=config.SCHEMA, name="config.json"):
    try:
        config.check(given, schema, name)
    except config.ConfigError as error:
        return str(error)
    raise AssertionError("accepted: %r" % (given,))


def test_defaults():
    settings = check()
    assert settings["id"] == "node-1"
    assert settings["mqtt.host"] == "broker.example"
    assert settings["mqtt.port"] == 1883
    assert settings["pins.pwrkey"] == -1
    assert sorted(settings) == sorted(config.SCHEMA)


def test_every_default_is_allowed():
    for schema in (config.SCHEMA, config.SECRETS):
        given = {}
        for key, rule in schema.items():
            default = rule[0]
            section, _, name = key.rpartition(".")
            value = "x" if default is None else default
            given.setdefault(section, {})[name] = value
        given.update(given.pop("", {}))
        if schema is config.SCHEMA:
            given["mqtt"]["host"] = "h"  # its uplink is the default
        config.check(given, schema, "x")


def test_bounds_are_allowed_and_what_is_beyond_them_is_not():
    tried = 0
    for key, rule in config.SCHEMA.items():
        if len(rule) == 2:
            continue
        _, kind, least, most = rule
        section, _, name = key.rpartition(".")
        for value, good in (
            (least, True),
            (most, True),
            (least - 1, False),
            (most + 1, False),
        ):
            if kind is str:
                if value < 0:
                    continue
                value = "x" * value
            given = {"id": "n", "mqtt": {"host": "h"}, "tcp": {"host": "h"}}
            if section == "mqtt":
                given["uplink"] = {"first": "tcp"}
            if section:
                given.setdefault(section, {})[name] = value
            else:
                given[name] = value
            tried += 1
            if good:
                assert config.check(given, config.SCHEMA, "c")[key] == value, key
            else:
                assert key in message(given), key
    assert tried > 60


def test_messages_name_key_and_what_is_allowed():
    table = (
        ({"mqtt": {"host": "h"}}, "id is missing", "1 to 32 characters"),
        ({"id": "n", "mqtt": {}}, "mqtt.host is missing", "the uplink mqtt needs it"),
        ({"id": "n", "uplink": {"first": "http"}}, "http.url is missing", "uplink http"),
        (
            {"id": "n", "mqtt": {"host": "h"}, "uplink": {"then": "tcp"}},
            "tcp.host is missing",
            "uplink tcp",
        ),
        ({"id": "n", "mqtt": {"host": "h", "port": 70000}}, "mqtt.port: 70000", "1 to 65535"),
        ({"id": "n", "mqtt": {"host": "h", "port": "x"}}, "mqtt.port: 'x'", "a whole number"),
        ({"id": "n", "mqtt": {"host": "h", "port": True}}, "mqtt.port: True", "a whole number"),
        ({"id": "n", "mqtt": {"host": "h", "pork": 1}}, "no setting mqtt.pork", "config.json"),
        ({"id": "a b", "mqtt": {"host": "h"}}, "id: 'a b'", "without spaces or quotes"),
        ({"id": 'a"b', "mqtt": {"host": "h"}}, "id: ", "without spaces or quotes"),
        (
            {"id": "n", "mqtt": {"host": "h"}, "outbox": {"policy": "all"}},
            "outbox.policy: 'all'",
            "one of oldest, newest, thin",
        ),
        ({"id": "n", "mqtt": {"host": {"x": {}}}}, "mqtt.host", "nested too deeply"),
    )
    for given, *parts in table:
        text = message(given)
        for part in parts:
            assert part in text, text


def test_a_secret_is_never_in_a_message():
    text = message({"pin": "123456789012"}, config.SECRETS, "secrets.json")
    assert "1234" not in text
    assert "pin" in text
    text = message({"mqtt": {"password": 'hush "now'}}, config.SECRETS, "secrets.json")
    assert "hush" not in text


def test_a_pin_is_a_number_or_a_name():
    for pin in (-1, 4, "X5", "PB3"):
        assert check(pins={"ring": pin})["pins.ring"] == pin
    for pin in ("", "a long name", 4.0, True, None, 'X"'):
        assert "pins.ring" in message({"id": "n", "mqtt": {"host": "h"}, "pins": {"ring": pin}})


def test_whole_numbers_do_for_a_number():
    assert check(battery={"divider": 3})["battery.divider"] == 3.0


def test_missing_file_is_named():
    with raises(config.ConfigError):
        config.load("no/such/folder/")
