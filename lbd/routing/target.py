"""The target of a route: where its requests go."""

from collections.abc import Callable

from lbd.backend.backend import Backend
from lbd.http.message import Head
from lbd.routing.answers import Answers
from lbd.stats.scoreboard import Row


class RouteTarget:
    """The target of a route: requests go to `backend`, or are answered at once where `answers` is set.

    `index` is the route's number in its listener, -1 where no route took the request. `logged`: the access log has
    lines of it. `removed` are request fields that do not pass, in the trailer section neither, `response_removed` those
    of answers. `plain`: it has no answers, and no filters. `onward`: the router that a request goes on
    to once it has passed these filters, those of its listener. `named`: a connection to a server is for the Host of a
    request alone.
    """

    __slots__ = ("answers", "backend", "index", "logged", "named", "onward", "plain", "removed", "response_removed",
                 "row")

    def __init__(self, row: Row, backend: Backend, answers: Answers | None = None, index: int = -1,
                 logged: bool = True) -> None:
        self.row = row
        self.backend = backend
        self.answers = answers
        self.index = index
        self.logged = logged
        self.removed: tuple[bytes, ...] = ()
        self.response_removed: tuple[bytes, ...] = ()
        self.plain = answers is None
        self.named = False
        self.onward: Callable[[Head], RouteTarget] | None = None
