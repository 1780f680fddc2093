"""Draining: connections end in time, idle clients one after another."""

from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from lbd.backend import server as backend
from lbd.backend.snapshot import Endpoint
from lbd.exchange.states import TUNNEL, WAIT
from lbd.proxy.draining import Draining
from lbd.schema.units import Address
from lbd.stats import endings


class Request:
    """A request, or a tunnel, of a client."""

    def __init__(self, client: "Client", server: Any, state: int) -> None:
        self.client = client
        self.server = server
        self.state = state
        self.keep = True

        self.upstream = None

    def finish(self, ending: int) -> None:
        self.client.end = "hung up", ending


class Client:
    def __init__(self, listener: Any, idle: bool = True, server: Any = None, state: int = WAIT) -> None:
        self.unread = False
        self.peer = SimpleNamespace(listener=listener, pins=None,
                                    transport=SimpleNamespace(is_readable=lambda: self.unread))
        self.idle = idle
        self.deadline = 0.0
        self.end: Any = None
        self.under_way = [] if idle else [Request(self, server, state)]

    def requests(self) -> list[Request]:
        return self.under_way

    def dismiss(self) -> None:
        self.end = "dismissed"

    def stop(self, ending: int) -> None:
        self.end = ending


class Listener:
    leaving = False
    closed = False

    def close(self) -> None:
        self.closed = True


class Connection:
    def __init__(self, server: Any = None) -> None:
        self.server = server
        self.end = ""

    def close(self) -> None:
        self.end = "closed"
        self.server.idle.pop(self)

    def abort(self) -> None:
        self.end = "aborted"


class Server(backend.Server):
    def __init__(self) -> None:
        self.idle: dict[Any, None] = {}
        self.gone = False
        self.cut = 0.0


class Clients:
    """Clients that have not ended."""

    def __init__(self, *clients: Client) -> None:
        self.known = list(clients)

    def __iter__(self) -> Iterator[Client]:
        return iter([client for client in self.known if client.end is None])


class Clock:
    """A worker's context: its clock, and the requests of filters."""

    now = 0.0

    def __init__(self, *streams: Client) -> None:
        self.streams = set(streams)

    def clock(self) -> float:
        return self.now


def made(*clients: Client, clock: Any = None, backends: Any = None) -> Any:
    everyone: Any = Clients(*clients)
    return Draining(clock or Clock(), everyone, lambda: backends or {})


@pytest.fixture(autouse=True)
def forsaken(monkeypatch: pytest.MonkeyPatch) -> None:
    def forsake(exchange: Any, ending: int) -> None:
        exchange.client.end = "forsaken", ending
    monkeypatch.setattr("lbd.proxy.draining.forsake", forsake)
    monkeypatch.setattr("lbd.proxy.draining.Exchange", Request)


def gone(clients: list[Client]) -> int:
    return sum(client.end is not None for client in clients)


def test_idle_clients_leave_one_after_another() -> None:
    listener, other = Listener(), Listener()
    clients = [Client(listener) for _ in range(100)]
    busy, stays = Client(listener, idle=False), Client(other, idle=False)
    draining = made(*clients, busy, stays)
    draining.dismiss(listener, 10.0, endings.DRAIN_CUT)
    assert listener.leaving
    assert listener.closed
    assert [client.under_way[0].keep for client in (busy, stays)] == [False, True]
    left = []
    for tick in range(1, 99):
        draining.tick(tick / 10)
        left.append(gone(clients))
    assert max(after - before for before, after in pairwise(left)) <= 4
    assert 40 <= left[49] <= 65
    assert left[-1] == 100
    assert {client.end for client in clients} == {"dismissed"}
    assert stays.end is None


def test_busy_clients_are_cut_at_the_end_and_idle_ones_closed() -> None:
    listener = Listener()
    busy, idle = Client(listener, idle=False), Client(listener)
    draining = made(busy, idle)
    draining.dismiss(listener, 1.0, endings.SHUTDOWN_CUT)
    draining.tick(0.0)
    assert busy.end is None
    draining.tick(1.0)
    assert (busy.end, idle.end) == (endings.SHUTDOWN_CUT, "dismissed")


def test_a_client_whose_next_request_lies_unread_is_not_closed() -> None:
    listener = Listener()
    asks, quiet = Client(listener), Client(listener)
    asks.unread = True
    draining = made(asks, quiet)
    draining.dismiss(listener, 2.0, endings.DRAIN_CUT)
    for tick in range(1, 20):
        draining.tick(tick / 10)
    assert (asks.end, quiet.end) == (None, "dismissed")
    draining.tick(2.0)
    assert asks.end == "dismissed"


def test_requests_of_filters_are_waited_for_and_cut_at_the_end() -> None:
    listener = Listener()
    mirror, other = Client(listener, idle=False), Client(Listener(), idle=False)
    draining = made(clock=Clock(mirror, other))
    draining.dismiss(listener, 1.0, endings.SHUTDOWN_CUT)
    draining.tick(0.9)
    assert mirror.end is None
    draining.tick(1.0)
    assert (mirror.end, other.end) == (endings.SHUTDOWN_CUT, None)


def test_requests_of_filters_to_a_server_that_is_cut_end() -> None:
    server = Server()
    mirror, other = Client(None, False, server), Client(None, False, Server())
    made(clock=Clock(mirror, other)).cut({server}, endings.SERVER_DOWN)
    assert (mirror.end, other.end) == (("forsaken", endings.SERVER_DOWN), None)


def hung_up_evenly(draining: Any, clients: list[Client], ending: int) -> None:
    """Within ten seconds: none in the first half, then one after another, and all before the end."""
    left = []
    for tick in range(99):
        draining.tick(tick / 10)
        left.append(gone(clients))
    assert left[49] == 0
    assert 15 <= left[75] <= 35
    assert max(after - before for before, after in pairwise(left)) <= 3
    assert {client.end for client in clients} == {("hung up", ending)}


def tunnels(listener: Any, server: Any = None) -> list[Client]:
    return [Client(listener, idle=False, server=server, state=TUNNEL) for _ in range(50)]


def test_tunnels_are_hung_up_one_after_another_in_the_second_half() -> None:
    listener = Listener()
    clients = tunnels(listener)
    draining = made(*clients)
    draining.dismiss(listener, 10.0, endings.SHUTDOWN_CUT)
    hung_up_evenly(draining, clients, endings.SHUTDOWN_CUT)


def test_tunnels_to_a_removed_server_are_too() -> None:
    server, listener = Server(), Listener()
    clients, others = tunnels(listener, server), tunnels(listener, Server())
    draining = made(*clients, *others)
    draining.retire([server], 10.0)
    hung_up_evenly(draining, clients, endings.DRAIN_CUT)
    assert gone(others) == 0


ADDRESS = Address("10.0.0.1", 80)


def planned(clients: list[Client], server: Any) -> tuple[Clock, Any]:
    """Draining of these clients; the backend `app` has the server as `a`."""
    clock = Clock()
    backends = {"app": SimpleNamespace(servers={("a", str(ADDRESS)): server})}
    return clock, made(*clients, clock=clock, backends=backends)


def endpoint(cut: float, name: str = "a", backend: str = "app") -> Endpoint:
    return Endpoint(backend, name, ADDRESS, 0, mode="maint", cut=cut)


def test_a_server_is_cut_now() -> None:
    server, resting = Server(), Connection()
    resting.server = server
    server.idle[resting] = None
    cut, stays = Client(None, False, server), Client(None, False, Server())
    clock, draining = planned([cut, stays], server)
    clock.now = 5.0
    draining.plan([endpoint(4.9), endpoint(4.9, "b"), endpoint(4.9, "a", "other")])
    assert (cut.end, stays.end, resting.end) == (("forsaken", endings.OPERATOR_CUT), None, "closed")
    late = Client(None, False, server)
    draining._everyone.known.append(late)
    draining.plan([endpoint(4.9)])        # known already
    draining.tick(5.1)
    assert late.end is None
    draining.plan([endpoint(5.2)])
    draining.tick(5.2)
    assert late.end == ("forsaken", endings.OPERATOR_CUT)


def test_a_server_is_cut_at_its_time() -> None:
    server = Server()
    resting = Connection(server)
    server.idle[resting] = None
    busy = Client(None, False, server)
    _, draining = planned([busy], server)
    draining.plan([endpoint(3.0)])
    draining.tick(2.9)
    assert (busy.end, resting.end) == (None, "")
    draining.tick(3.0)
    assert (busy.end, resting.end) == (("forsaken", endings.OPERATOR_CUT), "closed")


def test_tunnels_of_a_server_that_is_cut_later_end_one_after_another() -> None:
    server, listener = Server(), Listener()
    clients, others = tunnels(listener, server), tunnels(listener, Server())
    _, draining = planned([*clients, *others], server)
    draining.plan([endpoint(10.0)])
    hung_up_evenly(draining, clients, endings.OPERATOR_CUT)
    assert gone(others) == 0


def test_a_cut_is_called_off() -> None:
    server = Server()
    busy = Client(None, False, server)
    _, draining = planned([busy], server)
    draining.plan([endpoint(3.0)])
    draining.tick(2.0)
    draining.plan([endpoint(0.0)])
    draining.tick(4.0)
    assert busy.end is None


def test_a_server_that_is_removed_before_its_cut_drains() -> None:
    server = Server()
    busy, (tunnel, *_) = Client(None, False, server), tunnels(None, server)
    _, draining = planned([busy, tunnel], server)
    draining.plan([endpoint(3.0)])
    draining.tick(0.0)
    draining.retire([server], 10.0)
    draining.tick(4.0)
    assert (busy.end, tunnel.end) == (None, None)
    draining.tick(8.0)
    assert (busy.end, tunnel.end) == (None, ("hung up", endings.DRAIN_CUT))
    draining.tick(10.0)
    assert busy.end == endings.DRAIN_CUT


def test_what_loses_listener_and_server_leaves_with_what_ends_first() -> None:
    server, listener = Server(), Listener()
    busy = Client(listener, idle=False, server=server)
    draining = made(busy)
    draining.dismiss(listener, 5.0, endings.SHUTDOWN_CUT)
    draining.retire([server], 1.0)
    draining.tick(2.0)
    assert busy.end == endings.DRAIN_CUT


def test_the_earlier_of_two_ends_counts() -> None:
    listener = Listener()
    busy = Client(listener, idle=False)
    draining = made(busy)
    draining.dismiss(listener, 1.0, endings.DRAIN_CUT)
    draining.dismiss(listener, 5.0, endings.SHUTDOWN_CUT)
    draining.tick(2.0)
    assert busy.end == endings.DRAIN_CUT


def test_clients_that_come_late_are_sent_away_too() -> None:
    listener = Listener()
    draining = made(Client(listener, idle=False))
    draining.dismiss(listener, 1.0, endings.DRAIN_CUT)
    draining.tick(1.1)
    late = Client(listener, idle=False)
    draining._everyone.known.append(late)
    draining.tick(1.2)
    assert late.end == endings.DRAIN_CUT


def test_requests_of_removed_servers_are_cut_when_their_time_is_over() -> None:
    removed, kept = Server(), Server()
    cut, stays = Client(None, False, removed), Client(None, False, kept)
    resting = Connection(removed)
    removed.idle[resting] = None
    draining = made(cut, stays)
    draining.retire([removed], 3.0)
    assert resting.end == "closed"
    draining.tick(2.9)
    assert cut.end is None
    draining.tick(3.0)
    assert (cut.end, stays.end) == (endings.DRAIN_CUT, None)
