"""The ladder cures: whatever command fails until a rung is reached, the node delivers in the same
wake. And what is not the module's fault is no reason to climb.
"""

import pytest

from host_tests.node.conftest import Node
from tools.virtual_c1100.faults import REMEDIES

RUNGS = ("again", *REMEDIES)
WIRED = {"pwrkey": 4, "wake": 5, "status": 18, "cut": 6}
# What each uplink says to the module.
COMMANDS = {
    "mqtt": ("+LSMQTTCFG", "+LSMQTTCALL", "+LSMQTTOPEN"),
    "http": ("+LSHTTPURL", "+LSHTTPHEADERINFO", "+LSHTTPCFG", "+LSHTTPPOST"),
    "tcp": ("+LSIPPROFILE", "+LSIPCALL", "+LSIPOPEN", "+LSIPSEND", "+LSIPPUSH"),
}
# What brings it into the network, and "" for all: a failure need not be one for the node.
ATTACHING = ("", "+CPIN", "+CSQ", "+CEREG", "+CGREG", "+COPS", "+CCLK", "+CMEE")
ON_THE_WAY = (*(("mqtt", command) for command in ATTACHING), ("tcp", "+LSIPHEX"))


def climbed(node: Node, lines: int) -> list[str]:
    """Names of the rungs since the console had so many lines."""
    start = "recovery: "
    said = [text for _, text in node.bench.console[lines:] if text.startswith(start)]
    return [text[len(start) :].split(" ")[0] for text in said]


def wake(node: Node) -> tuple[bool, list[str]]:
    """The next wake. Returns whether it has delivered what it sampled, and the rungs."""
    lines, delivered = len(node.bench.console), len(node.said("delivered"))
    lived = len(node.bench.wakes)
    node.bench.run(
        until=lambda: node.asleep and len(node.bench.wakes) > lived,
        limit_s=node.bench.timeline.now_us / 1e6 + 17 * 900,
    )
    return len(node.said("delivered")) > delivered, climbed(node, lines)


def fail(node: Node, command: str, until: str) -> None:
    """Let a command fail until a rung has been climbed."""
    if until == "again":
        node.module.faults.add("error", f"{command}=1")
    else:
        node.module.faults.add("error", command)
        node.module.faults.add("cured-by", until)


@pytest.fixture
def reporter(node, lines, web_server):
    """reporter(uplink, **config) -> Node that reports so, with all wires"""
    host, port = web_server.address
    settings = {
        "mqtt": {},
        "http": {"http": {"url": f"http://{host}:{port}/telemetry"}},
        "tcp": {"tcp": {"host": lines.host, "port": lines.port}},
    }

    def make(uplink: str, **config) -> Node:
        settings[uplink] |= config
        made = node(source=False, uplink={"first": uplink}, pins=WIRED, **settings[uplink])
        assert wake(made) == (True, [])
        return made

    return make


@pytest.mark.parametrize(
    ("uplink", "command"), [(u, command) for u, some in COMMANDS.items() for command in some]
)
def test_each_rung_cures_a_command_of_an_uplink(reporter, uplink, command):
    n = reporter(uplink)
    for count, rung in enumerate(RUNGS):
        fail(n, command, rung)
        assert wake(n) == (True, list(RUNGS[: count + 1])), rung
        n.module.faults.clear()


@pytest.mark.parametrize(("uplink", "command"), ON_THE_WAY)
def test_each_rung_cures_a_command_on_the_way(reporter, uplink, command):
    n = reporter(uplink)
    for rung in RUNGS:
        fail(n, command, rung)
        delivered, rungs = wake(n)
        assert delivered, (rung, rungs)
        n.module.faults.clear()
