"""Both runners of the unit tests find what they must find (failing.py)."""

import asyncio
import inspect

import pytest

from host_tests import failing, virtual_time
from host_tests.test_on_micropython import mp_runner


def test_every_failing_test_says_what_is_wanted():
    names = [name for name in dir(failing) if name.startswith("test_")]
    assert sorted(failing.WANTED) == names


@pytest.mark.parametrize(("name", "wanted"), failing.WANTED.items())
def test_it_fails_on_cpython(name, wanted):
    async def scenario():
        result = getattr(failing, name)()
        if inspect.isawaitable(result):
            await result

    with pytest.raises((Exception, asyncio.CancelledError)) as caught:
        virtual_time.run(scenario())
    assert wanted in f"{caught.type.__name__}: {caught.value}"


def test_they_fail_on_micropython():
    done = mp_runner("host_tests/failing.py")
    assert done.returncode == 1
    assert done.stdout.endswith(f"0 passed, {len(failing.WANTED)} failed on micropython\n")
    for report in done.stdout.split("FAILED host_tests.failing ")[1:]:
        name, _, text = report.partition("\n")
        assert "Traceback" in text
        assert failing.WANTED[name] in text


def test_a_deadlock_names_who_waits_and_where():
    with pytest.raises(virtual_time.Deadlock, match=r"Event\.wait, line \d+"):
        virtual_time.run(failing.test_deadlock())


def test_a_file_that_cannot_be_imported_fails_on_micropython():
    done = mp_runner("host_tests/unit/test_that_is_not_there.py")
    assert done.returncode == 1
    assert "ImportError" in done.stdout + done.stderr


def test_what_a_module_did_not_expect_is_told_with_the_error_that_followed():
    async def scenario():
        failing.Module(("AT", b"0\r")).write(b"ATX\r")
        raise TimeoutError("no result code")

    with pytest.raises(TimeoutError, match="no result code") as caught:
        virtual_time.run(scenario())
    assert caught.value.__notes__ == ["the scripted module: expected 'AT', heard 'ATX' after []"]
