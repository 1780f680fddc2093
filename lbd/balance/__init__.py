"""The algorithms, one a file, by the names that the configuration uses."""

from collections.abc import Mapping

from lbd.backend.algorithm import Algorithm
from lbd.balance.least_connections import LeastConnections
from lbd.balance.round_robin import RoundRobin
from lbd.balance.sticky_round_robin import StickyRoundRobin
from lbd.balance.weighted_round_robin import WeightedRoundRobin

ALGORITHMS: Mapping[str, type[Algorithm]] = {
    "round-robin": RoundRobin,
    "sticky-round-robin": StickyRoundRobin,
    "weighted-round-robin": WeightedRoundRobin,
    "least-connections": LeastConnections,
}
