"""Maglev's table: a share of the entries for each server, nearly the same entries whatever others there are."""

from collections.abc import Sequence
from typing import final

SIZE: int       # entries of a table

@final
class MaglevTable:
    """Some servers by the hashes of their names, in an order that does not change: that of the names, say.

    Shares are by weight (1 to 1000000), and every server has one. ValueError without servers or with 65535 and more
    of them.
    """

    def __new__(cls, hashes: Sequence[int], weights: Sequence[int]) -> MaglevTable: ...
    def narrow(self, indices: Sequence[int]) -> None:
        """For each server the index that stands for it from now on; -1: its entries go to the others, by weight, and
        while others have a quarter of the table no other entry moves. ValueError if none is left."""
    def find(self, value: int) -> int:
        """Index of the server that a key's hash (64 bits) belongs to."""
    def shares(self) -> dict[int, int]:
        """How many entries there are by index."""
