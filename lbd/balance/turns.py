"""The turns of a backend's servers: kept while their weights are the same, and over every reload."""

from lbd.balance.rotation import Rotation
from lbd.stats.scoreboard import Row


def rotation_of(weights: tuple[int, ...], row: Row | None, before: Rotation | None) -> Rotation:
    """The rotation of servers by weight (whole numbers from 1 on): `before` if its weights are the same, else one that
    goes on from its position.

    The position is shared by all workers, in the `row` of the backend; without one it is this algorithm's alone.
    """
    if before is not None and before.weights == weights:
        return before
    return Rotation(row, weights, before.taken if before is not None else 0)
