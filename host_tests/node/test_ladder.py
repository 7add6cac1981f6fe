"""The ladder cures: whatever command fails until a rung is reached, the node delivers in the same
wake. And what is not the module's fault is no reason to climb.
"""

import pytest

from host_tests.node.conftest import Node
from host_tests.peers import dead_port
from tools.broker import mosquitto
from tools.virtual_c1100 import Profile
from tools.virtual_c1100.faults import REMEDIES

RUNGS = ("again", *REMEDIES)
WIRED = {"pwrkey": 4, "wake": 5, "status": 18, "cut": 6}
# What each uplink says to the module.
COMMANDS = {
    "mqtt": ("+LSMQTTCFG", "+LSMQTTCALL", "+LSMQTTOPEN", "+LSMQTTPUB"),
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
        made = node(uplink={"first": uplink}, pins=WIRED, **settings[uplink])
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
        delivered, rungs = wake(n)
        assert delivered, rung
        # What fails once may be tried again by the driver itself.
        assert rungs == list(RUNGS[: count + 1]) or (rung == "again" and not rungs)
        n.module.faults.clear()


@pytest.mark.parametrize(("uplink", "command"), ON_THE_WAY)
def test_each_rung_cures_a_command_on_the_way(reporter, uplink, command):
    n = reporter(uplink)
    for rung in RUNGS:
        fail(n, command, rung)
        delivered, rungs = wake(n)
        assert delivered, (rung, rungs)
        n.module.faults.clear()


# Nodes of other kinds; the highest rung that they have the wires for, and one that each of their
# wakes does anyway.
KINDS = {
    "with a PIN": ({"secrets": {"pin": "1234"}}, "supply", ""),
    "in PSM": ({"sleep": {"module": "psm", "active_s": 10}}, "supply", ""),
    "in idle mode": ({"sleep": {"module": "idle"}}, "supply", ""),
    "listening": ({"sleep": {"doze": 0}}, "supply", ""),
    "with a position": ({"position": {"period_s": 900, "limit_s": 60}}, "supply", ""),
    "without status": ({"pins": {"pwrkey": 4, "wake": 5}}, "power", ""),
    "key alone": ({"pins": {"pwrkey": 4}}, "power", ""),
    "without key": ({"pins": {"wake": 5, "status": 18}}, "restart", ""),
    "without wires": ({"pins": {}}, "restart", ""),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_rung_brings_nodes_of_all_kinds_back(node, kind):
    config, highest, done = KINDS[kind]
    profile = Profile()
    if "secrets" in config:
        profile.sim.pin = "1234"
    n = node(profile, **{"pins": WIRED} | config)
    if "pwrkey" not in config.get("pins", WIRED):
        n.module.power_on()  # nobody else does
    assert wake(n) == (True, [])
    for count, rung in enumerate(RUNGS[: RUNGS.index(highest) + 1]):
        fail(n, "+LSMQTTOPEN", rung)  # a bearer may be there already
        delivered, rungs = wake(n)
        assert delivered, rung
        # The driver itself tries once more to open.
        wanted = [] if rung in (done, "again") else list(RUNGS[: count + 1])
        assert rungs == wanted, rung
        n.module.faults.clear()


# What is not the module's fault, and what is told of it. {dead}: an address where nobody listens.
HTTP_STATUSES = (300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 409, 410, 418, 422, 429)
HTTP_STATUSES += (500, 501, 502, 503, 504, 599)
REFUSALS = (
    *(
        ("http", {"http": {"url": f"http://{{web}}/status/{status}"}}, f"status {status}")
        for status in HTTP_STATUSES
    ),
    ("http", {"http": {"url": "http://{dead}/telemetry"}}, "no answer from the server"),
    ("http", {"http": {"url": "http://no.such.example/"}}, "no answer from the server"),
    ("tcp", {"tcp": {"host": "127.0.0.1", "port": "{dead_port}"}}, "127.0.0.1:{dead_port}"),
    ("tcp", {"tcp": {"host": "no.such.example"}}, "no.such.example:7007"),
    ("mqtt", {"mqtt": {"host": "127.0.0.1", "port": "{dead_port}"}}, "127.0.0.1:{dead_port}"),
    ("mqtt", {"mqtt": {"host": "no.such.example"}}, "no.such.example:1883"),
    ("mqtt", {"mqtt": {"host": "{host}", "port": "{port}", "user": "n1"}}, "user n1"),
)
LONGEST_S = 16  # nearly what a wake takes that delivers
RESOLVE_S = 20  # until the module gives up a name that nobody knows


def filled(config, values):
    """A configuration with what is only known when the servers run."""
    if isinstance(config, dict):
        return {key: filled(value, values) for key, value in config.items()}
    text = config.format(**values) if isinstance(config, str) else config
    return int(text) if isinstance(text, str) and text.isdigit() else text


@pytest.fixture(scope="module")
def guarded():
    with mosquitto({"n1": "open-sesame"}) as address:
        yield address


def test_what_is_not_the_modules_fault_climbs_nothing(node, web_server, guarded):
    dead = dead_port()
    values = {
        "dead": f"127.0.0.1:{dead}",
        "dead_port": dead,
        "web": "{}:{}".format(*web_server.address),
        "host": guarded.host,
        "port": guarded.port,
    }
    secrets = {"mqtt": {"password": "swordfish"}, "http": {"token": "open-sesame"}}
    for uplink, config, told in REFUSALS:
        n = node(secrets=secrets, uplink={"first": uplink}, **filled(config, values))
        assert wake(n) == (False, []), (config, n.said("recovery"))
        failed = n.said("wake failed: Refused:")
        assert len(failed) == 1, (config, n.said("wake failed"))
        assert told.format(**values) in failed[0]
        assert n.asleep_by(1) < LONGEST_S + (RESOLVE_S if "such" in str(config) else 0), config
        assert not any(s in text for _, text in n.bench.console for s in ("swordfish", "sesame"))
        n.bench.close()


def test_the_second_uplink_stands_in_for_one_that_is_refused(node, web_server, broker):
    host, port = web_server.address
    for status in (301, 401, 404, 503):
        url = f"http://{host}:{port}/status/{status}"
        n = node(uplink={"first": "http", "then": "mqtt"}, http={"url": url})
        assert wake(n) == (True, [])
        n.bench.close()
    n = node(
        uplink={"first": "mqtt", "then": "http"},
        mqtt={"host": "127.0.0.1", "port": dead_port()},
        http={"url": f"http://{host}:{port}/telemetry"},
    )
    assert wake(n) == (True, [])
