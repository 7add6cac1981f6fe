"""Every feature works, however an earlier life has left the module."""

import pytest

from host_tests.states import matrix
from host_tests.states.left import STATES


@pytest.mark.parametrize("left", STATES, ids=lambda left: left.name)
def test_after(left):
    for cell in matrix.after_state(left):
        matrix.run(cell)


@pytest.mark.parametrize("wiring", matrix.WIRINGS[1:], ids=str)
def test_boards_with_other_pins(wiring):
    for left in STATES:
        if left.helped_by(wiring):
            matrix.run(matrix.Cell(wiring, "questions", left))
