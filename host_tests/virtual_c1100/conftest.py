"""Brokers for the tests of this folder: one process each for all of them."""

from collections.abc import Iterator

import pytest

from host_tests.peers import any_broker
from host_tests.virtual_c1100.watcher import PASSWORD, USER
from tools.broker import Address, embedded, mosquitto


@pytest.fixture(scope="session", params=[embedded, any_broker], ids=["embedded", "mosquitto"])
def broker(request: pytest.FixtureRequest) -> Iterator[Address]:
    """A real broker that takes everybody; the test runs once with each."""
    with request.param() as running:
        yield running


@pytest.fixture(scope="session")
def locked_broker() -> Iterator[Address]:
    """A broker that asks for user and password."""
    with mosquitto({USER: PASSWORD}) as running:
        yield running
