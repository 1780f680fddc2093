"""Small real objects of the data plane for unit tests: a server, a route's target, a listener."""

from typing import Any

from lbd import schema
from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint
from lbd.routing.listener import Listener, ListenerSettings
from lbd.routing.router import Router
from lbd.routing.target import RouteTarget
from lbd.schema.addresses import Address
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board

BOARD = Board.create(1)


def target(index: int = -1) -> RouteTarget:
    """The target of the route of that number."""
    backend = Backend("app", BOARD.row(0, scoreboard.BACKEND, 0))
    return RouteTarget(BOARD.row(0, scoreboard.ROUTE, 0), backend, None, index)


def server(name: str = "a") -> Server:
    """A server that is up."""
    endpoint = Endpoint("app", name, Address(host="127.0.0.1", port=9), 0, 1, False, "ready", "up", 0)
    return Server(endpoint, BOARD.row(0, scoreboard.SERVER, 0))


def listener(wanted: schema.ListenerConfig, routes: Any = (), **more: Any) -> Listener:
    """A listener with these settings, whose routes all lead to one target; `more` is set on its settings."""
    settings = ListenerSettings(wanted, (), Router([(route, target()) for route in routes], target()))
    for name, value in more.items():
        setattr(settings, name, value)
    return Listener("web", BOARD.row(0, scoreboard.LISTENER, 0), settings)
