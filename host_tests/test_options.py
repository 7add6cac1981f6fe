"""What may be typed as a number, and what is said of all else; the tools by name."""

import argparse
import importlib

import pytest

from tools import __main__ as entry
from tools import options
from tools.provision.node import Node, Tables

WRONG = (
    "abc",
    "",
    "1.5",
    "1e3",
    "0x10",
    "\N{SUPERSCRIPT TWO}",
    "9" * 5000,
    "--",
    "nan",
    "-",
    "1 2",
)


def types():
    """(command, option, its type) of whatever takes a number."""
    for command, (name, _) in entry.COMMANDS.items():
        parser = argparse.ArgumentParser()
        importlib.import_module(name).add_arguments(parser)
        for action in parser._actions:
            given = action.type
            number = isinstance(action.default, int | float) and action.nargs != 0
            if given is not None and (number or "whole" in getattr(given, "__qualname__", "")):
                yield command, action.option_strings[0], given
            assert given not in (int, float), f"{command} {action.option_strings}: tools.options"


NUMBERS = list(types())


def test_there_are_numbers():
    found = {f"{command} {option}" for command, option, _ in NUMBERS}
    assert {"virtual-board --blocks", "probe --baud", "demo --reports", "deploy --wait"} <= found


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:9])
@pytest.mark.parametrize(("command", "option", "number"), NUMBERS)
def test_what_is_no_number_is_said(command, option, number, text):
    try:
        number(text)
    except argparse.ArgumentTypeError as error:
        assert "\n" not in str(error)
    else:
        assert float(text) >= 0, f"{command} {option} takes {text}"


@pytest.mark.parametrize("text", ["abc", "", "K", "1", "384KB", "-384K", "31K", "2000M", "3.5M"])
def test_what_is_no_heap(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"is not a size .* 32K to 1024M"):
        options.heap(text)


@pytest.mark.parametrize(("text", "heap"), [("384K", "384K"), ("2m", "2M"), ("65536", "65536")])
def test_what_is_a_heap(text, heap):
    assert options.heap(text) == heap


def test_ranges_have_both_ends():
    number = options.whole(-1, 3)
    assert [number(text) for text in ("-1", "+3", " 2 ")] == [-1, 3, 2]
    for text in ("-2", "4"):
        with pytest.raises(argparse.ArgumentTypeError, match="-1 to 3"):
            number(text)


def test_without_a_name_the_tools_are_listed(capsys):
    assert entry.main([]) == 2
    lines = capsys.readouterr().err.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(entry.COMMANDS)
    assert all(
        text in line for (_, text), line in zip(entry.COMMANDS.values(), lines, strict=True)
    )


@pytest.mark.parametrize(
    ("typed", "says"),
    [(name[:-1], f"did you mean {name}?") for name in entry.COMMANDS]
    + [(name.upper().replace("-", "_"), f"did you mean {name}?") for name in entry.COMMANDS]
    + [("xyzzy", "there are demo, bench"), ("", "there are demo, bench")],
)
def test_a_misspelt_tool(typed, says, capsys):
    assert entry.main([typed]) == 2
    assert f"there is no tool {typed}: {says}" in capsys.readouterr().err


def test_the_keys_that_there_are_come_in_order():
    tables = Tables.load()
    assert list(tables.config) == sorted(tables.config)
    assert list(tables.secrets) == sorted(tables.secrets)
    names = Node(tables).nearest("xyzzy").removeprefix("; known are ").split(", ")
    assert names == sorted([*tables.config, *tables.secrets])
