"""Tests of lbd.stats.scoreboard: the figures of an exchange, latency, and several processes."""

import math
import mmap
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import pytest

from lbd.stats import endings, fields, layout, scoreboard
from lbd.stats.least import Least
from lbd.stats.scoreboard import BACKEND, LISTENER, PROCESS, ROUTE, SERVER, Board, Record, Row

Lanes = Callable[[int], Any]


def histogram(board: Board) -> list[float]:
    return board.totals(BACKEND, 0)[fields.BACKEND_RESPONSE:fields.BACKEND_RESPONSE + len(fields.RESPONSE_BOUNDS) + 2]


def test_an_exchange_leaves_its_figures(board: Board, lane: Any) -> None:
    scoreboard.freeze(100.0)
    lane.record.begin(lane.route, lane.backend)
    assert lane.record.started == 100.0
    lane.record.took(lane.server(5))
    assert board.in_flight(5) == 1
    assert board.total(BACKEND, 0, fields.BACKEND_IN_FLIGHT) == 1
    scoreboard.freeze(100.25)
    lane.record.head(404)
    scoreboard.freeze(100.75)
    lane.record.finish(endings.OK, 10, 2000)
    assert board.in_flight(5) == 0
    server = dict(enumerate(board.totals(SERVER, 5)))
    found = {index: value for index, value in server.items() if value}
    assert found == {fields.SERVER_REQUESTS + 3: 1, fields.SERVER_BYTES_IN: 10, fields.SERVER_BYTES_OUT: 2000,
                     fields.SERVER_HEAD_SECONDS: 0.25, fields.SERVER_TOTAL_SECONDS: 0.75,
                     fields.SERVER_SUCCEEDED: 100.75}
    assert board.totals(ROUTE, 0) == [0, 0, 0, 1, 0, 0, 10, 2000]
    assert board.total(PROCESS, 0, fields.PROCESS_ENDINGS + endings.OK) == 1
    assert board.total(BACKEND, 0, fields.BACKEND_IN_FLIGHT) == 0
    place = fields.RESPONSE_BOUNDS.index(1.0)
    assert histogram(board)[place] == sum(histogram(board)[:-1]) == 1
    assert histogram(board)[-1] == 0.75


@pytest.mark.parametrize(("status", "place"), [(100, 0), (200, 1), (399, 2), (451, 3), (599, 4), (0, 5), (99, 5),
                                               (600, 4), (999, 4), (1000, 5), (-1, 5), (2**31 - 1, 5)])
def test_class_of_status(board: Board, lane: Any, status: int, place: int) -> None:
    lane.record.begin(lane.route, None)
    lane.record.status = status
    lane.record.finish(endings.ANSWERED, 0, 0)
    assert board.total(ROUTE, 0, fields.ROUTE_REQUESTS + place) == 1


@pytest.mark.parametrize("nowhere", ["none", "process"])
def test_what_lbd_answers_itself_counts_for_the_route_alone(board: Board, lane: Any, nowhere: str) -> None:
    lane.record.begin(lane.route, None if nowhere == "none" else lane.process)
    lane.record.took(lane.server(1))
    lane.record.status = 301
    lane.record.finish(endings.ANSWERED, 5, 6)
    assert board.totals(ROUTE, 0) == [0, 0, 1, 0, 0, 0, 5, 6]
    assert not any(board.totals(BACKEND, 0))
    assert not any(board.totals(SERVER, 1))
    assert [i for i, n in enumerate(board.totals(PROCESS, 0)) if n] == [fields.PROCESS_ENDINGS + endings.ANSWERED]


def test_lbds_answer_for_a_server_that_gave_none(board: Board, lane: Any) -> None:
    lane.take(1, 10.0)
    lane.record.status = 504
    lane.record.finish(endings.SERVER_TIMEOUT, 0, 0)
    assert board.total(ROUTE, 0, fields.ROUTE_REQUESTS + 4) == 1
    assert board.total(SERVER, 1, fields.SERVER_REQUESTS + 5) == 1
    assert sum(histogram(board)) == 0


def test_a_repeat_moves_the_request(board: Board, lane: Any) -> None:
    lane.take(1, 10.0)
    lane.record.dropped(True)
    assert board.in_flight(1) == 0
    lane.record.took(lane.server(2))
    lane.record.head(200)
    lane.record.finish(endings.OK, 0, 0)
    assert board.total(SERVER, 1, fields.SERVER_DROPPED) == 1
    assert board.total(SERVER, 1, fields.SERVER_FAILURES) == 1
    assert sum(board.totals(SERVER, 1)[fields.SERVER_REQUESTS:fields.SERVER_REQUESTS + 6]) == 0
    assert board.total(SERVER, 2, fields.SERVER_REQUESTS + 1) == 1
    assert board.total(ROUTE, 0, fields.ROUTE_REQUESTS + 1) == 1


def test_calls_out_of_order_do_no_harm(board: Board, lane: Any) -> None:
    record = lane.record
    record.finish(endings.OK, 1, 1)
    record.dropped(True)
    record.head(200)
    record.took(lane.server(1))
    assert not any(board.totals(ROUTE, 0) + board.totals(SERVER, 1) + board.totals(PROCESS, 0))
    record.begin(lane.route, lane.backend)
    record.dropped(True)
    record.took(lane.server(1))
    record.took(lane.server(2))
    assert [board.in_flight(slot) for slot in (1, 2)] == [0, 1]
    record.took(lane.server(2))
    assert board.in_flight(2) == 1
    record.head(200)
    record.head(500)
    record.finish(endings.OK, 0, 0)
    record.finish(endings.OK, 0, 0)
    record.dropped(False)
    assert [board.in_flight(slot) for slot in (1, 2)] == [0, 0]
    assert board.total(SERVER, 2, fields.SERVER_REQUESTS + 1) == 1
    assert board.total(PROCESS, 0, fields.PROCESS_ENDINGS + endings.OK) == 1


def test_a_begin_without_finish_ends_the_exchange_before(board: Board, lane: Any) -> None:
    lane.take(1, 10.0)
    lane.take(1, 11.0)
    assert board.in_flight(1) == 1
    assert board.total(PROCESS, 0, fields.PROCESS_ENDINGS + endings.INTERNAL_ERROR) == 1


@pytest.mark.parametrize("ending", [-1, len(endings.ENDINGS), 10**6])
def test_an_unknown_ending_is_an_internal_error(board: Board, lane: Any, ending: int) -> None:
    lane.record.begin(lane.route, None)
    lane.record.finish(ending, -5, -5)
    assert board.total(PROCESS, 0, fields.PROCESS_ENDINGS + endings.INTERNAL_ERROR) == 1
    assert board.total(ROUTE, 0, fields.ROUTE_BYTES_IN) == 0


def test_failures_count_until_a_success(board: Board, lane: Any) -> None:
    def failures() -> float:
        return board.total(SERVER, 1, fields.SERVER_FAILURES)

    lane.fail(1, 10.0, 1.0)
    lane.answer(1, 11.0, 0.1, 503)
    assert failures() == 2
    lane.take(1, 12.0)
    lane.record.finish(endings.CLIENT_CLOSED, 0, 0)       # says nothing of the server
    assert failures() == 2
    lane.answer(1, 13.0, 0.1, 500)                        # an answer of the application
    assert failures() == 0


def test_rows_of_the_wrong_kind_are_refused(lane: Any) -> None:
    server = lane.server(0)
    for wrong in (lambda: Record(server), lambda: lane.record.begin(server, lane.backend),
                  lambda: lane.record.begin(lane.route, server), lambda: Record(Row())):
        with pytest.raises(ValueError, match="a row of the kind"):
            wrong()
    with pytest.raises(ValueError, match="a row of the kind server"):
        lane.record.took(lane.route)


def test_rows_add_set_and_get(board: Board) -> None:
    for kind in (SERVER, ROUTE, BACKEND, LISTENER, PROCESS):
        rows = [board.row(lane, kind, 0) for lane in (0, 2)]
        for field in range(len(fields.KINDS[kind].fields)):
            rows[0].set(field, field + 1)
            rows[1].add(field, 0.5)
            rows[1].add(field, 0.5)
            assert rows[0].get(field) == field + 1
            assert board.each(kind, 0, field) == [field + 1, 0, 1]
            assert board.total(kind, 0, field) == field + 2
        assert board.totals(kind, 0) == [field + 2 for field in range(len(fields.KINDS[kind].fields))]


def test_what_is_out_of_range_is_refused(board: Board) -> None:
    row = board.row(0, LISTENER, 511)
    for wrong in (lambda: board.row(4, SERVER, 0), lambda: board.row(-1, SERVER, 0), lambda: board.row(0, 5, 0),
                  lambda: board.row(0, SERVER, 16384), lambda: board.row(0, LISTENER, -1), lambda: row.add(99, 1),
                  lambda: row.get(-1), lambda: board.total(SERVER, 0, 99), lambda: board.totals(9, 0),
                  lambda: board.latency(-1), lambda: board.in_flight(10**6), lambda: board.clear(SERVER, -1),
                  lambda: board.clear_gauges(4), lambda: Row().get(0)):
        with pytest.raises(IndexError):
            wrong()
    with pytest.raises(ValueError, match="lanes"):
        Board.create(0)
    for bounds in ((), range(33)):
        with pytest.raises(ValueError, match="bounds"):
            Board.create(1, bounds)
    with pytest.raises(ValueError, match="decay"):
        board.row(0, BACKEND, 0).measure(0.0, False)


def test_servers_have_a_histogram_once_any_process_wants_it(board: Board, lane: Any) -> None:
    lane.answer(3, 100.0, 0.5)
    Board.attach(board.fd).per_server = True
    lane.answer(3, 101.0, 0.5)
    lane.fail(3, 102.0, 0.5)
    counts = board.totals(SERVER, 3)[fields.SERVER_RESPONSE:]
    assert counts[fields.RESPONSE_BOUNDS.index(0.5)] == 1
    assert sum(counts[:len(fields.RESPONSE_BOUNDS) + 1]) == 1
    assert counts[len(fields.RESPONSE_BOUNDS) + 1] == 0.5


def test_bounds_are_the_same_for_all_who_share_the_board() -> None:
    board = Board.create(2, [0.1, 0.3])
    assert Board.attach(board.fd).bounds == (0.1, 0.3)


def test_only_what_is_used_costs_memory() -> None:
    board = Board.create(200)
    for lane in range(3):
        for kind in range(5):
            board.row(lane, kind, 0).add(0, 1)
    assert [board.latency(slot) for slot in range(100)] == [-1.0] * 100
    assert os.fstat(board.fd).st_size > 500 << 20
    assert os.fstat(board.fd).st_blocks * 512 < 256 << 10


def test_clearing_a_slot_zeroes_all_lanes_and_no_neighbour(board: Board, lane_of: Lanes) -> None:
    for number in range(3):
        lane = lane_of(number)
        lane.answer(7, 10.0, 0.1)
        lane.answer(8, 10.0, 0.1)
        lane.server(7).set(0, 5)
    board.clear(SERVER, 7)
    assert not any(board.totals(SERVER, 7))
    assert board.latency(7) == -1.0
    assert board.total(SERVER, 8, fields.SERVER_REQUESTS + 1) == 3
    assert board.latency(8) == pytest.approx(0.1)


def test_what_is_no_board_or_of_another_layout_is_refused(board: Board) -> None:
    with tempfile.TemporaryFile() as file:
        for size in (0, 100, 1 << 20):
            file.truncate(size)
            with pytest.raises(ValueError, match="is no scoreboard"):
                Board.attach(file.fileno())
    with mmap.mmap(board.fd, 4096) as header:
        header[8] ^= 1
    with pytest.raises(ValueError, match="another version"):
        Board.attach(board.fd)


def test_nobody_can_shrink_a_board_under_its_readers(board: Board) -> None:
    with pytest.raises(PermissionError):
        os.ftruncate(board.fd, 4096)


def decayed(samples: list[tuple[float, float]], decay: float) -> float:
    """The mean by its definition: a sample weighs exp(-age / decay)."""
    latest = max(at for at, _ in samples)
    weights = [math.exp((at - latest) / decay) for at, _ in samples]
    return sum(w * value for w, (_, value) in zip(weights, samples, strict=True)) / sum(weights)


@pytest.mark.parametrize("decay", [0.5, 10.0, 3600.0])
def test_latency_is_the_decayed_mean_over_all_lanes(board: Board, decay: float, lane_of: Lanes) -> None:
    dice = random.Random(7)
    lanes = [lane_of(number) for number in range(3)]
    for lane in lanes:
        lane.backend.measure(decay, False)
    samples: list[tuple[float, float]] = []
    at = 1000.0
    for step in range(600):
        at += dice.expovariate(1.0) if step % 100 else decay * 40       # past a landmark now and then
        seconds = dice.lognormvariate(-3, 1)
        dice.choice(lanes).answer(3, at, seconds)
        samples.append((at, seconds))
        assert board.latency(3) == pytest.approx(decayed(samples, decay), rel=1e-6)
    assert board.mean(0) == pytest.approx(decayed(samples, decay), rel=1e-6)


def test_no_sample_no_latency(board: Board, lane: Any) -> None:
    assert board.latency(1) == board.mean(0) == -1.0
    lane.take(1, 10.0)
    lane.record.finish(endings.CLIENT_CLOSED, 0, 0)
    assert board.latency(1) == -1.0


def test_a_latency_can_be_learnt(board: Board, lane: Any) -> None:
    scoreboard.freeze(10.0)
    board.row(0, SERVER, 1).learn(0.5)
    board.row(0, ROUTE, 1).learn(0.5)   # has none
    assert board.latency(1) == pytest.approx(0.5)
    lane.answer(1, 10.0, 0.1)
    assert 0.1 < board.latency(1) < 0.5


def test_latency_of_long_ago_stays_until_there_is_a_new_one(board: Board, lane: Any, lane_of: Lanes) -> None:
    lane.answer(1, 10.0, 0.5)
    scoreboard.freeze(1e9)
    assert board.latency(1) == pytest.approx(0.5)
    lane_of(1).answer(1, 1e9, 0.25)
    assert board.latency(1) == pytest.approx(0.25)


def test_changing_the_decay_keeps_what_samples_weigh_now(board: Board, lane: Any, lane_of: Lanes) -> None:
    other = lane_of(1)
    other.backend.measure(1.0, False)
    lane.answer(1, 100.0, 0.1)
    other.answer(1, 100.0, 0.3)                   # lanes that do not agree yet
    assert board.latency(1) == pytest.approx(0.2)
    lane.backend.measure(1.0, False)
    lane.answer(1, 100.0, 0.5)
    assert board.latency(1) == pytest.approx(0.3)


def test_to_the_last_byte(board: Board, lane: Any) -> None:
    lane.backend.measure(10.0, True)
    lane.take(1, 10.0)
    scoreboard.freeze(10.5)
    lane.record.head(200)
    assert board.latency(1) == -1.0
    scoreboard.freeze(12.0)
    lane.record.finish(endings.OK, 0, 0)
    assert board.latency(1) == pytest.approx(2.0)


def test_a_failure_is_a_slow_sample_of_its_server_alone(board: Board, lane: Any) -> None:
    lane.answer(1, 100.0, 0.1)
    lane.fail(2, 100.0, 0.01)
    assert board.latency(2) == pytest.approx(0.3)             # three times the mean
    lane.fail(3, 100.0, 5.0)
    assert board.latency(3) == pytest.approx(5.0)             # it took longer than that
    lane.answer(4, 100.0, 0.001, 503)
    assert board.latency(4) == pytest.approx(0.3)             # failing fast must not look good
    lane.take(5, 100.0)
    lane.record.dropped(True)
    assert board.latency(5) == pytest.approx(0.3)
    lane.take(6, 100.0)
    lane.record.dropped(False)
    assert board.latency(6) == -1.0
    assert board.mean(0) == pytest.approx(0.1)


CHILD = """
import os, signal, sys
from lbd.stats import endings, scoreboard
from lbd.stats.least import Least
from lbd.stats.scoreboard import BACKEND, PROCESS, ROUTE, SERVER, Board, Record
board, lane = Board.attach(int(sys.argv[1])), int(sys.argv[2])
route, backend, server = board.row(lane, ROUTE, 0), board.row(lane, BACKEND, 0), board.row(lane, SERVER, 3)
records = [Record(board.row(lane, PROCESS, 0)) for _ in range(1000)]
for record in records:
    record.begin(route, backend)
    record.took(server)
for record in records[2:]:
    record.head(200)
    record.finish(endings.OK, 1, 2)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_keeps_its_counters_and_loses_its_gauges(board: Board, lane: Any) -> None:
    lane.take(3, scoreboard.now())
    scoreboard.freeze(None)
    commands = [[sys.executable, "-c", CHILD, str(board.fd), str(number)] for number in (1, 3)]
    children = [subprocess.Popen(command, pass_fds=[board.fd]) for command in commands]
    assert [child.wait(60) for child in children] == [-9, -9]
    assert board.each(SERVER, 3, fields.SERVER_IN_FLIGHT) == [1, 2, 0, 2]
    board.clear_gauges(1)
    board.clear_gauges(3)
    assert board.in_flight(3) == 1
    assert board.total(BACKEND, 0, fields.BACKEND_IN_FLIGHT) == 1
    assert board.total(SERVER, 3, fields.SERVER_REQUESTS + 1) == 2 * 998
    assert board.total(ROUTE, 0, fields.ROUTE_BYTES_OUT) == 2 * 998 * 2
    assert board.latency(3) > 0
    assert [Least(board, [3, 4], [1, 1]).pick() for _ in range(3)] == [1, 1, 1]


def test_a_reader_does_not_wait_for_a_writer_that_was_killed_in_the_middle(board: Board, lane: Any) -> None:
    lane.answer(3, 10.0, 0.5)
    plan = layout.arrange()
    where = 4096 + plan.sections[SERVER].latencies + 3 * layout.LATENCY
    with mmap.mmap(board.fd, 0) as memory:
        memory[where] |= 1                                    # the sequence number is odd: somebody is writing
        assert board.latency(3) == pytest.approx(0.5)
        lane.answer(3, 10.0, 0.1)                             # a new owner of the lane
        assert memory[where] & 1 == 0
        assert board.latency(3) == pytest.approx(0.3)
        memory[where] |= 1
        board.clear_gauges(0)
        assert memory[where] & 1 == 0
        assert board.latency(3) == pytest.approx(0.3)


def test_lanes_never_used_are_not_read(board: Board, lane_of: Lanes) -> None:
    lane_of(2).answer(0, 10.0, 0.5)
    assert len(board.each(SERVER, 0, 0)) == 3
    board.clear_gauges(3)
    assert len(board.each(SERVER, 0, 0)) == 3


def test_a_header_that_a_process_spoilt_leads_nobody_astray(board: Board) -> None:
    with mmap.mmap(board.fd, layout.PAGE) as header:
        for place in range(3, 11):      # all after magic, layout and lanes (struct Header)
            header[8 * place:8 * place + 8] = (2**50).to_bytes(8, "little")
    assert len(board.each(SERVER, 0, 0)) == board.lanes
    assert (board.total(SERVER, 0, 0), board.in_flight(0), board.latency(0)) == (0, 0, -1)
    assert len(board.bounds) <= fields.MOST_BOUNDS
    board.clear(SERVER, 0)
    board.clear_gauges(0)
