"""A board that is reset at any command of any feature finds its way in the next wake."""

import pytest

from host_tests.states import matrix
from host_tests.states.features import FEATURES


@pytest.mark.parametrize("feature", FEATURES)
def test_reset_at_every_write_of(feature):
    for cell in matrix.after_resets(feature):
        matrix.run(cell)
