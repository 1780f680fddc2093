"""The algorithms, one a file, by the names that the configuration uses; imports backend and below."""

from collections.abc import Mapping

from lbd import schema
from lbd.backend.algorithm import Algorithm, Context
from lbd.balance.consistent_hash import ConsistentHash
from lbd.balance.first import First
from lbd.balance.least_connections import LeastConnections
from lbd.balance.least_time import LeastTime
from lbd.balance.maglev import Maglev
from lbd.balance.plugin import Own
from lbd.balance.random import Random
from lbd.balance.random_two_choices import RandomTwoChoices
from lbd.balance.round_robin import RoundRobin
from lbd.balance.source_ip_hash import SourceIpHash
from lbd.balance.sticky_round_robin import StickyRoundRobin
from lbd.balance.threshold import Threshold
from lbd.balance.url_hash import UrlHash
from lbd.balance.weighted_round_robin import WeightedRoundRobin
from lbd.errors import LbdError

ALGORITHMS: Mapping[str, type[Algorithm]] = {
    "round-robin": RoundRobin,
    "sticky-round-robin": StickyRoundRobin,
    "weighted-round-robin": WeightedRoundRobin,
    "least-connections": LeastConnections,
    "least-time": LeastTime,
    "url-hash": UrlHash,
    "source-ip-hash": SourceIpHash,
    "consistent-hash": ConsistentHash,
    "threshold": Threshold,
    "random-two-choices": RandomTwoChoices,
    "random": Random,
    "first": First,
    "maglev": Maglev,
}

# What the reader of the configuration needs: each algorithm's own keys. ":" stands for "package.module:Class".
OPTIONS: Mapping[str, type | None] = {**{name: kind.Options for name, kind in ALGORITHMS.items()}, ":": None}


def build(wanted: schema.AlgorithmConfig, context: Context) -> Algorithm:
    """The algorithm that a backend wants; raises `LbdError` with the reason when it cannot be had."""
    if ":" in wanted.name:
        return Own(wanted.name, context)
    try:
        return ALGORITHMS[wanted.name](wanted.options, context)
    except KeyError:
        raise LbdError(f"this version does not know {wanted.name!r}") from None
