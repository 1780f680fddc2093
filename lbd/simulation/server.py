"""The model of a server, which serves some requests at a time and queues the others in order."""

from heapq import heappush, heapreplace


class SimulatedServer:
    """`seconds` is the mean time of one request, `slots` how many are served at once (0: any number).

    `slowness` multiplies the time of what arrives from now on. A server that `refuses` takes no connections, one that
    `hangs` takes requests and never answers. `busy` are the seconds of service given, `taken` the requests that came.
    """

    __slots__ = ("busy", "ends", "hangs", "refuses", "seconds", "slots", "slowness", "taken")

    def __init__(self, seconds: float, slots: int) -> None:
        self.seconds = seconds
        self.slots = slots
        self.slowness = 1.0
        self.refuses = False
        self.hangs = False
        self.busy = 0.0
        self.taken = 0
        self.ends: list[float] = []     # when each slot in use is free again, a heap

    @property
    def well(self) -> bool:
        """Whether a health check would pass."""
        return not self.refuses and not self.hangs

    def serve(self, now: float, effort: float) -> float:
        """Accept a request of `effort` times the mean work; returns the time of its response.

        The queue is in order, so the time at which a slot will be free is known at once.
        """
        seconds = self.seconds * self.slowness * effort
        self.busy += seconds
        if not self.slots:
            return now + seconds
        ends = self.ends
        if len(ends) < self.slots:
            heappush(ends, now + seconds)
            return now + seconds
        end = max(ends[0], now) + seconds
        heapreplace(ends, end)
        return end

    def crash(self) -> None:
        """Lose all requests in service and in the queue."""
        self.ends.clear()
