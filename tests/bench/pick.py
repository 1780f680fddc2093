"""Cost of choosing a server, by algorithm and number of servers: `python -m tests.bench.pick`."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from rich.console import Console
from rich.table import Table

from lbd.backend.algorithm import Algorithm, Context
from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint
from lbd.balance import ALGORITHMS
from lbd.schema.units import Address
from lbd.stats.scoreboard import PROCESS, SERVER, Board, Record

SIZES = (3, 100, 1000)
LANES = 4                # two workers: twice their number
REPEATS = 5              # the least of them counts: whatever disturbs only adds
BUDGET = 20_000_000      # nanoseconds, about, for one repeat


@dataclass(frozen=True, slots=True)
class Request:
    """The facts of a request; the client and the path differ from one to the next."""

    number: int
    method: bytes = b"GET"
    host: bytes = b"bench.example"

    @property
    def target(self) -> bytes:
        return b"/items/%d?page=2" % self.number

    @property
    def source(self) -> bytes:
        return b"192.0.2.%d" % (self.number % 256)

    def field(self, name: bytes) -> bytes:
        return b"%s-%d" % (name, self.number)


def loaded(board: Board, size: int) -> list[Server]:
    """Servers of differing weights with 0 to 7 requests in flight each."""
    random = Random(size)
    servers = []
    for slot in range(size):
        endpoint = Endpoint("bench", f"s{slot}", Address("127.0.0.1", 1024 + slot), slot, weight=random.randint(1, 4))
        servers.append(Server(endpoint, board.row(0, SERVER, slot)))
        for _ in range(random.randrange(8)):
            Record(board.row(0, PROCESS, 0)).took(servers[-1].row)
    return servers


def cost(algorithm: Algorithm, requests: Sequence[Request]) -> float:
    """Nanoseconds of one pick with its `took` and `dropped`, where the algorithm has them."""
    pick, took, dropped = algorithm.pick, algorithm.took, algorithm.dropped

    def once(number: int) -> int:
        begun = time.perf_counter_ns()
        for at in range(number):
            server = pick(requests[at & 255])
            if took is not None:
                took(server)
            if dropped is not None:
                dropped(server)
        return time.perf_counter_ns() - begun

    number = max(1, 256 * BUDGET // max(1, once(256)))
    return min(once(number) for _ in range(REPEATS)) / number


def built(kind: type[Algorithm], board: Board, servers: Sequence[Server]) -> Algorithm:
    """The algorithm with its default options."""
    algorithm = kind(kind.Options() if kind.Options else None, Context(board, 0, Random(1)))
    algorithm.rebuild(servers)
    return algorithm


def rows(names: Sequence[str]) -> list[tuple[str, list[float]]]:
    """(algorithm, nanoseconds for each of SIZES)."""
    requests = [Request(number) for number in range(256)]
    found: list[tuple[str, list[float]]] = [(name, []) for name in names]
    for size in SIZES:
        board = Board.create(LANES)
        servers = loaded(board, size)
        for name, costs in found:
            costs.append(cost(built(ALGORITHMS[name], board, servers), requests))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m tests.bench.pick", description=__doc__)
    parser.add_argument("algorithms", nargs="*", metavar="NAME", help=f"of {', '.join(ALGORITHMS)}; default: all")
    names = parser.parse_args(arguments).algorithms or list(ALGORITHMS)
    unknown = [name for name in names if name not in ALGORITHMS]
    if unknown:
        parser.error(f"no such algorithm: {', '.join(unknown)}; there are {', '.join(ALGORITHMS)}")
    table = Table("algorithm", *(f"{size} servers" for size in SIZES), title="ns per pick", title_justify="left")
    for name, costs in rows(names):
        table.add_row(name, *(f"{ns:,.0f}" for ns in costs))
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
