"""The score of least-time: latency * (in flight + 1) / weight of some servers, and which of them has the least."""

from collections.abc import Sequence
from typing import final

from lbd.stats.scoreboard import Board

@final
class Fastest:
    """Some servers of a backend, by their slots; everything is read from the scoreboard, so any process can ask.

    `backend` is the slot of the backend, whose mean stands for servers without a sample (None: the mean of the other
    servers does). After `decay` seconds without a sample a latency counts as half-way nearer to the least one, and so
    on with every further `decay`. ValueError without servers, and for weights and decays that are not above 0.
    """

    def __new__(cls, board: Board, backend: int | None, slots: Sequence[int], weights: Sequence[float],
                decay: float) -> Fastest: ...
    def pick(self) -> int:
        """Index of the server with the least score; servers with equal scores take turns."""
    def scores(self) -> list[float]:
        """The score of each server as it is now, in seconds."""
