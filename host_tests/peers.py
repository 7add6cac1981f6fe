"""Network peers of the tests that take any of a kind."""

import contextlib
import os
import warnings
from collections.abc import Iterator

from tools.broker import Address, NotInstalled, embedded, mosquitto


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
