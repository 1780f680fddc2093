"""The pool: the servers of a backend in one generation, the usable ones among them, and the algorithm that chooses."""

from collections.abc import Callable, Collection, Iterable, Sequence

from lbd.backend.algorithm import Algorithm, RequestFacts
from lbd.backend.server import Server
from lbd.stats import fields
from lbd.stats.bound import total

PASSED_OVER = 64     # turns of full servers that are passed over for one request


class Pool:
    """The set of servers never changes; which of them are usable does, by `rebuild`."""

    def __init__(self, servers: Sequence[Server], algorithm: Algorithm, use_all: bool) -> None:
        self.servers = tuple(servers)
        self.algorithm = algorithm
        self.use_all = use_all
        self.usable: tuple[Server, ...] = ()
        self.backing_off = False
        algorithm.enroll(self.servers)

    def replace(self, servers: Iterable[Server]) -> None:
        """Take servers of the same names, some at other addresses; takes effect with `rebuild`."""
        self.servers = tuple(servers)
        self.algorithm.enroll(self.servers)

    def rebuild(self) -> None:
        """Decide anew which servers may be used, and tell the algorithm: after any change of state."""
        usable = choose(self.servers, self.use_all)
        self.backing_off = any(server.backoff.until for server in self.servers)
        if usable:
            self.algorithm.rebuild(usable)
        self.usable = usable

    def pick(self, request: RequestFacts) -> Server | None:
        """The server for a new request; None when none is usable."""
        return self.algorithm.pick(request) if self.usable else None

    def pick_with_room(self, request: RequestFacts, room: Callable[[Server], bool],
                       tried: Collection[Server]) -> Server | None:
        """A server with room where the algorithm's first choice has none: the next in turn, else the least loaded.

        Turns keep the shares of the others by weight; servers that were `tried` come last. None when all are full.
        """
        free = [server for server in self.usable if room(server)]
        if self.algorithm.takes_turns and free and not tried:
            for _ in range(PASSED_OVER):
                server = self.algorithm.pick(request)
                if room(server):
                    return server
        return min(free, key=lambda server: (server in tried, load(server)), default=None)

    def pick_other(self, tried: Collection[Server], again: bool = True) -> Server | None:
        """The server for a repeat: one that was not tried yet, those backed off last, else (`again`) one that was; the
        least loaded of them."""
        candidates = [server for server in self.usable if server not in tried]
        if not candidates:
            candidates = [server for server in self.servers if server.usable and server not in tried]
        if not candidates and again:
            candidates = list(self.usable)
        return min(candidates, key=lambda server: (server.backoff.until > 0, load(server)), default=None)


def load(server: Server) -> float:
    """Requests in flight from all workers, by weight; servers are only compared while they have some weight."""
    return (total(server.row, fields.SERVER_IN_FLIGHT) + 1) / server.effective


def choose(servers: Iterable[Server], use_all: bool) -> tuple[Server, ...]:
    """The usable servers: the regular ones, else backups, else those backed off, else (`use_all`) all ready ones."""
    usable = [server for server in servers if server.usable]
    tiers = (
        (server for server in usable if not server.backup and not server.backoff.until),
        (server for server in usable if server.backup and not server.backoff.until),
        usable,
        (server for server in servers if use_all and server.ready),
    )
    return next((found for found in map(tuple, tiers) if found), ())
