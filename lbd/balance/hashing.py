"""Servers placed by hashes of their names: equal keys go to the same server, in every worker."""

from collections.abc import Callable, Sequence
from typing import Protocol

from xxhash import xxh64_intdigest

from lbd.backend.algorithm import Context
from lbd.backend.server import Server

Weights = list[tuple[str, int]]      # of servers, by name


class HashTable(Protocol):
    """A Maglev table or a ring, for servers in the order of their names."""

    def find(self, value: int, /) -> int:
        """Index of the server that a hash belongs to."""
    def narrow(self, indices: Sequence[int], /) -> None:
        """Set the index of each server, -1 for those that are left out."""


Build = Callable[[list[int], list[int]], HashTable]     # from the hashes of the names, and the weights


class HashedServers:
    """All servers of the pool in a table, by their names and never by their order. Unusable servers stay in it and are
    skipped, so that only their keys move, and come back. Slow start has no effect: it would move keys twice.
    """

    def __init__(self, build: Build, context: Context) -> None:
        self.build = build
        self.random = context.random
        self.all: Sequence[Server] = ()
        self.usable: Sequence[Server] = ()
        self.weights: Weights = []
        self.table: HashTable | None = None

    def inherit(self, previous: "HashedServers") -> None:
        """Go on with the table of the former algorithm, which need not be built anew for the same servers."""
        self.weights, self.table = previous.weights, previous.table

    def enroll(self, servers: Sequence[Server]) -> None:
        """Take all servers of the pool, usable or not."""
        self.all = servers

    def rebuild(self, servers: Sequence[Server]) -> None:
        """Choose among these servers; the table is built anew only where names or weights changed."""
        weights = sorted((server.name, server.weight) for server in self._tier(servers) if server.weight > 0)
        if weights == self.weights and [*servers] == [*self.usable]:
            return
        if weights != self.weights or self.table is None:
            self.table = self.build([xxh64_intdigest(name.encode()) for name, _ in weights],
                                    [weight for _, weight in weights])
            self.weights = weights
        self.find = self.table.find
        index = {server.name: place for place, server in enumerate(servers)}
        self.table.narrow([index.get(name, -1) for name, _ in weights])
        self.usable = servers

    def _tier(self, servers: Sequence[Server]) -> Sequence[Server]:
        """The servers of the table: backups are not in it beside regular servers."""
        if not set(servers) <= set(self.all):
            return servers
        backup = {server.backup for server in servers}
        return [server for server in self.all if server.backup in backup]

    def server_of(self, key: bytes) -> Server:
        """The server of a key; for b"", a request without one, any server by weight."""
        return self.usable[self.find(xxh64_intdigest(key) if key else self.random.getrandbits(64))]
