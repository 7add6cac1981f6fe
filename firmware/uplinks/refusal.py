"""What an uplink raises when the far side takes others, but not what it was given."""

from c1100 import C1100Error


class Unfit(C1100Error):
    """What a batch holds is not taken; in other batches, or without one of its records, the rest
    may be.

    error -- what it is if nothing else is taken either
    first -- whether it is the first record that is not taken
    """

    def __init__(self, error: C1100Error, first: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.first = first
