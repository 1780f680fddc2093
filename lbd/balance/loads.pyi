"""The loads of some servers, as requests in flight of all workers, and the choices that draw and compare them."""

from collections.abc import Sequence
from typing import final

from lbd.stats.scoreboard import Board

PROBES: int      # most probes of `threshold`

@final
class Loads:
    """Some servers, by the slots of the scoreboard; a choice is the index of one of them.

    Load is requests in flight / weight. Draws are by weight, from dice of their own: equal seeds, equal draws.
    ValueError without servers, and for weights that are not above 0.
    """

    def __new__(cls, board: Board, slots: Sequence[int], weights: Sequence[float], seed: int = 0) -> Loads: ...
    def in_flight(self) -> list[int]:
        """Requests in flight at each server, from all workers."""
    def draw(self) -> int:
        """A server drawn by weight."""
    def two(self) -> int:
        """The less loaded of two different ones drawn by weight; of equals the first drawn."""
    def threshold(self, limit: float, probes: int) -> int:
        """A server below the limit: up to `probes` different ones are drawn until one is below; else the least loaded
        of those. A limit of 0 stands for 1.25 times the mean load, with the new request counted in."""
    def listed(self, limit: float) -> int:
        """The first below the limit, in order; the least loaded if there is none. A limit of 0 as for `threshold`."""
