"""HTTP against a real server: bodies, headers, statuses, redirects, time-outs, ends of input."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from host_tests.peers import dead_port
from host_tests.virtual_c1100.http_server import PAGE, HttpServer
from host_tests.virtual_c1100.rig import Rig
from tools.virtual_c1100 import Profile, http_request

HOST = b"http://www.example.com"


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def ready(server: HttpServer, path: bytes, **settings: float) -> Rig:
    """A module with the URL set."""
    profile = Profile(routes={("www.example.com", 80): server.address})
    for name, value in settings.items():
        setattr(profile, name, value)
    rig = Rig(profile, form="V0E0")
    set_url(rig, HOST + path)
    server.seen.clear()
    return rig


def set_url(rig: Rig, url: bytes) -> None:
    assert rig.ask(b"AT+LSHTTPURL=%d\r" % len(url)) == b">"
    assert rig.ask(url) == b"0\r"


def post(rig: Rig, body: bytes) -> bytes:
    assert rig.ask(b"AT+LSHTTPPOST=%d\r" % len(body)) == b">"
    return rig.ask(body, 3)


def test_get_with_headers_and_query(server: HttpServer) -> None:
    rig = ready(server, b"/a?b=c%20d")
    rig.ask(b'AT+LSHTTPHEADERINFO="X-Node","n 1"\r')
    answer = b"+LSHTTPGET: 0,200,%d\r\n%s0\r" % (len(PAGE), PAGE)
    assert rig.ask(b"AT+LSHTTPGET\r", 3) == answer
    seen = server.seen[0]
    assert (seen.method, seen.path) == ("GET", "/a?b=c%20d")
    assert (seen.headers["X-Node"], seen.headers["Host"]) == ("n 1", "www.example.com")


def test_body_of_64_kib_with_every_byte_value(server: HttpServer) -> None:
    """F24"""
    rig = ready(server, b"/bytes/65536")
    body = bytes(n % 256 for n in range(65536))
    assert rig.ask(b"AT+LSHTTPGET\r", 10) == b"+LSHTTPGET: 0,200,65536\r\n" + body + b"0\r"


def test_chunked_body_comes_in_one_piece(server: HttpServer) -> None:
    rig = ready(server, b"/chunked")
    assert rig.ask(b"AT+LSHTTPGET\r", 3) == b"+LSHTTPGET: 0,200,13\r\none two three0\r"


@pytest.mark.parametrize(
    ("value", "name"),
    [(0, "application/x-www-form-urlencoded"), (2, "application/octet-stream"),
     (4, "application/json"), (5, "text/plain")],
)  # fmt: skip
def test_content_types(server: HttpServer, value: int, name: str) -> None:
    rig = ready(server, b"/in")
    rig.ask(b'AT+LSHTTPHEADERINFO="Content-Type","text/plain"\r')
    rig.ask(b'AT+LSHTTPCFG="contenttype",%d\r' % value)
    assert post(rig, b"x=1") == b"+LSHTTPPOST: 0,200,2\r\nok0\r"
    assert server.seen[0].headers["Content-Type"] == name
    assert server.seen[0].body == b"x=1"


@pytest.mark.parametrize(
    "body", [bytes(range(256)), b"a+++b\r\nOK\r\n", b"+++", b"++", b"x++++++"]
)
def test_body_of_any_bytes_arrives_as_sent(server: HttpServer, body: bytes) -> None:
    rig = ready(server, b"/echo")
    assert post(rig, body) == b"+LSHTTPPOST: 0,200,%d\r\n%s0\r" % (len(body), body)
    assert server.seen[0].body == body


@pytest.mark.parametrize("announced", [6, 7, 9, 50])
def test_shorter_input_ends_with_the_escape(server: HttpServer, announced: int) -> None:
    rig = ready(server, b"/echo")
    rig.ask(b"AT+LSHTTPPOST=%d\r" % announced)
    assert rig.ask(b"12345+++", 3) == b"+LSHTTPPOST: 0,200,5\r\n123450\r"
    assert rig.ask(b"AT\r") == b"0\r"


@pytest.mark.parametrize("announced", [13, 14, 15, 16, 17, 200])
def test_shorter_url_ends_with_the_escape(server: HttpServer, announced: int) -> None:
    rig = Rig(form="V0E0")
    rig.ask(b"AT+LSHTTPURL=%d\r" % announced)
    assert rig.ask(b"http://a.b/c+++") == b"0\r"
    assert rig.ask(b"AT+LSHTTPURL?\r") == b'+LSHTTPURL: "http://a.b/c"\r\n0\r'


@pytest.mark.parametrize("status", [204, 304, 400, 404, 500, 503])
def test_status_is_handed_on(server: HttpServer, status: int) -> None:
    rig = ready(server, b"/status/%d" % status)
    body = b"" if status in (204, 304) else b"status %d" % status
    answer = b"+LSHTTPGET: 0,%d,%d\r\n%s0\r" % (status, len(body), body)
    assert rig.ask(b"AT+LSHTTPGET\r", 3) == answer


def test_redirects_are_followed_but_not_for_ever(server: HttpServer) -> None:
    rig = ready(server, b"/redirect/3")
    assert rig.ask(b"AT+LSHTTPGET\r", 3).startswith(b"+LSHTTPGET: 0,200,")
    set_url(rig, HOST + b"/redirect/9")
    assert rig.ask(b"AT+LSHTTPGET\r", 3).startswith(b"+LSHTTPGET: 0,302,")


def test_silent_server_ends_in_a_time_out(server: HttpServer) -> None:
    rig = ready(server, b"/slow", patience_s=0.2)
    rig.send(b"AT+LSHTTPGET\r", 59)
    assert rig.take() == b""
    rig.wait(2)
    assert rig.take() == b"+LSHTTPGET: 1,0,0\r\n0\r"
    assert rig.module.peers() == []


def test_reboot_ends_a_request(server: HttpServer) -> None:
    rig = ready(server, b"/slow", patience_s=0.1)
    rig.send(b"AT+LSHTTPGET\r", 5)
    rig.module.power_cycle()
    assert rig.module.peers() == []


def test_what_is_over_before_it_has_begun_is_not_sent(server: HttpServer, monkeypatch) -> None:
    """On a busy machine a request's thread may begin after the module's reboot."""
    threads: list[Callable[[], None]] = []
    held = SimpleNamespace(
        Thread=lambda target, **_: SimpleNamespace(start=lambda: threads.append(target))
    )
    monkeypatch.setattr(http_request, "threading", held)
    rig = ready(server, b"/", patience_s=0.1)
    rig.send(b"AT+LSHTTPGET\r", 5)
    rig.module.power_cycle()
    for thread in threads:
        thread()
    assert len(threads) == 1
    assert server.seen == []


@pytest.mark.parametrize("url", [b"https://www.example.com/", b"ftp://x/", b"http://203.0.113.9/",
                                 b"nonsense", b"http://127.0.0.1:{closed}/"])  # fmt: skip
def test_url_that_leads_nowhere(server: HttpServer, url: bytes) -> None:
    rig = ready(server, b"/")
    set_url(rig, url.replace(b"{closed}", b"%d" % dead_port()))
    assert rig.ask(b"AT+LSHTTPGET\r", 3) == b"+LSHTTPGET: 1,0,0\r\n0\r"
    assert server.seen == []


def test_request_needs_a_url_and_a_network(server: HttpServer) -> None:
    rig = Rig(form="V0E0")
    assert rig.ask(b"AT+LSHTTPGET\r") == rig.ask(b"AT+LSHTTPPOST=1\r") == b"4\r"
    rig = ready(server, b"/")
    rig.module.network.lose()
    assert rig.ask(b"AT+LSHTTPGET\r") == b"4\r"


@pytest.mark.parametrize(
    "line",
    [b'AT+LSHTTPCFG="contenttype",3', b'AT+LSHTTPCFG="other",0', b'AT+LSHTTPHEADERINFO="a b","c"',
     b'AT+LSHTTPHEADERINFO="","c"', b"AT+LSHTTPURL=0", b"AT+LSHTTPURL=513"],
)  # fmt: skip
def test_settings_out_of_range(line: bytes) -> None:
    assert Rig(form="V0E0").ask(line + b"\r") == b"4\r"


def test_url_with_a_blank_or_line_end_is_refused() -> None:
    rig = Rig(form="V0E0")
    rig.ask(b"AT+LSHTTPURL=11\r")
    assert rig.ask(b"http://a/\r\n") == b"4\r"
