"""Texts that can never work are refused with the key's name: on the host and on the node."""

from firmware import config
from host_tests.support import raises

ID = ("n1", "field-17", "A", "7", "a.b_c-d", "x" * 32)
NO_ID = (
    "", "n#1", "n+1", "a/b", "../n", "..", ".n", "-n", "_n", "a b", "a\nb", "a$", "a:b", "a\\b",
    "\u00e4", "n\x00", "x" * 33, "a%", "~", "a*", 7, None, True, [],
)  # fmt: skip
HOST = ("h", "broker.example", "10.0.0.1", "my_host", "xn--a.example", "localhost")
NO_HOST = (
    "mqtt://h:1883", "h:1883", "h/path", "http://h", ".h", "-h", "h h", "h\r", "[::1]", "h,1",
    "h?", "user@h", "h#", "\u00e4.example", "x" * 101, 7, True, [],
)  # fmt: skip
URLS = ("http://h", "https://broker.example:8080/a?b=c&d#e", "http://10.0.0.1/x", "http://a%20b/")
NO_URLS = (
    "h", "h/x", "//h", "ftp://h", "http:/h", "http://", "https:///x", "HTTP//h", "http:// h",
    "http://h/a b", 'http://h/"', "http://h/\u00e4", "http://h/\r\nX",
    "http://" + "h" * 200, 7, [],
)  # fmt: skip
PIN = ("0000", "1234", "12345678")
NO_PIN = ("123", "123456789", "12a4", "12 4", "-123", "+1234", "1.23", 1234, True)


def with_(key, value):
    given = {"id": "n", "mqtt": {"host": "h"}}
    section, _, name = key.rpartition(".")
    (given.setdefault(section, {}) if section else given)[name] = value
    return given


def test_what_can_work():
    for key, values in (("id", ID), ("mqtt.host", HOST), ("tcp.host", HOST), ("http.url", URLS)):
        for value in values:
            assert config.check(with_(key, value), config.SCHEMA, "x")[key] == value, value
    for key in ("tcp.host", "http.url"):
        assert config.check(with_(key, ""), config.SCHEMA, "x")[key] == ""
    for value in PIN + ("",):
        assert config.check({"pin": value}, config.SECRETS, "x")["pin"] == value


def test_what_cannot():
    tables = (
        ("id", NO_ID), ("mqtt.host", NO_HOST), ("tcp.host", NO_HOST), ("http.url", NO_URLS),
    )  # fmt: skip
    tried = 0
    for key, values in tables:
        for value in values:
            with raises(config.ConfigError) as caught:
                config.check(with_(key, value), config.SCHEMA, "config.json")
            assert "config.json: %s" % key in str(caught.error), (value, str(caught.error))
            tried += 1
    assert tried > 70
    for value in NO_PIN:
        with raises(config.ConfigError) as caught:
            config.check({"pin": value}, config.SECRETS, "secrets.json")
        text = str(caught.error)
        assert "secrets.json: pin" in text
        assert str(value) not in text, text


def test_the_words_say_what_is_allowed():
    for key, value, says in (
        ("id", "a/b", "id: 'a/b' is not allowed; allowed is letters, digits and -_. without"),
        ("mqtt.host", "mqtt://h", "allowed is a host's name or address, without scheme, port"),
        ("http.url", "h", "allowed is a URL that begins with http:// or https://"),
    ):
        with raises(config.ConfigError) as caught:
            config.check(with_(key, value), config.SCHEMA, "config.json")
        assert says in str(caught.error), str(caught.error)
