"""Each entry of the dialect, edited in each way that its comment allows: what the driver does
stays the same, with a module that speaks the edited dialect.
"""

import ast
import functools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from host_tests import edits, virtual_time
from host_tests.edits.flows import FLOWS
from host_tests.edits.mirror import Mirror

PLAIN = edits.load(edits.SOURCE)
FORMS = PLAIN.dialect.forms()
FIELDS = ("send", "answer", "shape", "then", "prompt", "wait", "again", "source")


def run(package: Any, flow: str) -> tuple[Any, Mirror]:
    module = Mirror(package.dialect, pin=flow == "start")

    async def scenario() -> Any:
        return await FLOWS[flow](package, module)

    return virtual_time.run(scenario()), module


@functools.cache
def plain() -> dict[str, tuple[Any, set[str]]]:
    """flow -> what it gives, and the forms that it uses."""
    found = {}
    for flow in FLOWS:
        got, module = run(PLAIN, flow)
        assert not module.unknown, (flow, module.unknown)
        found[flow] = (got, set(module.names))
    return found


def same(source: str, flows: list[str]) -> None:
    package = edits.load(source)
    try:
        for flow in flows:
            got, module = run(package, flow)
            assert not module.unknown, (flow, module.unknown)
            assert got == plain()[flow][0], flow
    finally:
        edits.unload(package)


def changes(name: str, form: Any) -> Iterator[dict[str, Any]]:
    """The edits of a form that the comment in front of Form allows."""
    if form.send[:1] in ("+", "$"):
        yield {"send": form.send[0] + "X" + form.send[1:]}
    elif form.send:
        yield {"send": "+X" + form.send.strip("*#")}
    if "=" in form.send:
        yield {"send": form.send + ",9"}
        yield {"send": form.send.replace("=", "= ")}
    if re.search(r"\d}", form.send):
        yield {"send": re.sub(r"(\d+)}", r"\g<1>0}", form.send)}
        yield {"send": re.sub(r"\d+}", "}", form.send)}
    if form.answer[:1] in ("#", "*"):
        yield {"answer": re.split("[?=]", form.send)[0]}
        yield {"answer": form.answer[0]}
    elif form.answer:
        yield {"answer": form.answer[0] + "X" + form.answer[1:]}
        yield {"answer": form.answer.replace("+LS", "+", 1)}
        if form.answer[:3] != "+LS":
            yield {"answer": form.answer.replace("+", "+LS", 1)}
    if form.shape and form.shape != "r":
        yield {"shape": form.shape + "?"}
        yield {"shape": form.shape + "iS"}
        yield {"shape": form.shape[:-1] + form.shape[-1].upper()}
    if form.then and form.then != PLAIN.dialect.VERDICT:
        bare = form.then.rstrip("?")
        yield {"then": bare.replace("+", "+X", 1)}
        yield {"then": bare.replace("+", "+LS", 1)}
        yield {"then": bare + "?"}
        yield {"then": bare}
        yield {"then": ""}
    if form.prompt:
        yield {"prompt": False}
    yield {"wait": form.wait + 9}
    yield {"again": not form.again}
    yield {"source": "seen here"}


CASES = [
    pytest.param(name, change, id=f"{name}-{field}-{value}")
    for name, form in FORMS.items()
    for change in changes(name, form)
    for field, value in change.items()
    if value != getattr(form, field)
]


@pytest.mark.parametrize(("name", "change"), CASES)
def test_a_form_is_edited(name: str, change: dict[str, Any]) -> None:
    fields = dict(zip(FIELDS, FORMS[name], strict=True)) | change
    flows = [flow for flow, (_, names) in plain().items() if name in names]
    assert flows, "no flow uses this form"
    source = edits.rewrite_form(name, fields)
    edited: dict[str, Any] = {}
    exec(source, edited)
    assert edited["forms"]() == FORMS | {name: tuple(fields.values())}
    same(source, flows)


def test_every_form_has_a_flow() -> None:
    used = set().union(*(names for _, names in plain().values()))
    assert set(FORMS) - used == set()


# Entries that are no forms: values that their comments allow.
VALUES: dict[str, tuple[str, ...]] = {
    "ENDS": (
        '{"": "0/4", "A": "1/34", "D": "13/4", "O": "1/34", "H": "0/34"}',
        '{"": "0/34", "D": "1/34", "D*99#": "1/4", "H": "3/4"}',
    ),
    "VERDICT": ('"+IPRESULT"', '"^LSIP"'),
    "MQTT_MESSAGE": ('"+MQTTRECV"', '"+LSMQTTMSG"', '"^MQTTMSG"'),
    "MQTT_MESSAGE_FIELDS": (
        '("topic", "length")',
        '("length", "topic")',
        '("topic", "qos", "length")',
        '("retained", "qos", "topic", "length")',
        '("topic",)',
        '("topic", "qos")',
    ),
    "IP_DATA": ('("+LSIPDATA", "+LSIPUDP")', '("+IPRTCP", "+IPRUDP")', '("^TCP", "^UDP")'),
    "RELEASED": ('"^RELEASED"', '"+CSCON"'),
    "ENTERED_PSM": ('"^PSMON"', '"+PSM"'),
    "LEFT_PSM": ('"^PSMOFF"', '"+AWAKE"'),
    "SYNC": (
        '("EPS_STATE", "SIGNAL")',
        '("OPERATOR", "CLOCK", "SIGNAL")',
        '("GPRS_STATE", "EPS_STATE")',
    ),
    "SUCCEEDED": ("(7,)", '("OK",)', '("DONE", 2)'),
    "FAILED": ('("ERROR", 0, 9)', '(0, "BAD", "FAIL")'),
    "BANNERS": ("()", '("HELLO", "APP RDY")'),
    "URCS": ("{}", '{**URCS_BEFORE, "+NEW": True}'),
    "IP_READ_DATA": ('"+XLSIPREAD"', '"+LSIPKEPT"'),
    "PSM_ENTRY_MS": ("const(1000)", "const(9000)"),
    "IP_ROOM": ("const(3000)", "const(1024)"),
    "VERDICT_MS": ("const(500)",),
    "OUTCOME_MS": ("const(500)",),
    "KEY_ON_MS": ("const(1500)",),
    "KEY_OFF_MS": ("const(3000)",),
    "STATUS_MS": ("const(9000)",),
    "BOOT_MS": ("const(30000)",),
    "RESTART_MS": ("const(5000)",),
    "PSM_SLACK_MS": ("const(9000)",),
    "SIM_READY_MS": ("const(60000)",),
    "OFF_MS": ("const(20000)",),
}
TABLES = [(name, value) for name, values in VALUES.items() for value in values]


@pytest.mark.parametrize(("name", "value"), TABLES)
def test_another_entry_is_edited(name: str, value: str) -> None:
    if "_BEFORE" in value:
        value = value.replace("URCS_BEFORE", ast.unparse(edits.entries()[name].value))
    same(edits.rewrite(name, value), list(FLOWS))


@pytest.mark.parametrize("key", sorted(PLAIN.dialect.URCS))
def test_a_urc_is_taken_out_or_made_an_event(key: str) -> None:
    for change in (f"del URCS[{key!r}]", f"URCS[{key!r}] = not URCS[{key!r}]"):
        same(edits.SOURCE + "\n" + change + "\n", list(FLOWS))


def test_a_form_is_known_by_its_name_and_by_what_it_sends() -> None:
    for name, form in FORMS.items():
        assert getattr(PLAIN.dialect, name) is getattr(PLAIN.dialect, name)
        assert getattr(PLAIN.dialect, name) == form == PLAIN.dialect.find(form.send)
    for name in ("NO_FORM", "name", "#", ""):
        assert not hasattr(PLAIN.dialect, name)
        assert PLAIN.dialect.find("+" + name) is None


def test_type_checkers_know_the_names_of_the_table() -> None:
    known = [
        target.id
        for node in ast.walk(ast.parse(edits.SOURCE))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    ]
    assert known == list(FORMS)


def test_every_entry_is_edited() -> None:
    names = {name for name in edits.entries() if name.isupper() and not name.startswith("_")}
    assert names - set(FORMS) - set(VALUES) == set()
