"""A backlog at a server that refuses: what gets through, what is set aside, what is climbed for
that (nothing), and what is said about it. All variations: host_tests/unit/test_delivery.py.
"""

import json

import pytest
from aiohttp import web

from host_tests.node.conftest import Node
from host_tests.peers import dead_port
from host_tests.virtual_c1100.http_server import HttpServer
from tools.demo.subscriber import Subscriber, records


class Picky(HttpServer):
    """Takes at most `most` records at once, and none of a wake in `hated`."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 0  # in place of all that
        self.most = 1000
        self.hated: set[int] = set()
        self.taken: list[int] = []

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        packs = [record.decode() for record in records(body)]
        if self.status:
            return web.Response(status=self.status, body=b"no")
        if len(packs) > self.most:
            return web.Response(status=413)
        if self.hated & set(wakes(packs)):
            return web.Response(status=400, body=b"[" * 3000)
        self.seen.append(body)
        self.taken += wakes(packs)
        return web.Response(body=b'{"time":0}')


@pytest.fixture
def picky():
    with Picky() as server:
        yield server


def reporter(node, server: Picky, **config) -> Node:
    host, port = server.address
    return node(uplink={"first": "http"}, http={"url": f"http://{host}:{port}/"}, **config)


def wakes(texts: list[str]) -> list[int]:
    """Of which wakes these records are; those of events alone are of none."""
    return [field["v"] for text in texts for field in json.loads(text) if field["n"] == "wake"]


def live_until(n: Node, what) -> None:
    begin_s = n.bench.timeline.now_us / 1e6
    n.bench.run(until=lambda: n.asleep and what(), limit_s=begin_s + 40 * 900)


def test_a_poisoned_backlog_gets_through_but_for_the_poison(node, picky):
    picky.status = 503
    n = reporter(node, picky)
    n.live(6)
    sampled = wakes(n.said("sampled"))
    picky.status, picky.hated, picky.most = 0, {sampled[1], sampled[3]}, 3
    live_until(n, lambda: bool(picky.taken))
    assert picky.taken == [w for w in wakes(n.said("sampled")) if w not in picky.hated]
    live_until(n, lambda: sum("set aside" in event for event in events(picky)) == 2)
    assert picky.taken == [w for w in wakes(n.said("sampled")) if w not in picky.hated]
    assert n.said("recovery:") == []
    assert set(wakes((n.flash / "set_aside").read_text().splitlines())) == picky.hated
    assert "the server answers with status 400" in events(picky)[0]


def events(server: Picky) -> list[str]:
    packs = [json.loads(record) for body in server.seen for record in records(body)]
    return [field["vs"] for pack in packs for field in pack if field["n"] == "event"]


def test_a_server_that_refuses_everything_loses_nothing(node, picky):
    picky.status = 400
    n = reporter(node, picky)
    n.live(7)
    picky.status = 0
    live_until(n, lambda: bool(picky.taken))
    assert picky.taken == wakes(n.said("sampled"))
    assert n.said("recovery:") == []


@pytest.mark.parametrize(
    "status, words",
    [(301, "check http.url"), (401, "check http.token"), (404, "check the path of http.url")],
)
def test_a_refusal_says_what_to_check_and_climbs_nothing(node, picky, status, words):
    picky.status = status
    n = reporter(node, picky, secrets={"http": {"token": "open-sesame"}})
    n.live(1)
    said = [text for _, text in n.bench.console]
    assert f"wake failed: Refused: the server answers with status {status}" in "\n".join(said)
    assert words in "\n".join(said)
    assert n.said("recovery:") == []
    assert n.asleep_by(1) < 20
    assert not any("sesame" in line for line in said)


@pytest.mark.parametrize(
    ("uplink", "says"),
    [
        ("mqtt", "the broker refused user bob, or 127.0.0.1:{port} cannot be reached: check "
         "mqtt.user and mqtt.password, mqtt.host and mqtt.port"),
        ("http", "no answer from http://127.0.0.1:{port}/: check http.url, and the server"),
        ("tcp", "127.0.0.1:{port}: check tcp.host, tcp.port and the server"),
    ],
)  # fmt: skip
def test_who_is_not_there_or_does_not_want_the_node_is_told_by_the_keys(node, uplink, says):
    port = dead_port()
    n = node(
        uplink={"first": uplink},
        mqtt={"host": "127.0.0.1", "port": port, "user": "bob"},
        tcp={"host": "127.0.0.1", "port": port},
        http={"url": f"http://127.0.0.1:{port}/"},
        secrets={"mqtt": {"password": "open-sesame"}},
    )
    n.live(1)
    said = [text for _, text in n.bench.console]
    assert says.format(port=port) in said
    (failed,) = n.said("wake failed: Refused: ")
    assert "AT+" not in failed
    assert not any("sesame" in line for line in said)


@pytest.mark.parametrize("silent", [False, True])
def test_a_tcp_server_that_stumbles_over_a_record_gets_the_others(node, lines, silent):
    lines.hated, lines.silent = [b'"wake","v":2}'], silent
    n = node(uplink={"first": "tcp"}, tcp={"host": lines.host, "port": lines.port})
    n.live(3)
    live_until(n, lambda: any(b"set aside" in record for record in lines.records))
    sampled = wakes(n.said("sampled"))
    assert wakes([r.decode() for r in lines.records]) == [w for w in sampled if w != 2]
    assert n.said("recovery:") == []


def test_a_message_that_the_broker_refuses_lets_the_others_pass(node, broker):
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        n = node(sample={"period_s": 300})
        n.live(3)
        # A batch of two, and its first record.
        n.module.faults.add("answer", "+LSMQTTPUB*2=+MQTTPUB:0|0")
        live_until(n, lambda: len(n.said("record")) > 1)
        assert len(n.said("record")) == 2, "refused, and taken after all"
        arrived = n.deliver(subscriber)
    assert sorted(wakes(arrived)) == sorted(wakes(n.said("sampled")))
    assert wakes(arrived) != wakes(n.said("sampled"))
    assert n.said("recovery:") == []
