"""The example of PPP, with what stands in for a board's network.PPP, which the unix port lacks:
lwIP, which a board's is made of; and an independent client, framed by hand and built with scapy.
"""

import hashlib
import json

import pytest

from host_tests.flows.test_flows import Wire
from host_tests.lwip import client as lwip
from host_tests.plug.conftest import PROGRAMS
from host_tests.virtual_c1100.http_server import PAGE, HttpServer
from host_tests.virtual_c1100.ppp_client import PppClient
from tools.virtual_c1100 import Profile

SIZE = 200_000
BODY = bytes(n % 256 for n in range(SIZE))
NAME = "server.example"

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


@pytest.fixture
def with_lwip(program):
    """with_lwip(program's name, page, profile, settings) -> Program whose network.PPP is lwIP"""
    with lwip.served() as port:

        def make(name: str, page: tuple, profile: Profile, settings: dict | None = None):
            files = {
                "network.py": (PROGRAMS / "lwip_network.py").read_text(),
                "lwip.json": json.dumps({"port": port, "page": page}),
            }
            return program(name, files, profile, settings)

        yield make


def test_login_and_what_refuses_it_with_lwip(with_lwip):
    """By PAP: a wrong password is told as such, and the right one dials on the same module."""
    with HttpServer() as server:
        page = ("10.0.2.2", server.address[1], "/bytes/3000")
        profile = Profile(ppp_login=("node", "right"))
        p = with_lwip("ppp_login", page, profile, {"passwords": ["wrong", "right"]})
        p.run()
    fetched = f"page 3000 {hashlib.sha256(BODY[:3000]).hexdigest()}"
    assert p.printed == [
        "lwIP 7",
        "lwIP 5",
        "refused AT+CSQ True NotConnected PPP failed: the network refuses user or password",
        "lwIP 0",
        "online",
        fetched,
        "lwIP 5",
        "signal -69",
    ]


def test_the_example_with_lwip(with_lwip):
    """Dialled, a page by name, the call ended by the network, dialled again, hung up, asleep."""
    with HttpServer() as server:
        page = (NAME, server.address[1], f"/bytes/{SIZE}")
        p = with_lwip("ppp.py", page, Profile(routes={(NAME, 80): server.address}))
        fetched = f"page {SIZE} {hashlib.sha256(BODY).hexdigest()}"
        p.bench.run(until=lambda: fetched in p.lines, limit_s=1200)
        p.module.ppp.drop()
        p.run()
    link = ["lwIP 0", "online 10.0.2.15 10.0.2.2 10.0.2.3", fetched]
    assert p.printed == [
        *link,
        "lwIP 6",
        "lwIP 5",
        "again: the network has ended the call",
        *link,
        "lwIP 5",
        "signal -69",
        "asleep",
    ]
    assert p.bench.lost_bytes == 0
