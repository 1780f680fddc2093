"""The back-off before a slot gets its next worker."""

from dataclasses import dataclass

SHORTEST_WAIT = 0.1   # seconds before a worker is tried again that died early, doubled each time
LONGEST_WAIT = 10.0


@dataclass(slots=True)
class Backoff:
    """The waits of one slot. A worker that dies before its first request is assumed to be in trouble; one that served
    is replaced at once."""

    early: int = 0

    def after(self, served: bool) -> float:
        """Seconds to wait after a worker's death."""
        if served:
            self.early = 0
            return 0.0
        self.early += 1
        if self.early == 1:
            return 0.0   # once is an accident
        return min(LONGEST_WAIT, SHORTEST_WAIT * 2.0 ** min(self.early - 2, 20))
