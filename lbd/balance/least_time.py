"""Least time: the server with the least latency * (requests in flight + 1) / weight, counted over all workers.

The score is that of nginx's `least_time`; the latency is a mean that fades with time, as in Finagle's and Envoy's peak
EWMA, and unlike theirs it is measured by all workers together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lbd.backend.algorithm import Algorithm, Context, RequestFacts
from lbd.backend.server import Server
from lbd.balance.fastest import Fastest
from lbd.schema import key
from lbd.schema import units as u
from lbd.stats.scoreboard import Board


@dataclass(frozen=True, slots=True)
class TimeOptions:
    """Keys of `algorithm = { name = "least-time", … }`."""

    measure: str = key("header", u.choice("header", "last-byte"), "latency is the time to the response's head, or to "
                                                                  "its last byte")
    decay: float = key("10s", u.duration(0.1, 3600.0), "how fast samples fade: after this time to 37 %")


class LeastTime(Algorithm):
    """A server without a sample has the mean of its backend; one without a new sample for `decay` comes nearer to the
    fastest, half-way per `decay`, and so gets another try."""

    Options = TimeOptions
    score_meaning = "seconds of latency * (in flight + 1) / weight, the least wins"

    def __init__(self, options: TimeOptions, context: Context) -> None:
        super().__init__(options, context)
        self.decay = options.decay
        self.last_byte = options.measure == "last-byte"

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers = servers
        row = self.context.row
        self.all = Fastest(self.context.board, None if row is None else row.slot,
                           [server.slot for server in servers], [server.effective for server in servers],
                           self.decay)
        self.fastest = self.all.pick

    def pick(self, request: RequestFacts) -> Server:
        return self.servers[self.fastest()]

    @staticmethod
    def estimate(board: Board, backend: int, slots: Sequence[int], weights: Sequence[float], options: TimeOptions, /
                 ) -> Sequence[float]:
        """The scores as the workers compute them, from the scoreboard alone."""
        return Fastest(board, backend, slots, weights, options.decay).scores()

    def scores(self) -> Sequence[float]:
        return self.all.scores()
