"""The turn of a backend: one position in shared memory that every worker advances, and the order it walks through."""

from collections.abc import Sequence

from lbd.stats.scoreboard import Row

class Rotation:
    """The order of smooth weighted round robin (nginx): weights 5, 1, 1 give 0 0 1 0 2 0 0, over all workers together.

    An order of more than 16384 positions is not written out: there the position times the golden ratio, modulo 1, is
    looked up in the sums of the weights, which keeps the shares as closely and repeats nothing.
    """

    weights: tuple[int, ...]

    def __init__(self, backend: Row | None, weights: Sequence[int], start: int = 0) -> None:
        """`backend` says whose position is advanced; None, or a row of another kind: one of its own, from `start` on.

        ValueError without weights, or where one is below 1.
        """
    def take(self) -> int:
        """Index of the next in turn; the turn is taken, in every worker."""
    def peek(self) -> int:
        """Index of the next in turn, without taking it."""
    @property
    def taken(self) -> int:
        """How many turns were taken so far."""
