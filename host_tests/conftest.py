"""Tests of the unit folder are plain functions, `async` ones on virtual time; the very same files
run on MicroPython (test_on_micropython.py)."""

import inspect
import os
from collections import Counter

import hypothesis
import pytest

import host_tests.shim  # noqa: F401 (installs MicroPython's dialect before lib/ is imported)
from host_tests import virtual_time
from tools import installed

MISSING = "peer that is missing"

# A test is not late because the machine is busy.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


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
    if isinstance(error, installed.PeerMissing) and not os.environ.get("CI"):
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
