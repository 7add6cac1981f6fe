"""Uplinks over TLS: through PSM to mosquitto and to a web server; and who is refused."""

import ssl
from collections.abc import Callable

import pytest

from host_tests.certificates import DER, Authority, Identity, authority, server_context
from host_tests.node.test_commands import KEY, Talk
from host_tests.peers import dead_port
from host_tests.plug.servers import Server, serving
from tools.broker import mosquitto
from tools.demo.subscriber import Subscriber, records
from tools.virtual_c1100 import Profile

HOST = "broker.example"
PORT = 8883
TLS = {"ca": "ca.pem"}
PSM = {"module": "psm", "tau_s": 3600, "active_s": 2}


def made(node, port: int, files: dict[str, bytes], start_s: int | None = None, **config):
    profile = Profile(routes={(HOST, PORT): ("127.0.0.1", port)})
    if start_s is not None:
        profile.start_s = start_s
    n = node(profile, **{"mqtt": {"host": HOST}, "tls": TLS, **config})
    n.profile = profile
    for name, content in files.items():
        (n.flash / name).write_bytes(content)
    return n


def broker_files(identity: Identity) -> dict[str, str]:
    return {"certfile": identity.pem, "keyfile": identity.key_pem}


def trusting() -> ssl.SSLContext:
    """What the test's own client needs; the name is of no interest to it."""
    context = ssl.create_default_context(cadata=authority().pem)
    context.check_hostname = False
    return context


@pytest.mark.parametrize("ours", [False, True])
def test_mqtt_over_tls_through_psm(node, ours):
    """Every record arrives as it was sampled; with `ours` the broker asks who we are."""
    own = authority().issue("n1")
    files = {"ca.pem": authority().pem.encode()}
    config = {"tls": dict(TLS)}
    tls = broker_files(authority().issue(HOST))
    client = trusting()
    if ours:
        tls["cafile"] = authority().pem
        files |= {"n1.pem": own.pem.encode(), "n1.key": own.key_bytes(DER)}
        config["tls"] |= {"cert": "n1.pem", "key": "n1.key"}
    with mosquitto(tls=tls) as broker:
        if ours:
            n = made(node, broker.port, files, uplink={"first": "mqtts"}, sleep=PSM, **config)
            n.live(3)
            assert len(n.said("delivered")) == 3
        else:
            with Subscriber(broker, "nodes/n1/telemetry", client) as subscriber:
                n = made(node, broker.port, files, uplink={"first": "mqtts"}, sleep=PSM, **config)
                n.live(3)
                assert n.deliver(subscriber) == n.said("sampled")
    said = [event.detail for event in n.events if event.kind == "module"]
    assert sum("^EXITPSMMODE" in text for text in said) >= 2


REFUSED: dict[str, Callable[[], tuple[Identity, bytes, int | None]]] = {
    # why: the broker's certificate, whom the node trusts, Unix time that the network tells
    "other host": lambda: (authority().issue("other.example"), trusted(), None),
    "unknown issuer": lambda: (Authority().issue(HOST), trusted(), None),
    "expired": lambda: (authority().issue(HOST, end="2022-01-01"), trusted(), None),
    "not yet valid": lambda: (authority().issue(HOST, begin="2024-01-01"), trusted(), None),
    "no time": lambda: (authority().issue(HOST), trusted(), 0),  # 1970
}


def trusted() -> bytes:
    return authority().pem.encode()


@pytest.mark.parametrize("why", REFUSED)
def test_refused_typed_nothing_sent_and_the_backlog_kept(node, tmp_path, why):
    identity, ca, start_s = REFUSED[why]()
    with serving(server_context(tmp_path, identity)) as server:
        n = made(node, server.port, {"ca.pem": ca}, start_s, uplink={"first": "mqtts"})
        n.live(2)
    text = "\n".join(line for _, line in n.bench.console)
    assert f"CertificateRefused: certificate of {HOST}: {why}" in text
    assert "recovery" not in text  # no rung of the ladder would help
    assert "the broker refused" not in text  # nor another login
    assert b"".join(server.heard) == b""
    assert (server.connections == 0) == (why == "no time")
    assert n.said("delivered") == []
    # Once the broker is who it should be, and the time is known, all of it arrives.
    good = broker_files(authority().issue(HOST))
    n.profile.start_s = 1_700_000_000
    with mosquitto(tls=good) as broker:
        n.profile.routes[(HOST, PORT)] = ("127.0.0.1", broker.port)
        with Subscriber(broker, "nodes/n1/telemetry", trusting()) as subscriber:
            assert n.deliver(subscriber) == n.said("sampled")


def post(server: Server, connection) -> None:
    """HTTP as far as a node needs it; the time in the answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(4096)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    while len(body) < length:
        body += connection.recv(4096)
    server.heard.append(head + b"\r\n\r\n" + body)
    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


@pytest.mark.parametrize("there", [True, False], ids=["wrong password", "nobody"])
def test_a_broker_that_does_not_take_the_node_is_told_by_the_keys(node, there):
    with mosquitto({"n1": "right"}, tls=broker_files(authority().issue(HOST))) as broker:
        port = broker.port if there else dead_port()
        n = made(node, port, {"ca.pem": trusted()}, uplink={"first": "mqtts"},
                 mqtt={"host": HOST, "user": "n1"},
                 secrets={"mqtt": {"password": "open-sesame"}})  # fmt: skip
        n.live(1)
    said = [text for _, text in n.bench.console]
    assert (
        f"the broker refused user n1, or {HOST}:{PORT} cannot be reached: check mqtt.user and "
        "mqtt.password, mqtt.host and mqtts.port"
    ) in said
    (failed,) = n.said("wake failed: Refused: ")
    assert ("check mqtt user and password" in failed) == there
    assert not any("sesame" in line for line in said)
    assert n.said("recovery:") == []


def test_https_posts_what_was_sampled(node, tmp_path):
    context = server_context(tmp_path, authority("rsa").issue(HOST, kind="rsa"))
    with serving(context, post) as server:
        n = made(
            node,
            server.port,
            {"ca.pem": authority("rsa").pem.encode()},
            uplink={"first": "https"},
            http={"url": f"https://{HOST}:{PORT}/telemetry"},
            secrets={"http": {"token": "open-sesame"}},
        )
        n.live(3)
    got = [record for heard in server.heard for record in records(heard.split(b"\r\n\r\n")[1])]
    assert [record.decode() for record in got] == n.said("sampled")
    head = server.heard[0].split(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"post /telemetry http/1.1\r\nhost: broker.example:8883")
    assert b"authorization: bearer open-sesame" in head
    assert b"x-node: n1" in head


def test_commands_wait_and_are_answered_over_tls_through_psm(node):
    """Queue, setting on trial and results, as over `mqtt`: in each wake the handshake is made
    beside the code of the commands.
    """
    tls = broker_files(authority().issue(HOST))
    files = {"ca.pem": authority().pem.encode()}
    with mosquitto(tls=tls) as broker:
        talk = Talk(broker, trusting())
        secrets = {"commands": {"key": KEY.hex()}}
        config = {"uplink": {"first": "mqtts"}, "sleep": PSM, "log": {"level": "info"}}
        n = made(node, broker.port, files, secrets=secrets, heap="400K", **config)
        talk.queue("p1", do="ping")
        talk.queue("s1", do="set", key="sample.period_s", value=450)
        talk.queue("p2", do="ping")
        n.live(5)
        assert talk.result("p1")["result"] == "done"
        assert [r["result"] for r in talk.told("s1")] == ["trying", "kept"]
        assert talk.result("p2")["result"] == "done"
        assert talk.waiting == []
        talk.close()
    assert len(n.said("delivered")) >= 3
    text = "\n".join(line for _, line in n.bench.console)
    assert "no room" not in text
    assert "MemoryError" not in text
