"""The bound over all lanes, with real processes that race for its places."""

import multiprocessing
import os

import pytest

from lbd.stats import fields
from lbd.stats.bound import reserve, total
from lbd.stats.scoreboard import SERVER, Board

FIELD = fields.SERVER_CONNECTIONS
SPAWN = multiprocessing.get_context("fork")


def rows(board, count):
    return [board.row(lane, SERVER, 3) for lane in range(count)]


def test_up_to_the_bound_and_no_further():
    one, other = rows(Board.create(2), 2)
    assert [reserve(row, FIELD, 3) for row in (one, other, one, other, one)] == [True, True, True, False, False]
    assert (one.get(FIELD), other.get(FIELD)) == (2, 1)
    other.add(FIELD, -1)
    assert reserve(one, FIELD, 3)
    assert not reserve(other, FIELD, 3)


def test_a_bound_that_was_lowered_grants_nothing_until_there_is_room():
    (row,) = rows(Board.create(1), 1)
    assert all(reserve(row, FIELD, 5) for _ in range(5))
    assert not reserve(row, FIELD, 2)
    for _ in range(4):
        row.add(FIELD, -1)
    assert reserve(row, FIELD, 2)
    assert not reserve(row, FIELD, 2)


def test_the_total_is_over_all_lanes():
    one, other = rows(Board.create(2), 2)
    one.add(FIELD, 2)
    other.add(FIELD, 3)
    assert total(one, FIELD) == total(other, FIELD) == 5


@pytest.mark.parametrize("field", [-1, 1000])
def test_a_field_that_is_none(field):
    with pytest.raises(IndexError):
        total(Board.create(1).row(0, SERVER, 0), field)
    with pytest.raises(IndexError):
        reserve(Board.create(1).row(0, SERVER, 0), field, 1)


def race(fd, lane, bound, times, barrier, truth, most):
    """Take and give back until it was granted so often, which is counted under a lock that the bound does not have."""
    row = Board.attach(fd).row(lane, SERVER, 3)
    barrier.wait()
    got = 0
    while got < times:
        if not reserve(row, FIELD, bound):
            os.sched_yield()
        else:
            got += 1
            with truth.get_lock():
                truth.value += 1
                most.value = max(most.value, truth.value)
            with truth.get_lock():
                truth.value -= 1
            row.add(FIELD, -1)


@pytest.mark.parametrize(("processes", "bound"), [(2, 1), (4, 3), (6, 2)])
def test_processes_that_race_never_exceed_it_and_all_get_their_share(processes, bound):
    board = Board.create(processes)
    truth, most = SPAWN.Value("i", 0), SPAWN.Value("i", 0)
    barrier = SPAWN.Barrier(processes)
    racing = [SPAWN.Process(target=race, args=(board.fd, lane, bound, 1000, barrier, truth, most))
              for lane in range(processes)]
    for process in racing:
        process.start()
    for process in racing:
        process.join(60)
        assert process.exitcode == 0
    assert 1 <= most.value <= bound
    assert board.total(SERVER, 3, FIELD) == 0


def meet(fd, lane, rounds, barrier, got):
    row = Board.attach(fd).row(lane, SERVER, 3)
    for turn in range(rounds):
        barrier.wait()
        held = reserve(row, FIELD, 1)
        got[turn * 2 + lane] = held
        barrier.wait()
        if held:
            row.add(FIELD, -1)


def test_of_two_that_reach_for_one_place_exactly_one_gets_it():
    rounds = 300
    board = Board.create(2)
    barrier = SPAWN.Barrier(2)
    got = SPAWN.Array("b", 2 * rounds)
    racing = [SPAWN.Process(target=meet, args=(board.fd, lane, rounds, barrier, got)) for lane in range(2)]
    for process in racing:
        process.start()
    for process in racing:
        process.join(60)
        assert process.exitcode == 0
    assert [got[turn * 2] + got[turn * 2 + 1] for turn in range(rounds)] == [1] * rounds
