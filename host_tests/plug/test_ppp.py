"""The example of PPP. In place of a board's network.PPP, which the unix port lacks, an independent
client, framed by hand and built with scapy, has the wire: Debian's lwIP is built without PPP.
"""

from host_tests.flows.test_flows import Wire
from host_tests.virtual_c1100.http_server import PAGE, HttpServer
from host_tests.virtual_c1100.ppp_client import PppClient

# What an ESP32's network.PPP says of the link is what the client has brought about.
NETWORK = """
import os


class PPP:
    def __init__(self, stream):
        self._calls = False
        print("dialled")

    def active(self, on):
        print("active", on)

    def connect(self):
        self._calls = True

    def status(self):
        return 0

    def isconnected(self):
        return self._calls and "link" in os.listdir()

    def ifconfig(self):
        with open("link") as file:
            return tuple(file.read().split())

    def disconnect(self):
        self._calls = False
"""


def dialled(p, times: int) -> PppClient:
    p.bench.run(until=lambda: p.lines.count("dialled") == times, limit_s=1200)
    client = PppClient(Wire(p))
    client.open()
    address, gateway = (".".join(map(str, a)) for a in (client.address, client.gateway))
    (p.folder / "link").write_text(f"{address} 255.255.255.255 {gateway} {gateway}")
    return client


def test_the_example_dials_again_and_sleeps(program):
    with HttpServer() as server:
        p = program("ppp.py", {"network.py": NETWORK})
        client = dialled(p, 1)
        assert client.http_get(server.address[1], "/index.html").endswith(PAGE)
        p.module.ppp.drop()
        client.until(lambda: client.terminated)
        (p.folder / "link").unlink()
        client = dialled(p, 2)
        assert client.http_get(server.address[1], "/index.html").endswith(PAGE)
        p.run()
    assert [line for line in p.printed if not line.startswith("active")] == [
        "dialled",
        "online 10.0.2.15 10.0.2.2 10.0.2.2",
        "again: the network has ended the call",
        "dialled",
        "online 10.0.2.15 10.0.2.2 10.0.2.2",
        "signal -69",
        "asleep",
    ]
