"""Tests of the unit folder are plain functions, `async` ones on virtual time; the very same files
run on MicroPython (test_on_micropython.py)."""

import inspect

import hypothesis
import pytest

import host_tests.shim  # noqa: F401 (installs MicroPython's dialect before lib/ is imported)
from host_tests import virtual_time

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
