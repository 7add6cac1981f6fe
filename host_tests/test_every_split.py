"""All that a scripted module says, cut: what a driver test shows must not depend on how the bytes
of the module happen to be read.

Each asynchronous unit test of the driver runs again byte by byte and with what the module says cut
in two: at every byte boundary for the channel itself (a spread of 64 where there are more), at a
spread of 8 for what is built on it, and of 16 where the driver polls for minutes. `make splits`
cuts all of them at every byte boundary.
Tests that use `at_every_split` do all of that by themselves.
"""

import importlib
import inspect
import os
from collections.abc import Callable, Iterator

import pytest

from host_tests import virtual_time
from host_tests.support import streams

MODULES = {
    "test_channel": 64,
    "test_modem": 8,
    "test_features": 8,
    "test_mqtt": 8,
    "test_http": 8,
    "test_sockets": 8,
}
PATIENT = {
    "test_f13_late_answer_while_the_channel_synchronises": 16,
    "test_f16_slow_answer_within_its_own_time": 16,
}
ALL = os.environ.get("SPLITS") == "all"
OWN_SPLITS = ("at_every_split(", "await answers(")


def driver_tests() -> Iterator:
    for name, usual in MODULES.items():
        module = importlib.import_module(f"host_tests.unit.{name}")
        for function in vars(module).values():
            if not inspect.iscoroutinefunction(function) or function.__name__[:5] != "test_":
                continue
            if not any(mark in inspect.getsource(function) for mark in OWN_SPLITS):
                spread = PATIENT.get(function.__name__, usual)
                yield pytest.param(function, spread, id=f"{name}-{function.__name__[5:]}")


@pytest.mark.parametrize(("function", "spread"), list(driver_tests()))
def test_cut_anywhere(function: Callable, spread: int, monkeypatch) -> None:
    longest = 0
    put = streams.Module._put

    def counting(module, data, after_ms) -> None:
        nonlocal longest
        put(module, data, after_ms)
        longest = max(longest, module.said)

    monkeypatch.setattr(streams.Module, "_put", counting)
    virtual_time.run(function())
    monkeypatch.setattr(streams.Module, "_put", put)
    monkeypatch.setattr(streams, "_chunk", 1)
    virtual_time.run(function())
    monkeypatch.setattr(streams, "_chunk", 256)
    step = 1 if ALL else max(1, longest // spread)
    for cut in range(1, longest, step):
        monkeypatch.setattr(streams, "_cut", cut)
        try:
            virtual_time.run(function())
        except BaseException:
            print(f"cut at byte {cut} of {longest}")
            raise
