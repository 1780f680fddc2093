"""Draining: connections end in time, idle clients one after another."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from lbd.backend.snapshot import Endpoint
from lbd.proxy.draining import Draining, close_idle, due
from lbd.schema.units import Address
from lbd.stats import endings


class Client:
    def __init__(self, listener: Any, idle: bool = True, server: Any = None) -> None:
        self.listener = listener
        self.idle = idle
        self.server = server
        self.deadline = 0.0
        self.tunnelled = False
        self.told = False
        self.end: Any = None
        self.pins = None

    def last(self) -> None:
        self.told = True

    def dismiss(self) -> None:
        self.end = "dismissed"

    def stop(self, ending: int) -> None:
        self.end = ending

    def forsaken(self, ending: int) -> None:
        self.end = "forsaken", ending

    def hang_up(self, ending: int) -> None:
        self.end = "hung up", ending


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


class Server:
    gone = False
    cut = 0.0

    def __init__(self) -> None:
        self.idle: dict[Any, None] = {}


class DataPlane:
    def __init__(self, *clients: Client) -> None:
        self.clients = list(clients)
        self.timers = self
        self.now = 0.0
        self.in_force = SimpleNamespace(backends={})

    def clock(self) -> float:
        return self.now

    def everyone(self) -> list[Client]:
        return [client for client in self.clients if client.end is None]


def gone(clients: list[Client]) -> int:
    return sum(client.end is not None for client in clients)


def test_idle_clients_leave_one_after_another() -> None:
    listener, other = Listener(), Listener()
    clients = [Client(listener) for _ in range(100)]
    stays = Client(other)
    plane = DataPlane(*clients, stays)
    draining: Any = Draining(plane)
    draining.dismiss(listener, 10.0, endings.DRAIN_CUT)
    assert listener.leaving
    assert listener.closed
    assert all(client.told for client in clients)
    assert not stays.told
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
    draining: Any = Draining(DataPlane(busy, idle))
    draining.dismiss(listener, 1.0, endings.SHUTDOWN_CUT)
    draining.tick(0.0)
    assert busy.end is None
    draining.tick(1.0)
    assert (busy.end, idle.end) == (endings.SHUTDOWN_CUT, "dismissed")


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
    clients = [Client(listener, idle=False, server=server) for _ in range(50)]
    for client in clients:
        client.tunnelled = True
    return clients


def test_tunnels_are_hung_up_one_after_another_in_the_second_half() -> None:
    listener = Listener()
    clients = tunnels(listener)
    draining: Any = Draining(DataPlane(*clients))
    draining.dismiss(listener, 10.0, endings.SHUTDOWN_CUT)
    hung_up_evenly(draining, clients, endings.SHUTDOWN_CUT)


def test_tunnels_to_a_removed_server_are_too() -> None:
    server, listener = Server(), Listener()
    clients, others = tunnels(listener, server), tunnels(listener, Server())
    draining: Any = Draining(DataPlane(*clients, *others))
    draining.retire([server], 10.0)
    hung_up_evenly(draining, clients, endings.DRAIN_CUT)
    assert gone(others) == 0


ADDRESS = Address("10.0.0.1", 80)


def planned(clients: list[Client], server: Any) -> tuple[DataPlane, Any]:
    """A plane with these clients, whose backend `app` has the server as `a`."""
    plane = DataPlane(*clients)
    plane.in_force.backends["app"] = SimpleNamespace(servers={("a", str(ADDRESS)): server})
    return plane, Draining(plane)


def endpoint(cut: float, name: str = "a", backend: str = "app") -> Endpoint:
    return Endpoint(backend, name, ADDRESS, 0, mode="maint", cut=cut)


def test_a_server_is_cut_now() -> None:
    server, resting = Server(), Connection()
    resting.server = server
    server.idle[resting] = None
    cut, stays = Client(None, False, server), Client(None, False, Server())
    plane, draining = planned([cut, stays], server)
    plane.now = 5.0
    draining.plan([endpoint(4.9), endpoint(4.9, "b"), endpoint(4.9, "a", "other")])
    assert (cut.end, stays.end, resting.end) == (("forsaken", endings.OPERATOR_CUT), None, "closed")
    late = Client(None, False, server)
    plane.clients.append(late)
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
    draining: Any = Draining(DataPlane(busy))
    draining.dismiss(listener, 5.0, endings.SHUTDOWN_CUT)
    draining.retire([server], 1.0)
    draining.tick(2.0)
    assert busy.end == endings.DRAIN_CUT


def test_the_earlier_of_two_ends_counts() -> None:
    listener = Listener()
    busy = Client(listener, idle=False)
    draining: Any = Draining(DataPlane(busy))
    draining.dismiss(listener, 1.0, endings.DRAIN_CUT)
    draining.dismiss(listener, 5.0, endings.SHUTDOWN_CUT)
    draining.tick(2.0)
    assert busy.end == endings.DRAIN_CUT


def test_clients_that_come_late_are_sent_away_too() -> None:
    listener = Listener()
    plane = DataPlane(Client(listener, idle=False))
    draining: Any = Draining(plane)
    draining.dismiss(listener, 1.0, endings.DRAIN_CUT)
    draining.tick(1.1)
    late = Client(listener, idle=False)
    plane.clients.append(late)
    draining.tick(1.2)
    assert late.end == endings.DRAIN_CUT


def test_requests_of_removed_servers_are_cut_when_their_time_is_over() -> None:
    removed, kept = Server(), Server()
    cut, stays = Client(None, False, removed), Client(None, False, kept)
    resting = Connection(removed)
    removed.idle[resting] = None
    draining: Any = Draining(DataPlane(cut, stays))
    draining.retire([removed], 3.0)
    assert resting.end == "closed"
    draining.tick(2.9)
    assert cut.end is None
    draining.tick(3.0)
    assert (cut.end, stays.end) == (endings.DRAIN_CUT, None)


def test_connections_that_do_not_close_are_cut() -> None:
    slow = Connection()
    draining: Any = Draining(DataPlane())
    draining.closing[slow] = 2.0
    draining.tick(1.9)
    assert slow.end == ""
    draining.tick(2.0)
    assert slow.end == "aborted"
    assert not draining.closing


def test_due_takes_out_what_it_gives() -> None:
    times = {"a": 1.0, "b": 2.0, "c": 3.0}
    assert due(times, 2.0) == ["a", "b"]
    assert times == {"c": 3.0}


def test_close_idle() -> None:
    server = Server()
    connections = [Connection(server) for _ in range(3)]
    server.idle.update(dict.fromkeys(connections))
    close_idle(server)  # type: ignore[arg-type]
    assert {connection.end for connection in connections} == {"closed"}
