"""The rows of the scoreboard: by which identities servers and generations have them, and when they are free again."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator

from lbd.backend.snapshot import Endpoint, Generation
from lbd.backend.state import ServerPath
from lbd.generation.in_force import InForce
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board
from lbd.stats.slots import Slots

LINGER = 5.0   # seconds beyond the drain after which no worker writes to a removed row any more

RowIdentity = tuple[int, Hashable]     # kind of row, and its owner


class Rows:
    """Frees the rows that no generation needs any more, once the workers have drained."""

    def __init__(self, board: Board, slots: Slots, in_force: InForce) -> None:
        self._board = board
        self._slots = slots
        self._in_force = in_force
        self._reserved: set[RowIdentity] = set()

    @contextlib.contextmanager
    def reserve(self, build: Callable[[], Generation]) -> Iterator[Generation]:
        """Build a generation and keep its rows until the block ends, in which it is put in force. If it is not, the
        rows that it was the first to have are free again."""
        before = {(kind, owner) for kind in range(len(fields.KINDS)) for owner in self._slots.owners(kind)}
        generation = build()
        self._reserved = of_generation(generation)
        try:
            yield generation
        finally:
            added, self._reserved = self._reserved - before, set()
            self._release(added)

    def follow_generation(self, generation: Generation) -> None:
        """Count in histograms per server, or only per backend, as the generation says."""
        self._board.per_server = generation.config.metrics.per_server_histograms

    def in_flight(self, path: ServerPath) -> int:
        """Requests in flight to a server, from all workers."""
        endpoint = self._in_force.endpoints.get(path)
        return self._board.in_flight(endpoint.slot) if endpoint is not None else 0

    def draining(self, lanes: Collection[int]) -> int:
        """The number of requests in flight that are to end: in these lanes, and to removed or drained servers."""
        stay = of_servers(endpoint for endpoint in self._in_force.endpoints.values() if endpoint.mode != "drain")
        return in_flight(self._board, self._slots, stay, lanes)

    def release_later(self, candidates: set[RowIdentity], drain: float) -> None:
        """Free these after a drain of so many seconds, except those that are in use then."""
        asyncio.get_running_loop().call_later(drain + LINGER, self._release, candidates)

    def _release(self, candidates: set[RowIdentity]) -> None:
        if self._in_force.generation is None:
            return
        unused = candidates - of_generation(self._in_force.generation) - of_servers(self._in_force.endpoints.values())
        if undecided := unused & self._reserved:
            self.release_later(undecided, 0.0)
        for kind, owner in unused - undecided:
            self._slots.release(kind, owner)


def of_servers(endpoints: Iterable[Endpoint]) -> set[RowIdentity]:
    """The rows of servers at the addresses where they are now."""
    return {(scoreboard.SERVER, endpoint.identity) for endpoint in endpoints}


def of_generation(generation: Generation) -> set[RowIdentity]:
    """The rows of everything in the generation."""
    identities = of_servers(endpoint for group in generation.endpoints.values() for endpoint in group)
    identities |= {(scoreboard.BACKEND, name) for name in generation.backends}
    identities |= {(scoreboard.LISTENER, name) for name in generation.listeners}
    identities |= {(scoreboard.ROUTE, pair) for pair in generation.routes}
    return identities


def in_flight(board: Board, slots: Slots, stay: Collection[RowIdentity], leaving: Collection[int]) -> int:
    """The number of requests in flight that are to end: in these lanes, and at servers that do not stay."""
    count = 0.0
    for owner, slot in slots.owners(scoreboard.SERVER).items():
        gone = (scoreboard.SERVER, owner) not in stay
        lanes = board.each(scoreboard.SERVER, slot, fields.SERVER_IN_FLIGHT)
        count += sum(value for lane, value in enumerate(lanes) if gone or lane in leaving)
    return int(count)
