"""An exchange that filters are asked about, and that goes nowhere."""

from random import Random
from typing import Any

from lbd import schema
from lbd.backend.backend import Backend
from lbd.exchange.filter import FilterContext
from lbd.exchange.streams import Peer, Requester
from lbd.filters.place import FilterPlace
from lbd.http.message import Head
from lbd.routing.target import RouteTarget
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board, Record

NOTHING: Any = None
CONTEXT = FilterContext(NOTHING, Random(1), {})


def place(route: schema.RouteConfig | None = None, tls: schema.ListenerTls | None = None,
          tracing: schema.TracingConfig | None = None, **backend: Any) -> FilterPlace:
    """The place of a route, whose backend has these keys."""
    return FilterPlace(schema.ListenerConfig(bind=(), tls=tls), route, schema.BackendConfig(**backend),
                 tracing or schema.TracingConfig())


def request(*fields: str, target: str = "/") -> Head:
    """A request's head."""
    return Head("\r\n".join([f"GET {target} HTTP/1.1", "Host: example.com", *fields, "", ""]).encode())


def answer(*fields: str) -> Head:
    """An answer's head."""
    return Head("\r\n".join(["HTTP/1.1 200 OK", *fields, "", ""]).encode())


def exchange(backend: Backend | None = None) -> Requester:
    """An exchange at the backend."""
    process = Board.create(1).row(0, scoreboard.PROCESS, 0)
    made = Requester(Peer(NOTHING), Record(process))
    made.route = RouteTarget(process, backend or Backend("app", process))
    return made
