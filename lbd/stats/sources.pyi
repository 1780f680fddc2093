"""The table of sticky source addresses: which server a source had, in the scoreboard, for all workers.

Every lane owns a fixed part that all read; keys are hashes of 64 bits. Of two entries for one source the one of the
later turn counts (it was given another server), of one turn the one that started earlier: so two workers that see a
new source at the same moment agree afterwards. When a bucket is full the entry that was not seen for longest gives way.
"""

from typing import final

from lbd.stats.scoreboard import Board

@final
class SourceTable:
    """The table as one worker uses it: it reads every lane and writes its own. ValueError for a lane that is none."""

    def __new__(cls, board: Board, lane: int) -> SourceTable: ...
    def find(self, source: int, lifetime: float) -> int:
        """The key of the server that the source had within so many seconds; 0 if there is none."""
    def put(self, source: int, server: int, lifetime: float) -> None:
        """The source has this server now, and was seen now. ValueError for a server key of 0."""
