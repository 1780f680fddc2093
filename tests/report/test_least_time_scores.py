"""Scores for the metrics: of servers that may be chosen by least-time, from the scoreboard alone."""

from collections.abc import Iterator

import pytest

from lbd.backend.snapshot import Endpoint, Generation
from lbd.balance.least_time import TimeOptions
from lbd.report.least_time_scores import scores
from lbd.schema import AlgorithmConfig, BackendConfig, Config
from lbd.schema.units import Address
from lbd.stats import endings, scoreboard
from lbd.stats.scoreboard import BACKEND, PROCESS, ROUTE, SERVER, Board, Record


@pytest.fixture(autouse=True)
def _running_clock() -> Iterator[None]:
    yield
    scoreboard.freeze(None)


def endpoint(backend: str, slot: int, **more: object) -> Endpoint:
    return Endpoint(backend, f"s{slot}", Address("127.0.0.1", 9001 + slot), slot, **more)  # type: ignore[arg-type]


def answer(board: Board, lane: int, slot: int, seconds: float) -> None:
    record = Record(board.row(lane, PROCESS, 0))
    scoreboard.freeze(1000.0 - seconds)
    record.begin(board.row(lane, ROUTE, 0), board.row(lane, BACKEND, 0))
    record.took(board.row(lane, SERVER, slot))
    scoreboard.freeze(1000.0)
    record.head(200)
    record.finish(endings.OK, 0, 0)


def test_scores_of_servers_that_may_be_chosen() -> None:
    board = Board.create(2)
    app = BackendConfig(algorithm=AlgorithmConfig("least-time", TimeOptions()))
    config = Config(backends={"app": app, "other": BackendConfig()})
    endpoints = {"app": (endpoint("app", 0), endpoint("app", 1, weight=2), endpoint("app", 2, health="down"),
                       endpoint("app", 3, backup=True), endpoint("app", 4, weight=0)),
               "other": (endpoint("other", 5),)}
    generation = Generation(1, config, endpoints, {"app": 0, "other": 1}, {}, {})
    answer(board, 0, 0, 0.010)
    answer(board, 1, 1, 0.080)
    board.row(1, SERVER, 1).add(0, 1)
    assert scores(board, generation, endpoints) == pytest.approx({0: 0.010, 1: 0.080 * 2 / 2})
    gone = {"app": endpoints["app"][2:]}
    assert scores(board, generation, gone) == pytest.approx({3: 0.045})
