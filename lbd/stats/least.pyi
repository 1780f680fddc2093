"""The least loaded of some servers, over all lanes of the scoreboard."""

from collections.abc import Sequence
from typing import final

from lbd.stats.scoreboard import Board

@final
class Least:
    """Finds the least loaded of some servers, load being (in flight of all lanes + 1) / weight."""

    def __new__(cls, board: Board, slots: Sequence[int], weights: Sequence[float]) -> Least: ...
    def pick(self) -> int:
        """Index of the least loaded with a weight above 0; ties in turn; -1 if there is none."""
