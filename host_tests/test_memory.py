"""What the driver costs in heap, measured on the real MicroPython."""

from tools.bench.figures import on_micropython


def test_ring_allocates_nothing_but_the_view_it_hands_out():
    """100,000 lines in 64-byte chunks without any collection."""
    figures = on_micropython("ring_allocation.py", "32M")
    print(figures)
    assert figures["lines"] >= 100_000
    assert figures["overflows"] == 0
    assert figures["per_line"] <= figures["memoryview"]
