"""The ring of consistent hashing: points of all servers in order, and the next point of a key."""

from collections.abc import Sequence
from typing import final

from lbd.balance.loads import Loads

POINTS: int      # most points of a ring

@final
class Ring:
    """Some servers by the hashes of their names, in an order that does not change, with so many points each.

    The first points of a server are the same however many follow. ValueError for more than `POINTS` together.
    """

    def __new__(cls, hashes: Sequence[int], points: Sequence[int]) -> Ring: ...
    def narrow(self, indices: Sequence[int]) -> None:
        """For each server the index that stands for it from now on; -1: its keys go to the next one on the ring."""
    def find(self, value: int) -> int:
        """Index of the server that a key's hash (64 bits) belongs to; ValueError if none is left."""
    def find_bounded(self, value: int, loads: Loads, factor: float) -> int:
        """The same, but of those whose requests in flight are below factor * their share of all, rounded up, the new
        request counted in. `loads` are those of the servers by the indices given to `narrow`."""
