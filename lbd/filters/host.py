"""The filter that gives servers a Host of their own: `host` of a backend."""

from typing import Self

from lbd.exchange.filter import Filter, FilterContext
from lbd.exchange.streams import Requester
from lbd.filters.place import FilterPlace
from lbd.http.message import Head


class Host(Filter):
    """Puts the backend's Host in the place of the client's. It has nothing to do with answers."""

    def __init__(self, host: str, context: FilterContext) -> None:
        super().__init__(host, context)
        self._line = b"Host: %b\r\n" % host.encode()

    @classmethod
    def of(cls, place: FilterPlace, context: FilterContext) -> Self | None:
        """The filter of a place; None where it has nothing to do."""
        host = place.backend.host if place.backend is not None else None
        return cls(host, context) if host is not None else None

    def on_request(self, exchange: Requester, head: Head) -> None:
        head.change((b"host",), self._line, True)

    def describe(self) -> str:
        return self._line.decode().strip()
