"""The workload: the requests of a run, the same for every algorithm, with their times, clients and URLs.

Clients and URLs are drawn by Zipf's law; its exponent is from Breslau, Cao, Fan, Phillips and Shenker, "Web Caching
and Zipf-like Distributions" (INFOCOM 1999), who found 0.64 to 0.83 in the logs of proxies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

ZIPF = 0.7
SCATTER = 2_654_435_761     # odd, so that every client gets an address of its own, far from its neighbours'
FIRST = 1000.0              # seconds on the clock when a run begins: a clock near 0 would mean "never" to some
IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"))


class SimulatedRequest:
    """A request: the facts that algorithms use, its time, and its work (1.0: the mean).

    `at` are seconds from the beginning; `worker` is the process that the kernel gives it to. Each header
    field and cookie that identifies a client has the client's number as its value.
    """

    __slots__ = ("at", "client", "effort", "keys", "method", "number", "source", "target", "worker")

    host = b"simulated.example"

    def __init__(self, number: int, at: float, effort: float, worker: int, client: int, source: bytes, target: bytes,
                 method: bytes, keys: bytes) -> None:
        self.number = number
        self.at = at
        self.effort = effort
        self.worker = worker
        self.client = client
        self.source = source
        self.target = target
        self.method = method
        self.keys = keys

    @property
    def idempotent(self) -> bool:
        """Whether it may be retried after a server that may have seen it (RFC 9110 9.2.2)."""
        return self.method in IDEMPOTENT

    def field(self, name: bytes) -> bytes:
        """The client's number; of `cookie`, under every name that is a key."""
        return b"; ".join(b"%b=%d" % (key, self.client) for key in self.keys.split()) if name == b"cookie" \
            else b"%d" % self.client


@dataclass(frozen=True, slots=True)
class WorkloadShape:
    """The parameters of a synthetic workload.

    `rate`: requests per second, Poisson; 0.0 with `concurrency`, the number of clients that each send their next
    request when the last one is answered. `tail`: sigma of the lognormal work (0: all requests are equal). `writes`:
    share of requests that must not be repeated. `keys`: names of cookies and query parameters that algorithms look at.
    """

    requests: int
    rate: float
    concurrency: int
    tail: float
    clients: int
    writes: float
    workers: int
    seed: int
    keys: tuple[str, ...] = ()


def synthetic(shape: WorkloadShape) -> list[SimulatedRequest]:
    """Random requests; the same shape gives the same ones."""
    dice = Random(shape.seed)
    count = shape.requests
    clients, urls = (popular(dice, shape.clients, count) for _ in range(2))
    at = 0.0
    requests = []
    for number in range(count):
        if shape.rate:
            at += dice.expovariate(shape.rate)
        effort = dice.lognormvariate(-shape.tail * shape.tail / 2, shape.tail) if shape.tail else 1.0
        method = b"POST" if dice.random() < shape.writes else b"GET"
        requests.append(make_request(number, at, effort, dice.randrange(shape.workers), clients[number],
                                     source(clients[number]), b"/items/%d" % urls[number], method, shape.keys))
    return requests


def make_request(number: int, at: float, effort: float, worker: int, client: int, source: bytes, target: bytes,
                 method: bytes, keys: Sequence[str]) -> SimulatedRequest:
    """A request; `keys` are also parameters of its query."""
    names = [key.encode() for key in keys]
    if names and b"?" not in target:
        target += b"?" + b"&".join(b"%b=%d" % (name, client) for name in names)
    return SimulatedRequest(number, at, effort, worker, client, source, target, method, b" ".join(names))


def popular(dice: Random, population: int, count: int) -> list[int]:
    """`count` draws from 0 to `population` - 1, the first ones most often."""
    return dice.choices(range(population), cum_weights=list(accumulate(rank ** -ZIPF
                        for rank in range(1, population + 1))), k=count)


def source(client: int) -> bytes:
    """The address of a client."""
    number = (client + 1) * SCATTER & 0xFFFFFFFF
    return b"%d.%d.%d.%d" % (number >> 24, number >> 16 & 255, number >> 8 & 255, number & 255)
