"""Nodes with `payload.format` senml+cbor: what arrives is what was sampled."""

import base64
import json

import pytest

from tools.demo.subscriber import Subscriber, as_sampled, records
from tools.monitor import senml
from tools.monitor.model import Fleet

CBOR = {"format": "senml+cbor"}


def told(payloads, now=2e9):
    return [value for payload in payloads for value in senml.resolve(payload, now)]


def test_mqtt(node, broker):
    """Records that waited in JSON, and are sent in CBOR once the setting says so."""
    with Subscriber(broker, "nodes/n1/#") as subscriber:
        n = node(sample={"period_s": 300}, report={"period_s": 3600})
        n.bench.run(until=lambda: n.asleep and len(n.said("sampled")) >= 8, limit_s=20000)
        n.configure(payload=CBOR)
        n.bench.press_reset()
        n.bench.run(until=lambda: n.asleep and len(n.said("delivered")) >= 5, limit_s=40000)
        n.configure(payload={"format": "senml+json"})
        n.bench.press_reset()
        n.bench.run(until=lambda: n.asleep and len(n.said("delivered")) >= 7, limit_s=60000)
        assert n.deliver(subscriber) == n.said("sampled")
    compact = [payload for payload in subscriber.payloads if payload[0] >= 0x80]
    plain = [payload for payload in subscriber.payloads if payload[0] < 0x80]
    assert len(compact) > 1
    assert len(plain) > 1
    assert max(map(len, subscriber.payloads)) <= 512
    for payload in plain:
        assert payload.count(b'"bn"') == 1
    sampled = [text.encode() for text in n.said("sampled")]
    arrived = {value[:3] for value in told(subscriber.payloads)}
    assert arrived == {value[:3] for value in told(sampled)}
    assert len(json.dumps(json.loads(records(compact[-1])[0]))) > len(compact[-1]) / 3
    fleet = Fleet()
    for payload in subscriber.payloads:
        kind = "/cbor" if payload in compact else ""
        assert fleet.message(f"nodes/n1/telemetry{kind}", payload, 2e9) is not None
    known = fleet.nodes["n1"]
    assert (known.malformed, known.missing, known.repeated) == (0, set(), 0)


@pytest.mark.parametrize("uplink", ["http", "tcp"])
def test_other_uplinks(node, web_server, lines, uplink):
    host, port = web_server.address
    n = node(
        payload=CBOR,
        uplink={"first": uplink},
        http={"url": f"http://{host}:{port}/telemetry"},
        tcp={"host": lines.host, "port": lines.port},
        mqtt=None,
    )
    n.live(3)
    if uplink == "http":
        bodies = [seen.body for seen in web_server.seen]
        headers = {name.lower(): value for name, value in web_server.seen[0].headers.items()}
        assert headers["content-type"] == "application/senml+cbor"
    else:
        bodies = [base64.b64decode(record, validate=True) for record in lines.records]
    assert all(body[0] >= 0x80 for body in bodies)
    sampled = [text.encode() for text in n.said("sampled")]
    arrived = [as_sampled(record, sampled) for body in bodies for record in records(body)]
    assert arrived == sampled
