"""Drivers from an index, by mpremote's own mip, into a node's folder; indexes of any kind."""

import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tests.deploy.conftest import command
from host_tests.own.test_folder import lived
from host_tests.support.web import serving_files
from tools.deploy import deploy, mip
from tools.own import new, packages
from tools.own.folder import Folder

# A driver and what it needs, as they are on an index: Sensirion SHT3x (datasheet, 4.12, 4.13).
CRC = """
def crc8(data):
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc << 1 ^ 0x131 if crc & 0x80 else crc << 1
    return crc
"""
DRIVER = """
from struct import unpack

from sensirion.crc import crc8


class SHT3x:
    def __init__(self, i2c, address=0x44):
        self._i2c = i2c
        self._address = address

    def start(self):
        self._i2c.writeto(self._address, b"\\x24\\x00")

    def read(self):
        data = self._i2c.readfrom(self._address, 6)
        if crc8(data[:2]) != data[2] or crc8(data[3:5]) != data[5]:
            raise OSError(5)
        temperature, humidity = unpack(">H", data)[0], unpack(">H", data[3:])[0]
        return -45 + 175 * temperature / 65535, 100 * humidity / 65535
"""
SENSOR = """
import machine
from sht3x import SHT3x

warm_up_ms = 20
_chip = []


def setup(node, settings):
    _chip[:] = [SHT3x(machine.SoftI2C(machine.Pin(22), machine.Pin(21)))]
    _chip[0].start()


def read(node):
    temperature, humidity = _chip[0].read()
    return [("air", "Cel", round(temperature, 1)), ("humidity", "%RH", round(humidity))]
"""
DEVICE = """
class Device:
    i2c = 0x44

    def write(self, data, now_s):
        self.asked = bytes(data) == b"\\x24\\x00"

    def read(self, count, now_s):
        return b"\\xbe\\xef\\x92\\x66\\x66\\x93"[:count] if self.asked else bytes(count)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "n1"
    assert command(new, made) == 0
    return made


def index(root: Path, **given: tuple[dict[str, str], list[str]]) -> None:
    """An index as micropython-lib's tools/build.py makes it: package=(files, what it needs)."""
    for name, (files, needs) in given.items():
        hashes = []
        for path, text in files.items():
            data = text.encode()
            short = hashlib.sha256(data).hexdigest()[:8]
            (root / "file" / short[:2]).mkdir(parents=True, exist_ok=True)
            (root / "file" / short[:2] / short).write_bytes(data)
            hashes.append([path, short])
        listed = {"v": 1, "hashes": hashes, "deps": [[need, "latest"] for need in needs]}
        (root / "package" / "py" / name).mkdir(parents=True)
        for version in ("latest", "1.2.0"):
            (root / "package" / "py" / name / f"{version}.json").write_text(json.dumps(listed))


def test_a_driver_of_an_index_is_installed_lives_and_is_deployed(folder, tmp_path, boards, capsys):
    root = tmp_path / "index"
    index(
        root,
        **{"sensirion-crc": ({"sensirion/__init__.py": "", "sensirion/crc.py": CRC}, []),
           "sht3x-driver": ({"sht3x.py": DRIVER}, ["sensirion-crc"])},
    )  # fmt: skip
    (folder / "sensors" / "air.py").write_text(SENSOR)
    (folder / "virtual" / "sht3x.py").write_text(DEVICE)
    (folder / "sensors.txt").write_text("sht3x-driver@1.2.0  # temperature and humidity\n")
    assert Folder.at(folder).missing() == ["sht3x-driver@1.2.0"]
    with serving_files(root) as url:
        assert command(mip, "--node", folder, "--index", url + "/") == 0
    files = ["sensirion/__init__.py", "sensirion/crc.py", "sht3x.py"]
    assert f"sht3x-driver@1.2.0: {', '.join(files)} in" in capsys.readouterr().out
    assert all((folder / "lib" / name).is_file() for name in files)
    assert Folder.at(folder).missing() == []
    records = lived(folder, tmp_path, 0.02)
    assert (records[0]["air"], records[0]["humidity"]) == (85.5, 40)
    board = boards()
    assert command(deploy, "--node", folder, "--port", board.tty, "--no-reset") == 0
    assert {"lib/sht3x.mpy", "lib/sensirion/crc.mpy", "sensors/air.mpy"} <= board.files()
    assert not [name for name in board.files() if "packages.json" in name]


Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@pytest.fixture
def answering() -> Iterator[Callable[[Answer], str]]:
    """answering(function) -> URL of a server whose every answer the function gives"""
    servers = []

    def serve(answer: Answer) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Not to standard error."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def says(text: bytes | str | dict | list, status: int = 200) -> Answer:
    """To whatever is asked."""
    body = text if isinstance(text, bytes) else (
        text.encode() if isinstance(text, str) else json.dumps(text).encode()
    )  # fmt: skip

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def files_at(path: str, data: bytes = b"x = 1\n", short: str = "") -> Answer:
    """A package with one file there, and the file."""
    short = short or hashlib.sha256(data).hexdigest()[:8]

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        is_file = request.path.startswith("/file/")
        says(data if is_file else {"hashes": [[path, short]]})(request)

    return answer


def endless(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    while True:
        try:
            request.wfile.write(bytes(1 << 16))
        except OSError:
            return


def raw(data: bytes) -> Answer:
    """Bytes that need not be HTTP, and the end."""

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.wfile.write(data)
        request.close_connection = True

    return answer


def elsewhere(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(302)
    request.send_header("Location", "file:///etc/passwd")
    request.end_headers()


HOSTILE = {
    "404": (says("", 404), "Package not found: http"),
    "500": (says("", 500), "Error 500 requesting"),
    "no http": (raw(b"SSH-2.0-OpenSSH\r\n"), "SSH"),
    "closes": (raw(b""), "without response"),
    "short": (raw(b"HTTP/1.0 200 OK\r\nContent-Length: 90\r\n\r\n{"), "no JSON"),
    "redirects": (elsewhere, "Error 302"),
    "empty": (says(""), "no JSON"),
    "broken": (says('{"hashes": ['), "no JSON"),
    "binary": (says(b"\xff\xfe\x00"), "no JSON"),
    "deep": (says("[" * 100000), "without end"),
    "list": (says([1]), "no package"),
    "text": (says('"x"'), "no package"),
    "null": (says("null"), "no package"),
    "odd hashes": (says({"hashes": 7}), "no package"),
    "odd entries": (says({"hashes": [[1, 2]]}), "no package"),
    "no entries": (says({"hashes": []}), "it has no files"),
    "nothing": (says({}), "it has no files"),
    "odd urls": (says({"urls": [["a.py", 5]]}), "no package"),
    "odd needs": (says({"deps": [7]}), "no package"),
    "itself": (says({"deps": [["sht3x", "latest"]]}), "more than 200 files"),
    "endless": (endless, "more than 1048576 bytes"),
    "huge": (says(b"[" + b" " * (1 << 21) + b"]"), "more than 1048576 bytes"),
    "huge file": (files_at("a.py", bytes(1 << 21)), "more than 1048576 bytes"),
    "another file": (files_at("a.py", b"y = 2\n", "0" * 8), "not what its hash says"),
    **{
        path: (files_at(path), " in lib/: ")
        for path in ("../evil.py", "a/../../evil.py", "..", "a\\..\\evil.py", "a\nb.py", "", "./",
                     "C:evil.py")
    },
    "absolute": (files_at("/evil.py"), ""),  # beneath lib/, as mip has it
    "long": (files_at("a" * 300 + ".py"), "no path in lib/: "),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_an_index_that_is_no_good_is_told_in_one_line_and_leaves_nothing(
    folder, answering, capsys, kind
):
    answer, words = HOSTILE[kind]
    (folder / "sensors.txt").write_text("sht3x\n")
    before = sorted(folder.parent.rglob("*"))
    status = command(mip, "--node", folder, "--index", answering(answer))
    said = capsys.readouterr().err
    if not words:
        assert status == 0
        assert [p.name for p in folder.parent.rglob("evil.py")] == ["evil.py"]
        assert (folder / "lib" / "evil.py").is_file()
        return
    assert status == 1
    assert len(said.splitlines()) == 1, said
    assert said.startswith("mip: sht3x cannot be installed: "), said
    assert words in said, said
    after = sorted(folder.parent.rglob("*"))
    assert [path for path in after if path not in before] in ([], [folder / "lib"])


def test_a_server_that_says_nothing_or_is_not_there(folder, answering, capsys, monkeypatch):
    monkeypatch.setattr(packages, "PATIENCE_S", 0.3)
    monkeypatch.setattr(packages, "WHOLE_S", 0.3)
    (folder / "sensors.txt").write_text("sht3x\n")
    held = threading.Event()

    def trickles(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not held.wait(0.05):
            request.wfile.write(b" ")

    try:
        for answer in (lambda request: held.wait(60), trickles):
            assert command(mip, "--node", folder, "--index", answering(answer)) == 1
            said = capsys.readouterr().err
            assert "timed out" in said or "not all of it in 0.3 s" in said
    finally:
        held.set()
    for url in ("http://127.0.0.1:9", "http://no.such.host.invalid", "http://[", "ftp:x", "x"):
        assert command(mip, "--node", folder, "--index", url) == 1
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1, said
        assert said.startswith("mip: sht3x cannot be installed: "), said


def test_what_was_there_before_stays_when_a_package_is_not_whole(folder, answering, capsys):
    (folder / "lib").mkdir()
    (folder / "lib" / "a.py").write_text("old = 1\n")
    short = hashlib.sha256(b"new = 1\n").hexdigest()[:8]

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        if request.path.endswith(short):
            says(b"new = 1\n")(request)
        elif request.path.startswith("/file/"):
            says("", 404)(request)
        else:
            says({"hashes": [["a.py", short], ["b.py", "ab" * 4]]})(request)

    (folder / "sensors.txt").write_text("a\n")
    assert command(mip, "--node", folder, "--index", answering(answer)) == 1
    assert "File not found" in capsys.readouterr().err
    assert (folder / "lib" / "a.py").read_text() == "old = 1\n"
    assert not (folder / "lib" / "b.py").exists()
