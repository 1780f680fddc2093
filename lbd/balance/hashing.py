"""Keyed choice: equal keys go to the same server, whichever worker asks and whatever else changes."""

from collections.abc import Sequence
from typing import Any, Protocol

from xxhash import xxh64_intdigest

from lbd.backend.algorithm import Algorithm, Context, RequestFacts
from lbd.backend.server import Server
from lbd.balance.hash_keys import Key

Weights = list[tuple[str, int]]      # of servers, by name


class HashTable(Protocol):
    """A table or a ring, for servers in the order of their names."""

    def find(self, value: int, /) -> int:
        """Index of the server that a hash belongs to."""
    def narrow(self, indices: Sequence[int], /) -> None:
        """The index of each server from now on, -1 for those that are left out."""


class HashedAlgorithm(Algorithm):
    """Places are found for all servers of the pool, by their names and never by their order; those that may not be used
    are left out, so that only their keys move, and come back. Slow start has no effect: it would move keys twice.

    A request without a key goes anywhere, by weight.
    """

    def __init__(self, options: Any, context: Context, key: Key) -> None:
        super().__init__(options, context)
        self.key = key
        self.everyone: Sequence[Server] = ()
        self.servers: Sequence[Server] = ()
        self.weights: Weights = []
        self.places: HashTable | None = None

    def place(self, hashes: list[int], weights: list[int]) -> HashTable:
        """The places of servers by the hashes of their names."""
        raise NotImplementedError

    def enroll(self, servers: Sequence[Server]) -> None:
        self.everyone = servers

    def inherit(self, previous: "HashedAlgorithm") -> None:
        """The table is kept when the servers are the same."""
        if type(previous) is type(self):
            self.weights, self.places = previous.weights, previous.places

    def rebuild(self, servers: Sequence[Server]) -> None:
        weights = sorted((server.name, server.weight) for server in self.tier(servers) if server.weight > 0)
        if weights == self.weights and [*servers] == [*self.servers]:
            return
        if weights != self.weights or self.places is None:
            self.places = self.place([xxh64_intdigest(name.encode()) for name, _ in weights],
                                     [weight for _, weight in weights])
            self.weights = weights
        self.find = self.places.find
        index = {server.name: place for place, server in enumerate(servers)}
        self.places.narrow([index.get(name, -1) for name, _ in weights])
        self.servers = servers

    def tier(self, servers: Sequence[Server]) -> Sequence[Server]:
        """The servers among which the usable ones have their places: backups have none beside the regular ones."""
        if not set(servers) <= set(self.everyone):
            return servers
        backup = {server.backup for server in servers}
        return [server for server in self.everyone if server.backup in backup]

    def pick(self, request: RequestFacts) -> Server:
        found = self.key(request)
        return self.servers[self.find(xxh64_intdigest(found) if found else self.context.random.getrandbits(64))]

    def hashed(self, request: RequestFacts) -> bytes | None:
        return self.key(request)
