"""README's table of settings against the firmware's own: every key, with its default."""

import re
from pathlib import Path

import host_tests.shim  # noqa: F401
from firmware import config

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
