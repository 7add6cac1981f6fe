"""Tests of the unit folder are plain functions, `async` ones on virtual time; the very same files
run on MicroPython (test_on_micropython.py)."""

import gc
import inspect
import os
import sys
from collections import Counter
from pathlib import Path

import hypothesis
import pytest

import host_tests.shim  # noqa: F401 (installs MicroPython's dialect before lib/ is imported)
from host_tests import virtual_time
from tools import installed

ROOT = Path(__file__).resolve().parents[1]
MISSING = "peer that is missing"

# Files that take longest, these first: whichever starts last would run on alone at the end.
LONGEST = (
    "power/test_scenarios.py",
    "test_on_micropython.py",
    "docs/test_commands.py",
    "node/test_leftovers.py",
    "test_every_split.py",
    "power/test_truth.py",
    "node/test_faults.py",
    "node/test_sleep.py",
    "node/test_wiring.py",
    "node/test_ladder.py",
    "bench/test_demo.py",
    "probe/test_probe.py",
    "own/test_folder.py",
    "command/test_queue.py",
    "test_lint_and_types.py",
    "campaign/test_campaign.py",
    "test_flash.py",
    "test_outbox_damage.py",
    "test_damaged_files.py",
    "package/test_package.py",
    "states/test_left.py",
    "edits/test_edits.py",
    "test_fuzz.py",
    "node/test_crashes.py",
    "node/test_node.py",
)

# Where nothing is to be written beside the sources, what is compiled is kept in build/: the suite
# starts a hundred times what it has compiled already.
if sys.dont_write_bytecode:
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(ROOT / "build" / "pycache")
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A test is not late because the machine is busy.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_configure(config):
    """Files are given out in the order of below, and not by how many tests they have."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    place = {ROOT / "host_tests" / name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_collection_finish():
    """What thousands of tests are made of stays: it is not looked through at each collection."""
    gc.collect(2)
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run `async def` tests on the virtual-time loop."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    virtual_time.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that needs a peer which is not on this machine is skipped; in CI it fails."""
    report = (yield).get_result()
    error = call.excinfo and call.excinfo.value
    if isinstance(error, installed.PeerMissing) and (
        not os.environ.get("CI") or installed.PEERS[error.peer].excused
    ):
        path, line, _ = item.location
        report.outcome = "skipped"
        report.longrepr = (path, line or 0, f"Skipped: {error}")
        report.user_properties.append((MISSING, error.peer))


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter):
    """Last of all: which peers were missing, what that cost, and what installs them."""
    yield
    lost = Counter(
        value
        for report in terminalreporter.stats.get("skipped", [])
        for name, value in report.user_properties
        if name == MISSING
    )
    if not lost:
        return
    terminalreporter.section("peers that are missing here")
    for peer, count in lost.items():
        tests = "test was" if count == 1 else "tests were"
        terminalreporter.write_line(f"{peer}: {count} {tests} skipped")
    peers = [installed.PEERS[peer] for peer in lost]
    terminalreporter.write_line(f"To run them too: {installed.command(peers)}")


@pytest.fixture(autouse=True)
def what_nodes_publish_fits_the_schema():
    """Whatever a test has nodes say by MQTT is what docs/schema allows."""
    link = sys.modules.get("tools.virtual_c1100.mqtt_link")
    if link is None:  # no module, no node
        yield
        return
    from tools.monitor import model, schema

    wrong = []

    def look(topic: str, payload: bytes) -> None:
        parts = topic.removesuffix(model.CBOR).split("/")
        if parts[0] == "nodes" and len(parts) > 2 and payload:
            kind = {model.TELEMETRY: "telemetry", model.RESULTS: "result"}.get(parts[2])
            wrong.extend(schema.unfit(kind, payload) if kind else ())

    link.watchers.append(look)
    yield
    link.watchers.remove(look)
    assert not wrong, wrong
