"""Policy of the workers: who serves which slot, how long a replacement waits, which lane it writes to."""

from collections.abc import Collection
from dataclasses import dataclass

SHORTEST_WAIT = 0.1   # seconds before a worker is tried again that died early, doubled each time
LONGEST_WAIT = 10.0
SILENT = 5            # pings without an answer after which a worker counts as wedged


@dataclass(slots=True)
class Backoff:
    """How long to wait before the next worker of one slot. Trouble is assumed when a worker dies before its first
    request; one that served is replaced at once."""

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


def assign(slots: int, live: Collection[int]) -> dict[int, list[int]]:
    """Which slots (from 0) each live worker accepts from: its own, and a fair share of those without a worker."""
    shares: dict[int, list[int]] = {worker: [worker] if worker < slots else [] for worker in sorted(live)}
    if shares:
        for slot in range(slots):
            if slot not in shares:
                min(shares.values(), key=len).append(slot)
    return shares


class Lanes:
    """The scoreboard's lanes: one process writes to each."""

    def __init__(self, count: int) -> None:
        self._free = list(range(count))

    def take(self) -> int | None:
        """The lowest free lane, None if all are in use."""
        return self._free.pop(0) if self._free else None

    def occupy(self, lane: int) -> None:
        """Some other process has the lane already."""
        if lane in self._free:
            self._free.remove(lane)

    def give_back(self, lane: int) -> None:
        """The lane's process is dead."""
        self._free.append(lane)
        self._free.sort()
