"""The algorithms, one a file, by the names that the configuration uses; imports exchange and below.

A new algorithm is a file here, a line of `ALGORITHMS` and a test.
"""

from collections.abc import Mapping

from lbd import schema
from lbd.backend.algorithm import Algorithm, Context, Estimate
from lbd.balance.consistent_hash import ConsistentHash
from lbd.balance.first import First
from lbd.balance.least_connections import LeastConnections
from lbd.balance.least_time import LeastTime
from lbd.balance.maglev import Maglev
from lbd.balance.plugin import PluginAlgorithm
from lbd.balance.random import Random
from lbd.balance.random_two_choices import RandomTwoChoices
from lbd.balance.round_robin import RoundRobin
from lbd.balance.source_ip_hash import SourceIpHash
from lbd.balance.threshold import Threshold
from lbd.balance.url_hash import UrlHash
from lbd.balance.weighted_round_robin import WeightedRoundRobin
from lbd.errors import LbdError

ALGORITHMS: Mapping[str, type[Algorithm]] = {
    "round-robin": RoundRobin,
    "sticky-round-robin": RoundRobin,        # the name implies `sticky`, see BackendConfig.stickiness
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


def build(wanted: schema.AlgorithmConfig, context: Context) -> Algorithm:
    """The algorithm of a backend's configuration; raises `LbdError` with the reason when it cannot be had."""
    if ":" in wanted.name:
        return PluginAlgorithm(wanted.name, context)
    try:
        return ALGORITHMS[wanted.name](wanted.options, context)
    except KeyError:
        raise LbdError(f"this version does not know {wanted.name!r}") from None


def estimate_of(name: str) -> Estimate | None:
    """The function that computes an algorithm's scores in seconds; None where they are no seconds."""
    return ALGORITHMS[name].estimate if name in ALGORITHMS else None
