"""The queue of a backend, as two workers see it over one scoreboard."""

import pytest

from lbd.backend.queue import NEAR, Queue
from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint
from lbd.schema.units import Address
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import BACKEND, SERVER, Board


@pytest.fixture
def board():
    scoreboard.freeze(100.0)
    yield Board.create(2)
    scoreboard.freeze(None)


@pytest.fixture
def queues(board):
    return [Queue(board, lane, board.row(lane, BACKEND, 0)) for lane in range(2)]


def at(seconds):
    scoreboard.freeze(100.0 + seconds)


def test_in_order_and_as_many_as_may_wait_in_all_workers_together(queues, board):
    one, other = queues
    assert [one.add("a", 3), other.add("b", 3), one.add("c", 3), other.add("d", 3)] == [True, True, True, False]
    assert (len(one), len(other), list(one), one.first()) == (2, 1, ["a", "c"], "a")
    assert board.total(BACKEND, 0, fields.BACKEND_QUEUE) == 3
    one.remove("a")
    one.remove("a")
    assert one.first() == "c"
    assert "c" in one
    assert "a" not in one
    assert other.add("d", 3)


def test_whose_request_has_waited_longest(queues):
    one, other = queues
    assert one.oldest() == other.oldest() == -1
    assert not one.anywhere()
    other.add("a", 9)
    assert one.anywhere()
    assert one.oldest() == other.oldest() == 1
    at(1)
    one.add("b", 9)
    assert one.oldest() == other.oldest() == 1
    other.remove("a")
    at(2)
    other.add("c", 9)
    assert one.oldest() == other.oldest() == 0
    one.remove("b")
    assert one.oldest() == 1


def test_requests_that_came_at_nearly_the_same_time_are_equally_old(queues):
    one, other = queues
    one.add("a", 9)
    at(NEAR / 2)
    other.add("b", 9)
    assert (one.oldest(), other.oldest()) == (0, 1)


def test_who_is_put_back_is_the_first_and_as_old_as_it_was(queues):
    one, other = queues
    one.add("a", 2)
    one.add("b", 2)
    one.remove("a")
    at(1)
    other.add("c", 2)
    one.put_back("a")
    assert list(one) == ["a", "b"]
    assert other.oldest() == 0


def test_room_and_idle_connections_elsewhere(queues, board):
    server = Server(Endpoint("app", "a", Address("10.0.0.1", 80), 3, max_conns=2), board.row(0, SERVER, 3))
    one, _ = queues
    elsewhere = board.row(1, SERVER, 3)
    assert one.room(server)
    elsewhere.add(fields.SERVER_CONNECTIONS, 2)
    assert not one.room(server)
    assert one.idlers(server) == [1]
    elsewhere.add(fields.SERVER_IN_FLIGHT, 2)
    assert one.idlers(server) == []
    server.idle["connection"] = None
    assert one.room(server)
    server.idle.clear()
    server.max_conns = 0
    assert one.room(server)


def test_requests_in_flight_are_those_of_all_workers(queues, board):
    for lane in range(2):
        board.row(lane, BACKEND, 0).add(fields.BACKEND_IN_FLIGHT, 4)
    assert queues[0].in_flight() == 8


def test_who_waits_for_one_server_holds_up_nobody_and_is_overtaken_by_nobody(queues, board):
    one, other = queues
    server = Server(Endpoint("app", "a", Address("10.0.0.1", 80), 3, max_conns=1), board.row(0, SERVER, 3))
    there = Server(Endpoint("app", "a", Address("10.0.0.1", 80), 3, max_conns=1), board.row(1, SERVER, 3))
    assert one.awaited(server) == -1
    one.add("own", 9, server)
    assert (one.oldest(), other.awaited(there), list(one), one.own("own")) == (-1, 0, ["own"], server)
    at(1)
    other.add("any", 9)
    assert other.oldest() == 1
    assert one.due(server, server)
    assert not other.due(None, there)
    at(2)
    other.add("later", 9, there)
    assert not other.due(there, there)
    one.remove("own")
    assert other.awaited(there) == 1
    assert not other.due(there, there)      # "any" would take it too, and is older
    assert other.due(None, there)
    assert other.lines() == [None, there]
    other.remove("any")
    assert other.due(there, there)


def test_who_waited_for_a_server_that_is_gone_waits_for_any_by_its_age(queues, board):
    one, _ = queues
    server = Server(Endpoint("app", "a", Address("10.0.0.1", 80), 3, max_conns=1), board.row(0, SERVER, 3))
    one.add("a", 9)
    at(1)
    one.add("b", 9, server)
    at(2)
    one.add("c", 9)
    one.release(server)
    assert list(one) == ["a", "b", "c"]
    assert (one.awaited(server), one.own("b"), one.lines()) == (-1, None, [None])
