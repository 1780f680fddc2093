"""Consistent hash: keys on a ring, on which every server has 160 points per unit of weight, as in ketama.

The ring is that of nginx's `hash … consistent`, keyed by server name. `balance_factor` bounds the load: Mirrokni,
Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads" (SODA 2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from lbd import schema
from lbd.backend.algorithm import Algorithm, Context, RequestFacts
from lbd.backend.server import Server
from lbd.balance.hash_keys import KEY, key_of
from lbd.balance.hashing import HashedServers
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


class ConsistentHash(Algorithm):
    """A ring of hashes: when a server comes or goes, only its own keys move. With a bound, requests beyond a server's
    share go to the next one on the ring."""

    Options = RingOptions
    hashes = True
    score_meaning = "in flight / weight, with balance_factor not above so many times the mean"

    def __init__(self, options: RingOptions, context: Context) -> None:
        super().__init__(options, context)
        self.key = key_of(options.key)
        self.servers = HashedServers(ring, context)

    @classmethod
    def needs_requests(cls, options: RingOptions) -> bool:
        return options.key != "source"

    def inherit(self, previous: "ConsistentHash") -> None:
        self.servers.inherit(previous.servers)

    def enroll(self, servers: Sequence[Server]) -> None:
        self.servers.enroll(servers)

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers.rebuild(servers)
        factor, table = self.options.balance_factor, self.servers.table
        if factor is not None and isinstance(table, Ring):
            self.loads = Loads(self.context.board, [server.slot for server in servers],
                               [server.weight for server in servers])
            self.servers.find = partial(table.find_bounded, loads=self.loads, factor=factor)

    def hash_key(self, request: RequestFacts) -> bytes:
        return self.key(request)

    def pick(self, request: RequestFacts) -> Server:
        return self.servers.server_of(self.key(request))

    def scores(self) -> Sequence[float]:
        if self.options.balance_factor is None:
            return ()
        return [count / server.weight
                for count, server in zip(self.loads.in_flight(), self.servers.usable, strict=True)]


def ring(hashes: list[int], weights: list[int]) -> Ring:
    """The ring of servers by the hashes of their names."""
    return Ring(hashes, points(weights))


def points(weights: Sequence[int]) -> list[int]:
    """The number of points of each server: 160 per unit of weight, halved as often as it takes to keep the ring small.

    Halving, because the points that are left stay where they are, and because a scale that followed the weights
    exactly would move keys of all servers with every change of one.
    """
    total = sum(weights) * POINTS
    halvings = 0
    while total >> halvings > min(MEAN_POINTS * len(weights), RING_POINTS):
        halvings += 1
    return [max(weight * POINTS >> halvings, 1) for weight in weights]
