"""Threshold: servers are drawn until one has less than a limit in flight; it is taken without asking the others.

Eager, Lazowska and Zahorjan, "Adaptive Load Sharing in Homogeneous Distributed Systems" (IEEE Transactions on Software
Engineering, 1986): a few probes are nearly as good as knowing every load.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lbd.backend.algorithm import Algorithm, RequestFacts
from lbd.backend.server import Server
from lbd.balance.loads import PROBES, Loads
from lbd.schema import key
from lbd.schema import units as u

HIGHEST = 1_000_000.0
AUTO = 0.0       # stands for "auto"


def _limit(value: Any) -> float:
    if value == "auto":
        return AUTO
    if isinstance(value, str):
        raise ValueError("is not known")
    return float(u.number(0.001, HIGHEST).parse(value))


LIMIT = u.ValueKind("limit", f'"auto" or a number from 0.001 to {HIGHEST:.0f}', _limit,
                    {"anyOf": [{"const": "auto"}, {"type": "number", "minimum": 0.001, "maximum": HIGHEST}]}, ("auto",))


@dataclass(frozen=True, slots=True)
class ThresholdOptions:
    """Keys of `algorithm = { name = "threshold", … }`."""

    limit: float = key("auto", LIMIT, 'a server is taken below so many requests in flight per unit of weight; '
                                      '"auto" is 1.25 times the mean')
    probes: int = key(3, u.integer(1, PROBES), "servers drawn at most; then the least loaded of them is taken")
    order: str = key("drawn", u.choice("drawn", "listed"),
                     "drawn by weight; listed takes the first below the limit, in the order of the file, of all")


class Threshold(Algorithm):
    """`order = "listed"` packs the first servers as HAProxy's `first` does, with the limit in the place of maxconn."""

    Options = ThresholdOptions
    score_meaning = "in flight / weight, the first that is drawn below the limit wins"

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers = servers
        self.loads = Loads(self.context.board, [server.slot for server in servers],
                           [server.effective for server in servers], self.context.random.getrandbits(64))
        self.listed = self.options.order == "listed"
        self.limit = self.options.limit
        self.probes = self.options.probes

    def pick(self, request: RequestFacts) -> Server:
        if self.listed:
            return self.servers[self.loads.listed(self.limit)]
        return self.servers[self.loads.threshold(self.limit, self.probes)]

    def scores(self) -> Sequence[float]:
        return [count / server.effective for count, server in zip(self.loads.in_flight(), self.servers, strict=True)]
