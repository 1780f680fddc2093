"""Smooth weighted round robin as one compiled pass over the weights."""

from collections.abc import Sequence

class Smooth:
    """Each pick adds every weight to its current value, takes the greatest and takes the total off it."""

    def __init__(self, weights: Sequence[int], current: Sequence[int]) -> None:
        """`current`: where the values stand, from `state` (zeros at first). ValueError if the lengths differ."""
    def pick(self) -> int:
        """Index of the chosen one; the first of equals. ValueError if there are no weights."""
    def state(self) -> list[int]: ...
