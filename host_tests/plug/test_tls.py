"""TLS from real MicroPython through the virtual module to a real server."""

import contextlib
import dataclasses
import ssl

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, PrivateFormat

from host_tests.certificates import DER, PEM, Authority, Identity, authority, server_context
from host_tests.peers import dead_port
from host_tests.plug.servers import Server, echo, serving, waits
from tools.virtual_c1100 import Profile

HOST = "server.example"


def routed(**ports: int) -> Profile:
    """server.example's ports, each with the port of a server here."""
    return Profile(routes={(HOST, int(p[1:])): ("127.0.0.1", port) for p, port in ports.items()})


def test_the_example(program, tmp_path):
    context = server_context(tmp_path, authority().issue(HOST))
    with serving(context) as server:
        p = program("tls.py", {"ca.pem": authority().pem}, routed(p7443=server.port))
        p.run()
    assert p.printed[-1] == repr(b"hello\n")
    assert b"".join(server.heard) == b"hello\n"


def test_the_example_is_refused(program, tmp_path):
    context = server_context(tmp_path, authority().issue(HOST))
    with serving(context) as server:
        p = program("tls.py", {"ca.pem": Authority().pem}, routed(p7443=server.port))
        p.run()
    assert "nothing was sent: certificate of server.example: unknown issuer" in p.printed[-1]
    assert server.heard == []


def test_streams(program, tmp_path):
    context = server_context(tmp_path, authority("rsa").issue(HOST, kind="rsa"))
    with serving(None) as plain, serving(context) as secret:
        routes = routed(p7000=plain.port, p7443=secret.port)
        p = program("open_connection.py", {"ca.pem": authority("rsa").pem}, routes)
        p.run()
    assert p.printed.count("b'a line\\n' 5000") == 2
    assert len(b"".join(secret.heard)) == len(b"".join(plain.heard)) == 5007


def tried(program, cases: dict, files=None, profile=None) -> dict[str, str]:
    """What became of each case."""
    given = [{"name": name, **case} for name, case in cases.items()]
    p = program("table", files, profile, {"cases": given})
    p.run()
    return dict(line[5:].split(" | ", 1) for line in p.printed if line.startswith("case "))


def closing(_server: Server, _connection) -> None:
    pass


def silent(_server: Server, connection) -> None:
    waits(connection)


def alone(identity: Identity) -> Identity:
    """Without those between it and its authority."""
    return dataclasses.replace(identity, chain="")


def test_who_is_refused_and_why(program, tmp_path):
    good = authority()
    middle = Authority(name="In between", above=good)
    old = Authority(name="Old", end="2022-01-01")
    shown: dict[str, tuple[Identity, str, str]] = {
        # name: certificate, issuer that is trusted, how it ends
        "good": (good.issue(HOST), good.pem, "b'secret'"),
        "another of its names": (good.issue("a.example", HOST), good.pem, "b'secret'"),
        "wildcard": (good.issue("*.example"), good.pem, "b'secret'"),
        "second of two authorities": (good.issue(HOST), old.pem + good.pem, "b'secret'"),
        "issuer in between": (middle.issue(HOST), good.pem, "b'secret'"),
        "other name": (good.issue("other.example"), good.pem, "other host"),
        "part of the name": (good.issue("example"), good.pem, "other host"),
        "wildcard of another": (good.issue("*.other.example"), good.pem, "other host"),
        "address instead": (good.issue("127.0.0.1"), good.pem, "other host"),
        "unknown issuer": (Authority().issue(HOST), good.pem, "unknown issuer"),
        "itself": (Authority(name=HOST).own, good.pem, "unknown issuer"),
        "issuer in between not shown": (alone(middle.issue(HOST)), good.pem, "unknown issuer"),
        "unknown and other": (Authority().issue("other.example"), good.pem, "unknown issuer"),
        "expired": (good.issue(HOST, end="2022-01-01"), good.pem, "expired"),
        "its issuer expired": (old.issue(HOST), old.pem, "expired"),
        "not yet": (good.issue(HOST, begin="2035-01-01"), good.pem, "not yet valid"),
        "not yet in the network": (
            good.issue(HOST, begin="2024-01-01"),
            good.pem,
            "not yet valid",
        ),
        "weak key": (good.issue(HOST, kind="weak"), good.pem, "not usable"),
    }
    cases, servers, routes = {}, {}, {}
    with contextlib.ExitStack() as stack:
        for at, (name, (identity, ca, _)) in enumerate(shown.items()):
            folder = tmp_path / f"server{at}"
            folder.mkdir()
            server = stack.enter_context(serving(server_context(folder, identity)))
            servers[name] = server
            routes[(HOST, 7000 + at)] = ("127.0.0.1", server.port)
            cases[name] = {"host": HOST, "port": 7000 + at, "ca": ca}
        said = tried(program, cases, profile=Profile(routes=routes))
    for name, (_, _, end) in shown.items():
        assert said[name].split(" | ")[0] == end, (name, said[name])
        assert servers[name].connections == 1
        assert b"".join(servers[name].heard) == (b"secret" if end == "b'secret'" else b""), name


def test_far_ends_that_are_none(program, tmp_path):
    """Each ends typed, in words, and with nothing of ours heard in clear."""
    good = authority()
    folders = iter(range(100))

    def context(clients: str = "") -> ssl.SSLContext:
        folder = tmp_path / f"server{next(folders)}"
        folder.mkdir()
        return server_context(folder, good.issue(HOST), clients)

    newest = context()
    newest.minimum_version = ssl.TLSVersion.TLSv1_3
    own = good.issue("node-1")
    stranger = Authority().issue("node-1")
    rsa = authority("rsa").issue("node-1", kind="rsa")
    ours = {"cert": "own.pem", "key": "own.key"}
    ends = {  # name: server's context, how it answers, what the client has besides, how it ends
        "no TLS": (None, echo, {}, "Refused | no TLS with server.example"),
        "closes at once": (None, closing, {}, "Refused | no TLS with server.example"),
        "silent": (None, silent, {"timeout_s": 20}, "Refused | no TLS: the far end says nothing"),
        "only TLS 1.3": (newest, echo, {}, "Refused | no TLS with server.example"),
        "wants a certificate": (context(good.pem), echo, {}, "Refused | no TLS with"),
        "wants ours": (context(good.pem), echo, ours, "b'secret'"),
        "wants ours, RSA": (
            context(authority("rsa").pem),
            echo,
            {"cert": rsa.pem, "key": rsa.key_pem},
            "b'secret'",
        ),
        "wants another": (
            context(good.pem),
            echo,
            {"cert": stranger.pem, "key": stranger.key_pem},
            "Refused | no TLS with",
        ),
        "wants none": (context(), echo, ours, "b'secret'"),
    }
    files = {"own.pem": own.pem, "own.key": own.key_bytes(DER, old=True)}
    cases, routes, servers = {}, {(HOST, 6999): ("127.0.0.1", dead_port())}, {}
    with contextlib.ExitStack() as stack:
        for at, (name, (tls, answer, given, _)) in enumerate(ends.items()):
            server = servers[name] = stack.enter_context(serving(tls, answer))
            routes[(HOST, 7000 + at)] = ("127.0.0.1", server.port)
            cases[name] = {"host": HOST, "port": 7000 + at, "ca": good.pem, **given}
        cases["nobody"] = {"host": HOST, "port": 6999, "ca": good.pem}
        said = tried(program, cases, files, Profile(routes=routes))
    assert said.pop("nobody").startswith("Refused | no connection to server.example:6999")
    for name, (_, _, _, end) in ends.items():
        assert said[name].startswith(end), (name, said[name])
        assert (b"secret" in b"".join(servers[name].heard)) == (end == "b'secret'"), name


def test_what_is_no_certificate_is_told_before_anything_is_sent(program):
    good = authority()
    own = good.issue("node-1")
    word = PrivateFormat.PKCS8
    locked = own.key.private_bytes(PEM, word, BestAvailableEncryption(b"x")).decode()
    wrong = {
        "none": {"ca": None},
        "empty": {"ca": ""},
        "no file": {"ca": "nowhere.pem"},
        "words": {"ca": "-----BEGIN nothing"},
        "half": {"ca": good.pem[:300]},
        "damaged": {"ca": good.pem.replace("M", "A")},
        "a key": {"ca": own.key_pem},
        "empty file": {"ca": "empty.pem"},
        "text file": {"ca": "text.pem"},
        "cut DER": {"ca": "cut.der"},
        "cert alone": {"ca": good.pem, "cert": own.pem},
        "key alone": {"ca": good.pem, "key": own.key_pem},
        "locked key": {"ca": good.pem, "cert": own.pem, "key": locked},
        "cert for key": {"ca": good.pem, "cert": own.pem, "key": own.pem},
    }
    cases = {name: {"host": HOST, "port": 7443, **case} for name, case in wrong.items()}
    cases["alpn"] = {"host": HOST, "port": 7443, "ca": good.pem, "alpn": ["mqtt"]}
    files = {"empty.pem": b"", "text.pem": b"hello\n", "cut.der": good.own.der[:200]}
    with serving(None) as server:
        said = tried(program, cases, files, routed(p7443=server.port))
    assert said.pop("alpn").startswith("NotSupported | alpn")
    for name, words in said.items():
        assert words.startswith("BadArgument | "), (name, words)
        assert own.key_pem[40:60] not in words
    assert server.connections == 0


FORMS = {  # how certificates and keys are written
    "PEM": lambda own: (own.pem, own.key_pem),
    "DER": lambda own: (own.der, own.key_bytes(DER)),
    "old PEM": lambda own: (own.pem, own.key_bytes(PEM, old=True)),
    "old DER": lambda own: (own.der, own.key_bytes(DER, old=True)),
    "CRLF": lambda own: (own.pem.replace("\n", "\r\n"), own.key_pem.replace("\n", "\r\n")),
    "text around": lambda own: ("subject=x\n" + own.pem + "\n", "\n" + own.key_pem),
    "chain": lambda own: (own.pem + authority().pem, own.key_pem),
    "parameters": lambda own: (
        own.pem,
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
        + own.key_pem,
    ),
}


def test_forms_of_certificates_and_keys(program, tmp_path):
    files, cases = {}, {}
    for kind in ("ec", "rsa"):
        own = authority().issue("node-1", kind=kind)
        for name, form in FORMS.items():
            name = f"{kind} {name}"
            files[f"{name}.cert"], files[f"{name}.key"] = form(own)
            files[f"{name}.ca"] = authority().pem if "PEM" in name else authority().own.der
            cases[name] = {"host": HOST, "port": 7443} | {
                part: f"{name}.{part}" for part in ("ca", "cert", "key")
            }
    context = server_context(tmp_path, authority().issue(HOST), authority().pem)
    with serving(context) as server:
        said = tried(program, cases, files, routed(p7443=server.port))
    assert said == dict.fromkeys(cases, "b'secret'")


@pytest.mark.parametrize(
    ("start_s", "faults", "end", "connections"),
    [
        (0, [], "no time", 0),  # 1970
        (315964800, [], "no time", 0),  # 1980, as GPS counts
        (1262304000, [], "no time", 0),  # 2010: a clock that has never been set
        (1_700_000_000, ["clock"], "no time", 0),
        (1_700_000_000, [], "b'secret'", 1),
        (1_960_000_000, [], "expired", 1),  # 2032, in the network; the certificate's end is 2030
    ],
)
def test_time_is_the_network_s(program, tmp_path, start_s, faults, end, connections):
    context = server_context(tmp_path, authority().issue(HOST, end="2030-01-01"))
    with serving(context) as server:
        routes = {(HOST, 7443): ("127.0.0.1", server.port)}
        profile = Profile(routes=routes, start_s=start_s, faults=faults)
        cases = {"it": {"host": HOST, "port": 7443, "ca": authority().pem}}
        said = tried(program, cases, profile=profile)
    assert said["it"].split(" | ")[0] == end
    assert server.connections == connections
    assert b"".join(server.heard) == (b"secret" if end == "b'secret'" else b"")
