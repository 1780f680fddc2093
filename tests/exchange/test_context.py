"""The surroundings of exchanges: counts, and blame where somebody keeps it."""

from types import SimpleNamespace
from typing import Any

from lbd.exchange.context import Refusal, WorkerContext
from lbd.exchange.streams import Peer, Requester
from lbd.stats import endings, fields, scoreboard
from lbd.stats.scoreboard import Board


def made(board: Board, lane: int = 0) -> WorkerContext:
    nothing: Any = None
    return WorkerContext(nothing, board, lane, lambda: 7.0, nothing)


def test_the_clock_is_read_at_once() -> None:
    assert made(Board.create(1)).now == 7.0


def test_an_ending_without_a_request_is_counted_in_its_lane() -> None:
    board = Board.create(2)
    contexts = [made(board, lane) for lane in range(2)]
    for context in (*contexts, contexts[1]):
        context.count(endings.DENIED)
    found = [board.row(lane, scoreboard.PROCESS, 0).get(fields.PROCESS_ENDINGS + endings.DENIED) for lane in range(2)]
    assert found == [1, 2]


def test_requests_of_all_workers_are_in_flight() -> None:
    board = Board.create(2)
    for lane in range(2):
        board.row(lane, scoreboard.PROCESS, 0)
        board.row(lane, scoreboard.BACKEND, 3).add(fields.BACKEND_IN_FLIGHT, 2)
    backend: Any = SimpleNamespace(row=board.row(0, scoreboard.BACKEND, 3))
    assert made(board).in_flight(backend) == 4


def test_blame_goes_to_the_log_while_there_is_one() -> None:
    context = made(Board.create(1))
    nothing: Any = None
    exchange = Requester(Peer(nothing), nothing)
    context.blame(exchange, endings.BAD_RESPONSE, "nobody hears")
    told: list[Any] = []
    log: Any = SimpleNamespace(blame=lambda *said: told.append(said))
    context.access = log
    context.blame(exchange, endings.BAD_RESPONSE, "bad")
    assert told == [(exchange, endings.BAD_RESPONSE, "bad")]


def test_a_refusal_needs_no_reason() -> None:
    assert Refusal(b"", -1, 0.0, 1, 2).reason is None
