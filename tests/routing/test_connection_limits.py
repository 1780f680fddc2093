"""The count of connections: what holds for all workers together, and what each counts for itself."""

from dataclasses import dataclass

import pytest

from lbd.routing.connection_limits import STEPS, Bounds, ConnectionLimits
from lbd.stats import endings, fields, scoreboard
from lbd.stats.scoreboard import Board, Row


@dataclass
class CountedConnection:
    address: bytes
    counted: bool = True


@pytest.fixture
def rows() -> list[Row]:
    """The rows of a listener in two workers."""
    board = Board.create(2)
    return [board.row(lane, scoreboard.LISTENER, 0) for lane in range(2)]


def arrive(limits: ConnectionLimits, row: Row, peer: bytes = b"192.0.2.1") -> int:
    """As a worker does it."""
    row.add(fields.LISTENER_CONNECTIONS, 1)
    row.add(fields.LISTENER_ACCEPTED, 1)
    return limits.connected(CountedConnection(peer))


def test_connections_of_all_workers_count(rows: list[Row]) -> None:
    limiters = [ConnectionLimits(row, Bounds(connections=3)) for row in rows]
    assert [arrive(limiters[number % 2], rows[number % 2]) for number in range(4)] == [0, 0, 0, endings.LISTENER_FULL]
    rows[1].add(fields.LISTENER_CONNECTIONS, -2)
    assert arrive(limiters[0], rows[0]) == 0
    assert rows[1].get(fields.LISTENER_REFUSED_FULL) == 1


def test_the_rate_is_that_of_all_workers(rows: list[Row]) -> None:
    limiters = [ConnectionLimits(row, Bounds(rate=4)) for row in rows]
    outcomes = [arrive(limiters[number % 2], rows[number % 2]) for number in range(6)]
    assert outcomes == [0, 0, 0, 0, endings.ACCEPT_RATE, endings.ACCEPT_RATE]
    for _ in range(STEPS):
        for limits in limiters:
            limits.tick()
    assert arrive(limiters[1], rows[1]) == 0


def test_one_client_may_have_so_many_in_each_worker(rows: list[Row]) -> None:
    limits, row = ConnectionLimits(rows[0], Bounds(per_client=2)), rows[0]
    assert [arrive(limits, row) for _ in range(3)] == [0, 0, endings.CLIENT_FULL]
    assert arrive(limits, row, b"192.0.2.2") == 0
    assert [arrive(limits, row, b"") for _ in range(5)] == [0] * 5        # who comes by a Unix socket has no address
    limits.disconnected(CountedConnection(b"192.0.2.1"))
    limits.disconnected(CountedConnection(b"192.0.2.1"))
    assert arrive(limits, row) == 0
    assert ConnectionLimits(rows[1], Bounds(per_client=2)).connected(CountedConnection(b"192.0.2.1")) == 0


def test_each_refusal_has_one_reason(rows: list[Row]) -> None:
    limits, row = ConnectionLimits(rows[0], Bounds(connections=1, per_client=1, rate=2)), rows[0]
    assert [arrive(limits, row) for _ in range(3)] == [0, endings.LISTENER_FULL, endings.ACCEPT_RATE]
    reasons = fields.LISTENER_REFUSED_FULL, fields.LISTENER_REFUSED_CLIENT, fields.LISTENER_REFUSED_RATE
    assert [row.get(reason) for reason in reasons] == [1, 0, 1]


def test_nothing_is_kept_of_those_who_left(rows: list[Row]) -> None:
    limits = ConnectionLimits(rows[0], Bounds(per_client=1))
    clients = [CountedConnection(b"192.0.2.%d" % number) for number in range(100)]
    for client in clients:
        assert limits.identified(client) == 0
    for client in [*clients, *clients]:
        limits.disconnected(client)
    assert not limits._peers


def test_a_proxy_is_no_client(rows: list[Row]) -> None:
    limits = ConnectionLimits(rows[0], Bounds(per_client=1))
    proxy = CountedConnection(b"10.0.0.1", counted=False)
    assert [limits.connected(proxy) for _ in range(3)] == [0, 0, 0]
    assert [limits.identified(CountedConnection(b"192.0.2.1")) for _ in range(2)] == [0, endings.CLIENT_FULL]
    limits.disconnected(proxy)
