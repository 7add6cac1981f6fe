"""The node's uplinks, each to a real server, and from one to the other."""

import json

from aiohttp import web

from host_tests.peers import dead_port
from host_tests.virtual_c1100.http_server import HttpServer
from tools.demo.subscriber import Subscriber, records
from tools.virtual_c1100 import Profile


def test_http_posts_what_was_sampled(node, web_server):
    host, port = web_server.address
    n = node(
        secrets={"http": {"token": "open-sesame"}},
        uplink={"first": "http"},
        http={"url": f"http://{host}:{port}/telemetry"},
        mqtt=None,
    )
    n.live(3)
    posted = [record.decode() for seen in web_server.seen for record in records(seen.body)]
    assert posted == n.said("sampled")
    headers = {name.lower(): value for name, value in web_server.seen[0].headers.items()}
    assert headers["content-type"] == "application/senml+json"
    assert headers["x-node"] == "n1"
    assert headers["authorization"] == "Bearer open-sesame"
    assert not any("open-sesame" in line for _, line in n.bench.console)


def test_http_status_of_an_error_confirms_nothing(node, web_server, broker):
    host, port = web_server.address
    n = node(uplink={"first": "http"}, http={"url": f"http://{host}:{port}/status/500"})
    n.live(3)
    assert n.said("delivered") == []
    assert any("the server answers with status 500" in text for _, text in n.bench.console)
    n.configure(uplink={"first": "mqtt"})
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        assert n.deliver(subscriber) == n.said("sampled")


def test_tcp_lines_are_confirmed_one_by_one(node, lines):
    n = node(
        uplink={"first": "tcp"},
        tcp={"host": lines.host, "port": lines.port},
        sample={"period_s": 300},
        report={"period_s": 3600},
    )
    n.bench.run(until=lambda: n.asleep and len(n.said("delivered")) >= 3, limit_s=20000)
    delivered = [record.decode() for record in lines.records]
    assert delivered == n.said("sampled")[: len(delivered)]
    assert len(delivered) > 10
    assert set(lines.nodes) == {"n1"}


def test_a_module_that_does_not_know_the_time_has_the_server_set_the_clock(node, lines):
    profile = Profile(start_s=315_964_800)  # 1980, as a module says that has never heard it
    lines.time = b" 1800000000"
    n = node(profile, uplink={"first": "tcp"}, tcp={"host": lines.host, "port": lines.port})
    n.live(3)
    times = [json.loads(record)[0].get("bt") for record in lines.records]
    assert times[0] is None
    assert 1_800_000_000 < times[1] < 1_800_002_000


def test_http_may_tell_the_time_in_its_answer(node):
    class Clock(HttpServer):
        async def _answer(self, request):
            await super()._answer(request)
            return web.json_response({"time": 1_800_000_000})

    profile = Profile(start_s=315_964_800)
    with Clock() as server:
        host, port = server.address
        n = node(profile, uplink={"first": "http"}, http={"url": f"http://{host}:{port}/t"})
        n.live(2)
    assert 1_800_000_000 < json.loads(n.said("sampled")[1])[0]["bt"] < 1_800_002_000


def test_a_connection_that_ends_early_loses_nothing(node, lines):
    lines.keep = 1
    n = node(uplink={"first": "tcp"}, tcp={"host": lines.host, "port": lines.port})
    n.live(3)
    lines.keep = 10**9
    n.bench.run(
        until=lambda: n.asleep and {r.decode() for r in lines.records} >= set(n.said("sampled")),
        limit_s=60000,
    )
    assert [r.decode() for r in dict.fromkeys(lines.records)] == n.said("sampled")


def test_one_uplink_stands_in_for_the_other(node, web_server):
    host, port = web_server.address
    n = node(
        uplink={"first": "mqtt", "then": "http"},
        mqtt={"host": "127.0.0.1", "port": dead_port()},
        http={"url": f"http://{host}:{port}/telemetry"},
    )
    n.live(2)
    posted = [record.decode() for seen in web_server.seen for record in records(seen.body)]
    assert posted == n.said("sampled")
    assert n.said("recovery:") == []
    assert len(n.said("no delivery by mqtt:")) == 2


def test_a_backlog_goes_in_batches_and_no_longer_than_allowed(node, broker):
    n = node(
        mqtt={"host": "127.0.0.1", "port": dead_port()},
        sample={"period_s": 60},
        report={"period_s": 3600, "limit_s": 20},
    )
    n.live(100)
    n.configure(mqtt={"host": broker.host, "port": broker.port})
    with Subscriber(broker, "nodes/n1/telemetry") as subscriber:
        n.bench.run(until=lambda: n.asleep and bool(n.said("delivered")), limit_s=400000)
        waiting = [text for _, text in n.bench.console if text.endswith("for the next report")]
        assert len(waiting) == 1
        assert n.deliver(subscriber) == n.said("sampled")
        assert max(len(records(payload)) for payload in subscriber.payloads) >= 3
