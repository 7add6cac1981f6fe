"""Network peers of the tests that take any of a kind."""

import contextlib
import functools
import os
import socket
import warnings
from collections.abc import Iterator

from tools.broker import HOST, Address, NotInstalled, embedded, mosquitto


@contextlib.contextmanager
def any_broker() -> Iterator[Address]:
    """Mosquitto; where it is not installed the embedded broker, with a warning.

    Raises NotInstalled in CI (environment variable CI), which must test against both.
    """
    with contextlib.ExitStack() as stack:
        try:
            address = stack.enter_context(mosquitto())
        except NotInstalled as error:
            if os.environ.get("CI"):
                raise
            warnings.warn(f"the embedded broker stands in for mosquitto: {error}", stacklevel=3)
            address = stack.enter_context(embedded())
        yield address


@functools.cache
def dead_port() -> int:
    """A TCP port of the loopback interface at which nobody listens as long as the tests run: it is
    bound, so it is given to no other program.
    """
    _held.bind((HOST, 0))
    return _held.getsockname()[1]


_held = socket.socket()
