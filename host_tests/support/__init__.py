"""Helpers of the tests that run on CPython and on MicroPython."""


class raises:
    """``with raises(SomeError) as caught:`` -- the block must raise it; then ``caught.error``."""

    def __init__(self, kind):
        self.kind = kind
        self.error = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        assert kind is not None, "nothing was raised, not %s" % self.kind.__name__
        self.error = error
        return issubclass(kind, self.kind)


async def fails(kind, awaitable):
    """Await what must raise such an error, and return the error."""
    try:
        got = await awaitable
    except kind as error:
        return error
    raise AssertionError("no %s but %r" % (kind.__name__, got))
