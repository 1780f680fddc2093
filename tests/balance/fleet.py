"""Servers on a scoreboard of their own, and requests, for the tests of algorithms."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from lbd.backend.algorithm import Algorithm, Context
from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint
from lbd.schema.units import Address
from lbd.stats import endings, scoreboard
from lbd.stats.scoreboard import BACKEND, PROCESS, ROUTE, SERVER, Board, Record, Row


@dataclass(frozen=True)
class Request:
    """The facts of a request."""

    target: bytes = b"/"
    source: bytes = b"192.0.2.1"
    fields: Mapping[bytes, bytes] = field(default_factory=dict)
    method: bytes = b"GET"
    host: bytes = b"example.com"

    def field(self, name: bytes) -> bytes:
        return self.fields.get(name, b"")


class Fleet:
    """Servers s0, s1 … of the given weights, of one backend."""

    def __init__(self, weights: Iterable[int], lanes: int = 4) -> None:
        self.board = Board.create(lanes)
        self.servers = [Server(Endpoint("app", f"s{slot}", Address("192.0.2.1", 1 + slot), slot, weight),
                               self.board.row(0, SERVER, slot)) for slot, weight in enumerate(weights)]

    def context(self, worker: int = 0, seed: int = 1) -> Context:
        return Context(self.board, worker, Random(seed), self.board.row(worker, BACKEND, 0), "app")

    def make(self, kind: type[Algorithm], worker: int = 0, seed: int = 1, **options: Any) -> Algorithm:
        """The algorithm with all servers usable."""
        algorithm = kind(kind.Options(**options) if kind.Options else None, self.context(worker, seed))
        algorithm.enroll(self.servers)
        algorithm.rebuild(self.servers)
        return algorithm

    def row(self, slot: int, lane: int = 0) -> Row:
        return self.board.row(lane, SERVER, slot)

    def load(self, slot: int, count: int, lane: int = 0) -> None:
        """So many requests more are in flight from a worker."""
        self.row(slot, lane).add(0, count)

    def loads(self) -> list[int]:
        """In flight at each server."""
        return [self.board.in_flight(server.slot) for server in self.servers]

    def answer(self, slot: int, at: float, seconds: float, lane: int = 0) -> None:
        """The server answered at that time, after so many seconds; the clock stays there."""
        record = Record(self.board.row(lane, PROCESS, 0))
        scoreboard.freeze(at - seconds)
        record.begin(self.board.row(lane, ROUTE, 0), self.board.row(lane, BACKEND, 0))
        record.took(self.row(slot, lane))
        scoreboard.freeze(at)
        record.head(200)
        record.finish(endings.OK, 0, 0)


def picks(algorithm: Algorithm, requests: Sequence[Request] | int) -> list[str]:
    """Names of the servers chosen for the requests, or for so many equal ones."""
    if isinstance(requests, int):
        requests = [Request()] * requests
    return [algorithm.pick(request).name for request in requests]


def shares(algorithm: Algorithm, requests: Sequence[Request] | int) -> dict[str, float]:
    """The share of the requests that each server got."""
    found = picks(algorithm, requests)
    return {name: count / len(found) for name, count in Counter(found).items()}


def urls(count: int) -> list[Request]:
    """Requests for different URLs from different clients."""
    return [Request(b"/items/%d?page=%d" % (number, number % 7), b"10.%d.%d.%d" % (
        number >> 16, number >> 8 & 255, number & 255)) for number in range(count)]


def spread(share: float, count: int) -> float:
    """Five standard deviations of a share found from `count` draws: one test in a million fails by chance."""
    return 5 * (share * (1 - share) / count) ** 0.5
