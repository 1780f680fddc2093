"""The filter that keeps clients with their server by a cookie: `sticky` of a backend."""

from typing import Self

from lbd.backend.sticky import stays
from lbd.exchange.choice import tried
from lbd.exchange.filter import Filter, FilterContext
from lbd.exchange.streams import Requester
from lbd.filters.place import FilterPlace
from lbd.http.message import Head


class StickyCookie(Filter):
    """Finds the client's server by its cookie, which the server does not get, and gives a cookie with the answer of
    another one, whatever its status. One whose own server was only full keeps the cookie that it has."""

    def __init__(self, cookie: str, context: FilterContext) -> None:
        super().__init__(cookie, context)
        self._cookie = cookie.encode()

    @classmethod
    def of(cls, place: FilterPlace, context: FilterContext) -> Self | None:
        """The filter of a place; None where it has nothing to do."""
        wanted = place.backend.stickiness if place.backend is not None else None
        return cls(wanted.cookie, context) if wanted is not None else None

    def on_request(self, exchange: Requester, head: Head) -> None:
        sticky = exchange.route.backend.sticky
        value = head.cookie(self._cookie) if sticky is not None else None
        if sticky is None or value is None:
            return
        exchange.preferred = sticky.find(value)
        if not sticky.passed:
            head.remove_cookie(self._cookie)

    def on_response(self, exchange: Requester, head: Head) -> None:
        server = exchange.server
        if server is None or server is exchange.preferred:
            return
        sticky = exchange.route.backend.sticky
        if sticky is not None and not stays(exchange.preferred, server, tried(exchange)):
            head.change((), sticky.line(server))

    def describe(self) -> str:
        return f"a client stays with its server by the cookie {self._cookie.decode()}"
