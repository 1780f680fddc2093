"""The scenario of a simulated run: the load and the faults that are the same for every algorithm, and the workers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from lbd import schema
from lbd.backend.algorithm import Context
from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.balance import build
from lbd.simulation.fault import Fault
from lbd.simulation.fleet import SimulatedFleet
from lbd.simulation.workload import SimulatedRequest
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board, Record, Row


@dataclass(frozen=True, slots=True)
class Scenario:
    """`concurrency` is the number of clients of a closed loop, 0 for an open one."""

    fleet: SimulatedFleet
    workload: Sequence[SimulatedRequest]
    workers: int
    concurrency: int
    faults: Sequence[Fault]
    seed: int


class SimulatedWorker:
    """A worker process: its backend, and its lane of the scoreboard."""

    def __init__(self, board: Board, lane: int, scenario: Scenario, settings: schema.BackendConfig) -> None:
        fleet = scenario.fleet
        self.process = board.row(lane, scoreboard.PROCESS, 0)
        self.route = board.row(lane, scoreboard.ROUTE, 0)
        self.row = board.row(lane, scoreboard.BACKEND, 0)
        self.rows: Callable[[int], Row] = partial(board.row, lane, scoreboard.SERVER)
        self.backend = Backend(fleet.name, self.row)
        dice = Random(scenario.seed * 1000 + lane)
        algorithm = build(settings.algorithm, Context(board, lane, dice, self.row, fleet.name))
        self.backend.install(settings, fleet.endpoints, self.rows, algorithm)
        self.servers = {server.name: server for server in self.backend.servers.values()}
        self.spare: list[Flight] = []


class Flight:
    """A request in flight. The object is reused for another request when this one has ended."""

    __slots__ = ("record", "request", "server", "started", "tried", "worker")

    request: SimulatedRequest
    server: Server

    def __init__(self, worker: SimulatedWorker) -> None:
        self.worker = worker
        self.record = Record(worker.process)
        self.started = 0.0
        self.tried: list[Server] = []

    @property
    def usable(self) -> Sequence[Server]:
        """The servers that its worker may use now."""
        pool = self.worker.backend.pool
        return pool.usable if pool is not None else ()
