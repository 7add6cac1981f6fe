"""Helpers of the tests that run on CPython and on MicroPython."""


class raises:
    """``with raises(SomeError):`` -- the block must raise it."""

    def __init__(self, kind):
        self.kind = kind

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        assert kind is not None, "nothing was raised, not %s" % self.kind.__name__
        return issubclass(kind, self.kind)
