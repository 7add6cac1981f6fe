"""The flows of the manual's chapter 3, each against a real peer."""

import ast
import threading
import time

import aiocoap
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from host_tests.flows import echo
from host_tests.patience import LIMIT_S
from host_tests.virtual_c1100.http_server import PAGE, HttpServer
from host_tests.virtual_c1100.lwm2m_server import Lwm2mServer
from host_tests.virtual_c1100.ppp_client import PppClient
from tools.broker import mosquitto
from tools.demo.subscriber import Subscriber
from tools.virtual_c1100 import Profile
from tools.virtual_c1100.profile import Track


def test_tcp_udp_and_transparent_sending(flow):
    with echo.Serving(echo.Tcp()) as tcp, echo.Serving(echo.Udp()) as udp:
        f = flow("tcp", {"tcp": tcp, "udp": udp})
        f.run()
    assert f.said("address") == ["10.32.226.112"]
    assert f.said("tcp") == f.said("streams") == f.said("transparent") == ["True"]
    assert f.said("line") == ["b'a line\\n'"]
    assert f.said("datagram") == ["True"] * 3
    assert f.said("lost") == ["0 0"]
    assert f.bench.lost_bytes == 0


def test_two_transfers_each_way_while_messages_arrive(flow):
    count = 20
    with echo.Serving(echo.Tcp()) as tcp, mosquitto() as broker:
        f = flow("traffic", {"tcp": tcp, "broker": list(broker), "messages": count})
        f.run(until="listening")
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.connect(*broker)
        client.loop_start()
        sent = threading.Event()

        def publish() -> None:
            for number in range(count):
                client.publish("traffic", str(number), qos=1).wait_for_publish(LIMIT_S)
                time.sleep(0.02)
            sent.set()

        threading.Thread(target=publish, daemon=True).start()
        f.run(limit_s=3600)
        assert sent.wait(LIMIT_S)
        client.disconnect()
        client.loop_stop()
    assert sorted(f.said("socket")) == ["0 65536 True", "1 65536 True"]
    assert f.said("messages") == ["True 0"]
    assert f.said("lost") == ["0 0"]
    assert f.bench.lost_bytes == 0


def test_http(flow):
    with HttpServer() as server:
        f = flow("http", {"http": list(server.address)})
        f.run()
    assert f.said("get") == [f"200 {PAGE!r}"]
    assert server.seen[0].headers["X-Node"] == "7"
    assert f.said("bytes") == f.said("octets") == ["True"]
    assert f.said("redirect") == ["200"]
    assert f.said("status") == ["404 status 404", "500 status 500"]
    assert ast.literal_eval(f.said("json")[0]) == {"t": 21.5}
    types = [seen.headers["Content-Type"] for seen in server.seen if seen.method == "POST"]
    assert types == ["application/json", "application/octet-stream"]
    assert "no answer from the server" in f.said("refused")[0]
    assert f.said("chunked") == ["one two three"]


def test_gnss(flow):
    track = Track(latitude=-31.5, longitude=121.25, altitude=12.0, speed=20.0, course=180.0)
    f = flow("gnss", profile=Profile(track=track))
    f.run()
    cold, hot = int(f.said("cold")[0]), int(f.said("hot")[0])
    assert hot < cold < 120
    latitude, longitude, altitude, speed, course = map(float, f.said("fix")[0].split())
    assert latitude == pytest.approx(-31.5 - cold * 20 / 111_320, abs=0.01)
    assert longitude == pytest.approx(121.25, abs=0.01)
    assert (altitude, course) == pytest.approx((12, 180), abs=1)
    assert speed == pytest.approx(20, abs=0.5)
    # Ten fixes, a second apart, to the south.
    assert float(f.said("moved")[0]) == pytest.approx(-10 * 20 / 111_320, rel=0.15)
    assert int(f.said("sky")[0].split()[0]) >= 4
    assert f.said("signal") == ["-69", "-69"]
    assert f.said("bad") == ["0"]


def test_lwm2m_with_two_servers(flow):
    one, two = Lwm2mServer(), Lwm2mServer()
    with one, two:
        servers = ["{}:{}".format(*server.address) for server in (one, two)]
        f = flow("lwm2m", {"servers": servers})
        f.run()
        f.go_on_until(lambda: bool(one.events and two.events))
        assert one.events[0] == two.events[0] == "register"
        answer = one.request(aiocoap.GET, "/3/0/1")
        f.go_on_until(answer.done)
        assert answer.result().code.is_successful()
    assert f.said("registered again")


@pytest.mark.parametrize("login", [{}, {"user": "flow", "password": "secret-word"}])
def test_mqtt(flow, login):
    passwords = {login["user"]: login["password"]} if login else None
    with mosquitto(passwords) as broker:
        f = flow("mqtt", {"broker": list(broker), **login})
        if login:
            f.run()
        else:
            with Subscriber(broker, "flow/will") as watcher:
                f.run()
                assert watcher.payloads == []
                f.module.power_cycle()  # the link dies without a DISCONNECT
                f.go_on_until(lambda: bool(watcher.payloads), 5.0)
                assert watcher.payloads == [b"gone"]
    assert f.said("message") == [rf"flow/{qos} b'\x00\r\nOK\r\n{qos}' False" for qos in (0, 1, 2)]
    assert f.said("unheard") == ["None"]
    assert f.said("retained") == ["b'kept' True"]
    assert f.said("lost") == ["0"]
    assert not any("secret-word" in line for line in f.lines)


class Wire:
    """The UART between board and module, as the independent PPP client needs it."""

    def __init__(self, flow) -> None:
        self._flow = flow
        self.module = flow.module

    @property
    def now(self) -> float:
        return self._flow.bench.timeline.now_us / 1e6

    def wait(self, seconds: float) -> None:
        self._flow.bench.run(until=self.now + seconds)

    def take(self) -> bytes:
        data = bytes(self._flow.heard)
        self._flow.heard.clear()
        return data


def test_ppp(flow):
    """The driver dials and hangs up on the board. In between an independent PPP client, whose
    frames scapy builds and checks, has the wire, in place of a board's network.PPP."""
    with HttpServer() as server:
        f = flow("ppp", {"online_s": 600})
        f.run(until="online")
        client = PppClient(Wire(f))
        client.open()
        assert client.address == bytes((10, 0, 2, 15))
        assert client.http_get(server.address[1], "/index.html").endswith(PAGE)
        f.run(limit_s=1200)
    assert f.said("connect") == ["{}"]
    assert "disconnect" in f.lines
    assert f.said("signal") == ["-69"]
    assert f.said("registered") == ["True"]


@pytest.mark.parametrize(("password", "accepted"), [(b"right", True), (b"wrong", False)])
def test_ppp_with_pap(flow, password, accepted):
    f = flow("ppp", {"online_s": 600}, Profile(ppp_login=("node", "right")))
    f.run(until="online")
    client = PppClient(Wire(f), (b"node", password))
    client.configure()
    client.until(lambda: client.auth_accepted is not None)
    assert client.auth_accepted is accepted
    f.run(limit_s=1200)
    assert f.said("signal") == ["-69"]


def test_psm(flow):
    f = flow("psm")
    f.run()
    assert f.said("granted") == ["Granted(active_s=10, tau_s=3600)"]
    assert f.said("told") == ["True"]
    assert f.said("signal") == ["-69"]
    assert int(f.said("woke in")[0]) < 15
    assert f.said("registered") == ["True"]
