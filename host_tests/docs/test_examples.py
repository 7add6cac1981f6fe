"""Examples that are no commands: Python runs on MicroPython, JSON is what the firmware takes, and
no block of any other kind goes unlooked at.
"""

import json
import re
from pathlib import Path

import pytest

from host_tests.docs.markdown import ROOT, Block, Document, documents
from host_tests.docs.test_commands import shows
from host_tests.flows import echo
from host_tests.patience import LIMIT_S
from host_tests.peers import any_broker
from host_tests.virtual_c1100.http_server import PAGE, HttpServer
from tools.demo.subscriber import Subscriber
from tools.deploy import settings
from tools.lockstep import Bench
from tools.monitor import senml
from tools.virtual_board.board import Board, flash_folder
from tools.virtual_c1100 import Profile, VirtualC1100

README = Document(ROOT / "README.md")
LANGUAGES = ("sh", "json", "python", "text", "diff", "toml")
COMMAND, RESULT, TIME = {"id", "counter", "body", "mac"}, {"id", "counter", "result"}, {"time"}


def blocks(language: str) -> list[tuple[Document, Block]]:
    return [
        (document, block)
        for document in documents()
        for block in document.blocks
        if block.language == language
    ]


def title(each: object) -> str:
    return str(each.line) if isinstance(each, Block) else str(each)


@pytest.mark.parametrize(("document", "block"), blocks("json"), ids=title)
def test_json_is_what_the_firmware_takes(document: Document, block: Block):
    found = json.loads(block.text)
    if isinstance(found, list):
        values = senml.resolve(block.text.encode(), 0)
        assert values[0].name.endswith(":seq")
    elif found.keys() == COMMAND or found.keys() >= RESULT or found.keys() == TIME:
        return  # test_protocol.py looks at them
    else:
        name = "secrets.json" if "secrets.json" in block.before else "config.json"
        settings.checked({name: block.text.encode()})


def test_no_block_goes_unlooked_at():
    for document in documents():
        above = None
        for block in document.blocks:
            assert block.language in LANGUAGES, f"{document.name}:{block.line}"
            if block.language == "text" and above is not None:
                shown = above.language == "sh" and shows(block, above)
                known = "In virtual time" in block.before or document.name in OWN
                assert shown or known, f"{document.name}:{block.line}"
            above = block


OWN = ("docs/protocol.md",)  # whose text a test of its own looks at


# The driver's example -------------------------------------------------------------------------


def test_the_drivers_example_runs_as_printed(tmp_path: Path):
    printed = [block for block in README.blocks if block.language == "python"]
    assert len(printed) == 1
    with any_broker() as broker, HttpServer() as server, echo.Serving(echo.Tcp()) as tcp:
        profile = Profile()
        profile.routes = {
            ("broker.example", 1883): tuple(broker),
            ("example.com", 80): tuple(server.address),
            ("example.com", 7): tuple(tcp),
        }
        with Subscriber(broker, "greeting") as subscriber:
            lines = run(tmp_path / "flash", printed[0].text, profile)
            subscriber.wait(1, LIMIT_S)
    assert subscriber.payloads == [b"hello"]
    signal, *page, echoed, granted = lines
    assert re.match(r"Signal\(.*\) Operator\(.*\) \['\+CCLK: ", signal)
    assert page == f"200 {PAGE.decode()}".replace("\r", "").split("\n")
    assert echoed == "b'hello'"
    assert "tau_s=3600" in granted


def run(folder: Path, program: str, profile: Profile) -> list[str]:
    """What a program prints on a board with the driver alone."""
    (folder / "lib").mkdir(parents=True)
    (folder / "lib/c1100").symlink_to(ROOT / "lib/c1100")
    (folder / "main.py").write_text(program + '\nprint("end of main.py")\n')
    bench = Bench(
        Board(flash_folder(folder), heap="512K"),
        lambda timeline, send: VirtualC1100(timeline, profile, send),
        stuck_s=30,
    )
    try:
        bench.run(until=lambda: any("end of main.py" in line for _, line in bench.console),
                  limit_s=600)  # fmt: skip
    finally:
        said = [line for _, line in bench.console]
        bench.close()
    return said[: said.index("end of main.py")]
