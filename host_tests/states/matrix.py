"""The matrix: how an earlier life left the module, and what the next one does with it.

A cell is one world: the module is brought into a state, or the board is reset in the middle of a
feature, then it boots, starts the module and uses a feature, which must work.
"""

import functools
from collections.abc import Iterator
from typing import NamedTuple

from host_tests.states.features import FEATURES, into_the_network, wake
from host_tests.states.left import STATES, Left
from host_tests.states.world import AFTER, BEFORE, HALF, Reset, WasReset, Wiring, World

CUTS = (BEFORE, HALF, AFTER)
KEY = Wiring(pwrkey=True)
WIRINGS = (
    KEY,
    Wiring(pwrkey=True, status=True),
    Wiring(pwrkey=True, wake=True, status=True),
    Wiring(pwrkey=False, wake=True),
    Wiring(pwrkey=False, wake=True, status=True),
    Wiring(pwrkey=False),
    Wiring(doze=True),
    Wiring(status=True, doze=True),
)
LIMIT_S = 180  # virtual seconds for a wake: a position takes most


class Cell(NamedTuple):
    """One wake after a life that ended badly: in the state `left`, or by `reset` in `feature`."""

    wiring: Wiring
    wake: str
    left: Left | None = None
    feature: str = ""
    reset: Reset | None = None

    def __str__(self) -> str:
        before = self.left.name if self.left else f"{self.feature} {self.reset}"
        return f"{before}, then {self.wake}, {self.wiring}"


def run(cell: Cell) -> None:
    """Live it. Raises what goes wrong, with the cell as a note."""
    with World(wiring=cell.wiring) as world:
        try:
            if cell.left:
                world.leave(cell.left.said)
            else:
                _interrupted(world, cell)
            begin = world.now
            world.life(wake(cell.wake))
            assert world.now - begin < LIMIT_S, f"{world.now - begin:.0f} s"
        except BaseException as error:
            error.add_note(str(cell))
            raise


def _interrupted(world: World, cell: Cell) -> None:
    try:
        world.life(wake(cell.feature), cell.reset)
    except WasReset:
        return
    raise AssertionError("the board was never reset")


def after_states(wiring: Wiring = KEY) -> Iterator[Cell]:
    """Every feature in every state that such a board can get the module out of."""
    for left in STATES:
        if left.helped_by(wiring):
            yield from after_state(left, wiring)


def after_state(left: Left, wiring: Wiring = KEY) -> Iterator[Cell]:
    """Every feature in this state."""
    for name in FEATURES:
        if name not in left.but:
            yield Cell(wiring, name, left)


def after_resets(feature: str, wiring: Wiring = KEY, *, deep: bool = False) -> Iterator[Cell]:
    """A reset at every write of a feature, and then the same feature and another one; `deep`: and
    then every feature. What starting the module writes counts for one feature only.
    """
    names = list(FEATURES)
    skip = 0 if feature == names[0] or deep else writes(None, wiring)
    turn = names.index(feature)
    for number in range(skip + 1, writes(feature, wiring) + 1):
        for cut in CUTS if deep else CUTS[1:]:
            turn += 1
            for name in names if deep else dict.fromkeys((feature, names[turn % len(names)])):
                yield Cell(wiring, name, feature=feature, reset=Reset(number, cut))


@functools.cache
def writes(feature: str | None, wiring: Wiring) -> int:
    """How often a wake with this feature writes to the UART; None: one that only starts."""
    with World(wiring=wiring) as world:
        world.life(wake(feature) if feature else into_the_network)
        return len(world.writes)
