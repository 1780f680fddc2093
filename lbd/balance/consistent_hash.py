"""Consistent hash: keys on a ring, on which every server has 160 points per unit of weight, as in ketama.

The ring is that of nginx's `hash … consistent`, keyed by server name. `balance_factor` bounds the load: Mirrokni,
Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads" (SODA 2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from lbd import schema
from lbd.backend.algorithm import Context
from lbd.backend.server import Server
from lbd.balance.hash_keys import KEY, key_of
from lbd.balance.hashing import HashedAlgorithm, HashTable
from lbd.balance.loads import Loads
from lbd.balance.ring import Ring
from lbd.schema import units as u

POINTS = 160         # per unit of weight
MEAN_POINTS = 1024   # most points that servers have on average, and
RING_POINTS = 2**20  # all together


@dataclass(frozen=True, slots=True)
class RingOptions:
    """Keys of `algorithm = { name = "consistent-hash", … }`."""

    key: str = schema.key("url", KEY, "what is hashed: url, path, source, header:NAME, cookie:NAME or query:NAME")
    balance_factor: float | None = schema.key(
        None, u.number(1.01, 100.0), "no server gets more than so many times its share in flight; default: no bound",
        example=1.25)


class ConsistentHash(HashedAlgorithm):
    """When a server comes or goes only its own keys move. With a bound the next server on the ring takes what is too
    much for one."""

    Options = RingOptions

    weighs = "in flight / weight, with balance_factor not above so many times the mean"

    def __init__(self, options: RingOptions, context: Context) -> None:
        super().__init__(options, context, key_of(options.key))
        self.factor = options.balance_factor

    def place(self, hashes: list[int], weights: list[int]) -> HashTable:
        return Ring(hashes, points(weights))

    def rebuild(self, servers: Sequence[Server]) -> None:
        super().rebuild(servers)
        if self.factor is not None and isinstance(self.places, Ring):
            self.loads = Loads(self.context.board, [server.slot for server in servers],
                               [server.weight for server in servers])
            self.find = partial(self.places.find_bounded, loads=self.loads, factor=self.factor)

    def scores(self) -> Sequence[float]:
        if self.factor is None:
            return ()
        return [count / server.weight for count, server in zip(self.loads.in_flight(), self.servers, strict=True)]


def points(weights: Sequence[int]) -> list[int]:
    """How many points each server gets: 160 per unit of weight, halved as often as it takes to keep the ring small.

    Halving, because the points that are left stay where they are, and because a scale that followed the weights
    exactly would move keys of all servers with every change of one.
    """
    total = sum(weights) * POINTS
    halvings = 0
    while total >> halvings > min(MEAN_POINTS * len(weights), RING_POINTS):
        halvings += 1
    return [max(weight * POINTS >> halvings, 1) for weight in weights]
