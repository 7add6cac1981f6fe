"""docs/protocol.md has every name, topic, command and result that a node knows, and no other."""

import ast
import functools
import hmac
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import host_tests.shim  # noqa: F401
from firmware import commands, recovery, state, trials
from firmware.uplinks import status
from host_tests.docs.markdown import ROOT, Document
from host_tests.docs.templates import pattern_of
from tools.demo.subscriber import Subscriber
from tools.monitor.units import UNITS
from tools.virtual_c1100 import Profile

DOCUMENT = Document(ROOT / "docs/protocol.md")
SOURCES = sorted((ROOT / "firmware").rglob("*.py"))
KEY = bytes(range(32))


def nodes(kind: type[ast.AST]) -> Iterator[ast.AST]:
    """All of a kind in the firmware's sources."""
    return (node for node in all_nodes() if isinstance(node, kind))


@functools.cache
def all_nodes() -> list[ast.AST]:
    return [node for path in SOURCES for node in ast.walk(ast.parse(path.read_text()))]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# Telemetry ------------------------------------------------------------------------------------


def samples() -> set[tuple[str, str | None]]:
    """(name, unit) of every sample that the firmware's sources make: (name, unit or None, value),
    where the value is known at run time only."""
    found = set()
    for node in nodes(ast.Tuple):
        assert isinstance(node, ast.Tuple)
        if len(node.elts) != 3 or not isinstance(node.ctx, ast.Load):
            continue
        name, unit = node.elts[:2]
        if not isinstance(name, ast.Constant) or not isinstance(unit, ast.Constant):
            continue
        is_sample = isinstance(name.value, str) and not isinstance(node.elts[2], ast.Constant)
        if is_sample and (unit.value is None or unit.value in UNITS):
            found.add((name.value, unit.value))
    return found


def described() -> set[tuple[str, str | None]]:
    found = set()
    for cells in DOCUMENT.table("name", "unit"):
        units = names(cells[1])
        for number, name in enumerate(names(cells[0])):
            found.add((name, units[number] if units else None))
    return found


def test_every_measurement_is_described_with_its_unit():
    assert samples() == described()


def test_what_a_node_sends_is_described(node, broker):
    """Everything wired, with positions, cold start and a reset."""
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        n = node(Profile(), source=False, position={"period_s": 900})
        n.live(2)
        n.bench.press_reset()
        n.deliver(subscriber)
    sent = {
        (field["n"], field.get("u"))
        for record in subscriber.records
        for field in json.loads(record)
    }
    assert sent <= described()
    assert {"lat", "battery", "temperature", "signal", "reset", "clock_step"} <= dict(sent).keys()


def test_reset_causes():
    said = DOCUMENT.text[DOCUMENT.text.index("`reset` is one of") :].partition(". ")[0]
    assert set(names(said)) - {"reset is one of"} == set(state.CAUSES) - {"deepsleep", ""}


# Events ---------------------------------------------------------------------------------------


def events() -> set[str]:
    """The texts that become an `event`, with % for what differs: what log.tell() says, what is
    sampled as such, what is told of records and sensors, and the rungs of the ladder."""
    found = {rung[0] for rung in recovery.LADDER}
    for node in nodes(ast.Call):
        assert isinstance(node, ast.Call)
        if ast.unparse(node.func) == "log.tell":
            found |= literals(node.args[0])
    for node in nodes(ast.Tuple):
        assert isinstance(node, ast.Tuple)
        if node.elts and isinstance(node.elts[0], ast.Constant) and node.elts[0].value == "event":
            text = node.elts[2]
            is_sum = isinstance(text, ast.BinOp) and isinstance(text.op, ast.Add)
            found |= {each + "%s" * is_sum for each in literals(text)}
    for node in nodes(ast.Assign):  # firmware/aside.py calls it `told`
        assert isinstance(node, ast.Assign)
        if ast.unparse(node.targets[0]) == "told" and not isinstance(node.value, ast.Call):
            found |= literals(node.value)
    for node in nodes(ast.FunctionDef):
        assert isinstance(node, ast.FunctionDef)
        if node.name == "_told":
            found |= literals(node)
    return found - {"%s"}  # once more what was told


def literals(tree: ast.AST) -> set[str]:
    """Texts in it that are sentences."""
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    }


def test_every_event_is_described():
    told = {name for cells in DOCUMENT.table("text", "means") for name in names(cells[0])}
    shown = {re.sub("<[^>]+>", "1", text) for text in told}
    patterns = {template: pattern_of(template) for template in events()}
    for template, pattern in patterns.items():
        assert any(pattern.fullmatch(text) for text in shown), template
    for text in shown - {"1"}:  # what is wrong with a setting is config.py's affair
        assert any(pattern.fullmatch(text) for pattern in patterns.values()), text


# Commands -------------------------------------------------------------------------------------


def test_the_command_that_is_printed_is_genuine():
    block = next(block for block in DOCUMENT.blocks if '"mac"' in block.text)
    printed = json.loads(block.text)
    signed = next(
        block.text for block in DOCUMENT.blocks if block.text.startswith("c1100-command")
    )
    assert f"`{KEY.hex()}`" in DOCUMENT.text
    assert hmac.new(KEY, signed.rstrip("\n").encode(), "sha256").hexdigest() == printed["mac"]
    order, result = commands.Gate("field-17", KEY, 0).judge(block.text.encode())
    assert result is None
    assert order == (printed["id"], printed["counter"], "set",
                     {"key": "report.period_s", "value": 600})  # fmt: skip
    assert set(printed) == {names(cells[0])[0] for cells in DOCUMENT.table("field", "")}


def test_every_command_is_described():
    bodies = {}
    for cells in DOCUMENT.table("body", "does"):
        body = json.loads(names(cells[0])[0])
        bodies[body.pop("do")] = body
    assert bodies.keys() == commands._BODIES.keys()
    for do, body in bodies.items():
        assert body.keys() == commands._BODIES[do].keys()
        assert commands._are_arguments(body, commands._BODIES[do])


def test_every_result_is_described():
    known = {commands.DONE, commands.FAILED, commands.REFUSED, *trials._STATES}
    assert {names(cells[0])[0] for cells in DOCUMENT.table("`result`", "means")} == known


def test_every_reason_of_a_refusal_is_described():
    known = {
        value
        for name, value in vars(commands).items()
        if name.isupper() and isinstance(value, str) and not name.startswith("_")
    } - {commands.DONE, commands.FAILED, commands.REFUSED, commands.CUT_SHORT}
    downlink = (ROOT / "firmware/downlink.py").read_text()
    known |= set(re.findall(r'^_NOT_STORED = "(.*)"', downlink, re.MULTILINE))
    table = DOCUMENT.table("`why` of `refused`", "means")
    assert {names(cells[0])[0] for cells in table} == known
    assert f"`{commands.CUT_SHORT}`" in DOCUMENT.text


# Topics and headers ---------------------------------------------------------------------------


def test_every_topic_is_described():
    found = set()
    for path in SOURCES:
        text = path.read_text()
        found |= set(re.findall(r'"(nodes/%s/[\w/]*)"', text))
        found |= set(re.findall(r'_topic \+ "([\w/#]+)"', text))
        found |= set(re.findall(r'"((?:results|commands)/?)" \+ name', text))
        found |= set(re.findall(r'_keep\("([\w/]+)"', text))
    shown = DOCUMENT.prose.replace("<id>", "%s")
    for topic in found:
        assert topic in shown, topic


def test_every_header_is_described():
    text = (ROOT / "firmware/uplinks/http.py").read_text()
    sent = set(re.findall(r'_headers\["([\w-]+)"\]', text)) | {"Content-Type"}
    assert {names(cells[0])[0] for cells in DOCUMENT.table("header", "value")} == sent


@pytest.mark.parametrize("code", status._CONTENT)
def test_statuses_that_blame_the_content_are_named(code):
    assert str(code) in DOCUMENT.prose


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("mqtt", "_BATCH_BYTES"),
        ("mqtts", "_BATCH_BYTES"),
        ("https", "_BATCH_BYTES"),
        ("http", "_BATCH_BYTES"),
        ("http", "_READ_BYTES"),
    ],
)
def test_sizes_are_those_of_the_code(file, name):
    text = Path(ROOT / f"firmware/uplinks/{file}.py").read_text()
    size = re.search(rf"^{name} = const\((\d+)\)", text, re.MULTILINE)
    assert size
    assert f"{size[1]} bytes" in DOCUMENT.prose
