"""The count of connections: what holds for all workers together, and what each counts for itself."""

from dataclasses import dataclass

import pytest

from lbd.proxy.crowd import STEPS, Bounds, Crowd
from lbd.stats import endings, fields, scoreboard
from lbd.stats.scoreboard import Board, Row


@dataclass
class Client:
    peer: bytes
    counted: bool = True


@pytest.fixture
def rows() -> list[Row]:
    """One listener's rows in two workers."""
    board = Board.create(2)
    return [board.row(lane, scoreboard.LISTENER, 0) for lane in range(2)]


def arrive(crowd: Crowd, row: Row, peer: bytes = b"192.0.2.1") -> int:
    """As a worker does it."""
    row.add(fields.LISTENER_CONNECTIONS, 1)
    row.add(fields.LISTENER_ACCEPTED, 1)
    return crowd.arrived(Client(peer))


def test_connections_of_all_workers_count(rows: list[Row]) -> None:
    crowds = [Crowd(row, Bounds(connections=3)) for row in rows]
    assert [arrive(crowds[number % 2], rows[number % 2]) for number in range(4)] == [0, 0, 0, endings.LISTENER_FULL]
    rows[1].add(fields.LISTENER_CONNECTIONS, -2)
    assert arrive(crowds[0], rows[0]) == 0
    assert rows[1].get(fields.LISTENER_REFUSED_FULL) == 1


def test_the_rate_is_that_of_all_workers(rows: list[Row]) -> None:
    crowds = [Crowd(row, Bounds(rate=4)) for row in rows]
    outcomes = [arrive(crowds[number % 2], rows[number % 2]) for number in range(6)]
    assert outcomes == [0, 0, 0, 0, endings.ACCEPT_RATE, endings.ACCEPT_RATE]
    for _ in range(STEPS):
        for crowd in crowds:
            crowd.tick()
    assert arrive(crowds[1], rows[1]) == 0


def test_one_client_may_have_so_many_in_each_worker(rows: list[Row]) -> None:
    crowd, row = Crowd(rows[0], Bounds(per_client=2)), rows[0]
    assert [arrive(crowd, row) for _ in range(3)] == [0, 0, endings.CLIENT_FULL]
    assert arrive(crowd, row, b"192.0.2.2") == 0
    assert [arrive(crowd, row, b"") for _ in range(5)] == [0] * 5        # who comes by a Unix socket has no address
    crowd.left(Client(b"192.0.2.1"))
    crowd.left(Client(b"192.0.2.1"))
    assert arrive(crowd, row) == 0
    assert Crowd(rows[1], Bounds(per_client=2)).arrived(Client(b"192.0.2.1")) == 0


def test_each_refusal_has_one_reason(rows: list[Row]) -> None:
    crowd, row = Crowd(rows[0], Bounds(connections=1, per_client=1, rate=2)), rows[0]
    assert [arrive(crowd, row) for _ in range(3)] == [0, endings.LISTENER_FULL, endings.ACCEPT_RATE]
    reasons = fields.LISTENER_REFUSED_FULL, fields.LISTENER_REFUSED_CLIENT, fields.LISTENER_REFUSED_RATE
    assert [row.get(reason) for reason in reasons] == [1, 0, 1]


def test_nothing_is_kept_of_those_who_left(rows: list[Row]) -> None:
    crowd = Crowd(rows[0], Bounds(per_client=1))
    clients = [Client(b"192.0.2.%d" % number) for number in range(100)]
    for client in clients:
        assert crowd.known(client) == 0
    for client in [*clients, *clients]:
        crowd.left(client)
    assert not crowd._peers


def test_a_proxy_is_no_client(rows: list[Row]) -> None:
    crowd = Crowd(rows[0], Bounds(per_client=1))
    proxy = Client(b"10.0.0.1", counted=False)
    assert [crowd.arrived(proxy) for _ in range(3)] == [0, 0, 0]
    assert [crowd.known(Client(b"192.0.2.1")) for _ in range(2)] == [0, endings.CLIENT_FULL]
    crowd.left(proxy)
