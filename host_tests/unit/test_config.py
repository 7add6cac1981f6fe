"""The configuration's table: defaults, and messages that name the key and what is allowed."""

from firmware import config
from host_tests.support import raises
from host_tests.support.json_texts import BYTES, wrong_texts
from host_tests.support.scratch import made

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
        if len(rule) == 2 or rule[1] is dict:
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
                value = ("http://" + "x" * value)[:value] if key == "http.url" else "x" * value
                good = good and (key != "http.url" or value == "" or len(value) > 7)
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


def test_a_setting_is_given_once_and_in_its_section():
    for given, part in (
        ({"mqtt": {"host": "h"}, "mqtt.host": "i"}, "mqtt.host is there twice"),
        ({"mqtt": {"host": "h", "port": 1}, "mqtt.port": 1}, "mqtt.port is there twice"),
        ({"mqtt": {"host": "h"}, "": {"id": "m"}}, "there is no setting .id"),
        ({"mqtt": {"host": "h"}, "": {"": {"": "m"}}}, "nested too deeply"),
        ({"mqtt": {"host": "h", "": 1}}, "there is no setting mqtt."),
        ({"mqtt": "h"}, "there is no setting mqtt"),
        ({"mqtt": []}, "there is no setting mqtt"),
        ({"mqtt": {"host": "h"}, "report": {"period_s.": 1}}, "no setting report.period_s."),
    ):
        given["id"] = "n"
        assert part in message(given), given


def test_numbers_of_any_size_are_compared_and_refused():
    for key, rule in config.SCHEMA.items():
        if len(rule) == 2 or rule[1] is str:
            continue
        section, _, name = key.rpartition(".")
        for value in (1 << 70, -(1 << 70), 1 << 1030, 1e30, -1e30, 1e300 * 1e300):
            given = {"id": "n", "mqtt": {"host": "h"}}
            given.setdefault(section, {})[name] = value
            given.update(given.pop("", {}))
            assert key in message(given), (key, value)


def place():
    where = made()
    return where + "/"


def write(path, text):
    with open(path, "wb") as file:
        file.write(text)


def test_what_is_no_json_is_no_configuration():
    where = place()
    tried = 0
    for text in list(wrong_texts()) + list(BYTES):
        data = text if isinstance(text, bytes) else text.encode()
        whole = b'{"id": "n", "mqtt": {"host": "h"}, "report": {"period_s": ' + data + b"}}"
        for name, schema in (("config.json", config.SCHEMA), ("secrets.json", config.SECRETS)):
            for each in (data, whole):
                write(where + name, each)
                with raises(config.ConfigError) as caught:
                    config.load_file(where + name, schema)
                assert name + " is not valid JSON: " in str(caught.error), each
                tried += 1
    print("%d files are no configuration" % tried)
    assert tried > 2000


def test_what_is_no_json_is_refused_with_its_place():
    where = place()
    for text, part in (
        (
            b'{"id": "n", "mqtt": {"host": "h"}, "report": {"period_s": }}',
            "config.json is not valid JSON: line 1, column 59: a value is missing",
        ),
        (
            b'{"id": "n", "mqtt": {"host": "h", "port": 1}, "mqtt": {"host": "h"}}',
            '"mqtt" is there twice',
        ),
        (b'{"id": "n",\n "mqtt": {"host": "h"},\n}', "line 3, column 1: a name in double"),
    ):
        write(where + "config.json", text)
        with raises(config.ConfigError) as caught:
            config.load(where)
        assert part in str(caught.error), caught.error
    write(where + "secrets.json", b'{"pin": "4711" "mqtt": {"password": "swordfish"}}')
    with raises(config.ConfigError) as caught:
        config.load_file(where + "secrets.json", config.SECRETS)
    said = str(caught.error)
    assert "line 1, column 16: a comma or } is missing" in said
    assert "4711" not in said
    assert "swordfish" not in said


def test_no_pin_has_two_keys():
    keys = [key for key, rule in config.SCHEMA.items() if rule[1] is config.PIN]
    assert len(keys) == 10
    for pin in (4, "X4"):
        for one in keys:
            for other in keys:
                given = {"id": "n", "mqtt": {"host": "h"}, one: pin, other: pin}
                if one == other:
                    assert config.check(given, config.SCHEMA, "c")[one] == pin
                    continue
                with raises(config.ConfigError) as caught:
                    config.check(given, config.SCHEMA, "c")
                first, last = sorted((one, other))
                assert str(caught.error) == "c: %s: pin %s is %s already" % (last, pin, first)


def test_what_an_uplink_over_tls_needs():
    given = {"id": "n", "mqtt": {"host": "h"}, "http": {"url": "http://h/"}}
    table = (  # uplink, tls, what is said of it; "": it is accepted
        ("mqtts", {}, "tls.ca is missing"),
        ("mqtts", {"ca": "ca.pem"}, ""),
        ("mqtts", {"ca": "ca.pem", "cert": "n.pem"}, "tls.cert and tls.key belong together"),
        ("mqtts", {"ca": "ca.pem", "key": "n.key"}, "tls.cert and tls.key belong together"),
        ("mqtts", {"ca": "ca.pem", "cert": "n.pem", "key": "n.key"}, ""),
        ("mqtts", {"ca": "../ca.pem"}, "the name of a file in the node's folder"),
        ("mqtts", {"ca": "a b"}, "the name of a file in the node's folder"),
        ("https", {}, "tls.ca is missing"),
        ("https", {"ca": "ca.pem"}, "http.url: the uplink https needs one with https://"),
        ("mqtt", {"cert": "n.pem"}, ""),
    )
    for uplink, tls, said in table:
        wanted = dict(given, tls=tls, uplink={"first": uplink})
        if said:
            assert said in message(wanted), (uplink, tls)
        else:
            config.check(wanted, config.SCHEMA, "config.json")
