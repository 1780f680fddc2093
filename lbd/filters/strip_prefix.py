"""The filter that takes a prefix off the path: `strip_prefix` of a route."""

from typing import Self

import re2

from lbd.exchange.filter import Filter, FilterContext
from lbd.exchange.streams import Requester
from lbd.filters.place import FilterPlace
from lbd.http import fields
from lbd.http.message import Head

DOTS = re2.compile(rb"(?i)(/|%2f)(\.|%2e)")      # may begin a dot segment


class StripPrefix(Filter):
    """Takes the prefix off by whole segments, in the client's own spelling of what remains. The request keeps its
    route, and answers are not changed: a Location has no prefix put before it."""

    def __init__(self, prefix: str, context: FilterContext) -> None:
        super().__init__(prefix, context)
        self._prefix = fields.merged(prefix.encode()).rstrip(b"/")
        self._size = len(self._prefix)

    @classmethod
    def of(cls, place: FilterPlace, context: FilterContext) -> Self | None:
        """The filter of a place; None where it has nothing to do."""
        if place.route is None or place.backend is None or not place.route.strip_prefix:
            return None
        return cls(place.route.strip_prefix, context)

    def on_request(self, exchange: Requester, head: Head) -> None:
        if not head.strip(self._prefix):        # most are spelled as the prefix is
            head.target = self.stripped(head.target)

    def stripped(self, target: bytes) -> bytes:
        """The target without the prefix; whole where it has none."""
        path, mark, query = target.partition(b"?")
        rest = path[self._size:]
        if path.startswith(self._prefix) and rest[:1] in (b"", b"/") and not DOTS.search(rest):
            path = rest
        else:       # spelled otherwise: %61pi, //api, /./api, /api%2Fx, /api/x/../..
            path = fields.remainder(path, self._prefix)
        return (path if path.startswith(b"/") else b"/" + path) + mark + query

    def describe(self) -> str:
        return f"takes {self._prefix.decode() or '/'} off the path"
