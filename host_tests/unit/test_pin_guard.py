"""A PIN costs a SIM two of its three tries at the most."""

from firmware import log, pin_guard, state
from host_tests.support.scratch import Inside

# What has happened with PIN 1234, in order: whether it may be sent again.
LIVES = (
    ((), True),
    (("refuse",), False),
    (("doubt",), True),
    (("doubt", "doubt"), False),
    (("doubt", "refuse"), False),
    (("doubt", "accept", "doubt"), True),
    (("doubt", "accept", "doubt", "doubt"), False),
    (("accept",), True),
    (("refuse", "accept"), False),  # it was open already: that says nothing of this PIN
    (("doubt", "doubt", "accept"), False),
)


class Flash(Inside):
    def __enter__(self):
        log.begin("off")
        return super().__enter__()


def do(what, pin, kept):
    if what == "accept":
        pin_guard.accept(pin)
    else:
        getattr(pin_guard, what)(pin, kept)


def test_two_tries_at_the_most():
    for life, again in LIVES:
        with Flash():
            kept = state.State()
            for what in life:
                do(what, "1234", kept)
            assert (pin_guard.allowed("1234", kept) == "1234") is again, life
            # Another one is another matter.
            assert pin_guard.allowed("4321", kept) == "4321"
            assert pin_guard.allowed("", kept) is None


def test_another_pin_in_between():
    with Flash():
        kept = state.State()
        pin_guard.doubt("1234", kept)
        pin_guard.doubt("4321", kept)
        assert pin_guard.allowed("1234", kept) == "1234"
        assert pin_guard.allowed("4321", kept) == "4321"
        pin_guard.doubt("4321", kept)
        assert pin_guard.allowed("4321", kept) is None
