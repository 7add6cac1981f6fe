"""README's table of settings against the firmware's own: every key, with its default."""

import re
from pathlib import Path

import pytest

import host_tests.shim  # noqa: F401
from firmware import config
from firmware.settings import KEYS, Settings

ROOT = Path(__file__).resolve().parents[1]


def described() -> dict[str, str]:
    """key -> default, as the table has them; `section.*` stands for itself."""
    text = (ROOT / "README.md").read_text()
    section = text[text.index("## Configure") : text.index("## Deploy")]
    found = {}
    for keys, defaults in re.findall(r"^\| (`[^|]+) \| ([^|]*)\|", section, re.MULTILINE):
        names = re.findall(r"`([^`]+)`", keys)
        values = [value.strip(" `") for value in defaults.split(",")]
        above = ""
        for number, name in enumerate(names):
            full = above + name if name.startswith(".") else name
            above = full.rpartition(".")[0]
            found[full] = values[number] if len(values) == len(names) else ""
    return found


def test_every_setting_is_described_and_nothing_else():
    table = described()
    groups = {name[:-1] for name in table if name.endswith(".*")}
    for key in config.SCHEMA:
        assert key in table or key.rpartition(".")[0] + "." in groups, key
    for key in table:
        assert key in config.SCHEMA or key.endswith(".*"), key


def test_defaults_of_numbers_are_right():
    compared = 0
    for key, text in described().items():
        number = re.match(r"-?[\d.]+", text)
        if number and key in config.SCHEMA:
            assert float(number[0]) == config.SCHEMA[key][0], key
            compared += 1
    assert compared > 20


def test_every_secret_is_described():
    text = (ROOT / "README.md").read_text()
    for key in config.SECRETS:
        assert f"`{key}`" in text, key


def test_a_wake_has_every_setting_by_its_key():
    known = [*config.SCHEMA, *config.SECRETS]
    assert sorted(KEYS.split()) == sorted(known)
    assert "  " not in KEYS
    given = {key: number for number, key in enumerate(known)}
    settings = Settings(given)
    assert {key: settings[key] for key in settings} == settings.copy() == given
    assert [settings.get(key, -1) for key in known] == list(given.values())


@pytest.mark.parametrize("key", ["", "i", "id ", " id", "sample", "period_s", "no.such"])
def test_what_is_no_key_is_no_setting(key):
    settings = Settings(dict.fromkeys(KEYS.split(), 1))
    assert settings.get(key) is None
    assert settings.get(key, 2) == 2
    with pytest.raises(KeyError):
        settings[key]


def test_a_row_that_somebody_adds_to_the_table_is_a_setting():
    given = dict.fromkeys(KEYS.split(), 1) | {"pins.moisture": 34, "udp.host": ""}
    settings = Settings(given)
    assert (settings["pins.moisture"], settings.get("udp.host", "x")) == (34, "")
    assert {key: settings[key] for key in settings} == settings.copy() == given
