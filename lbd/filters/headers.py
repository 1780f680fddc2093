"""The filter of the operator's fields: `request_headers` and `response_headers` of a backend."""

from dataclasses import dataclass
from typing import NamedTuple, Self

from lbd import schema
from lbd.exchange.filter import Filter, FilterContext
from lbd.exchange.streams import Requester
from lbd.filters.place import FilterPlace
from lbd.http.message import Head


class Edits(NamedTuple):
    """Names of fields that go, in lower case, and lines that come."""

    removed: tuple[bytes, ...] = ()
    lines: bytes = b""


NONE = Edits()


@dataclass(frozen=True, slots=True)
class HeadersOptions:
    """The edits of requests and of answers."""

    request: Edits = NONE
    response: Edits = NONE


class Headers(Filter):
    """Removes fields, then adds some. Names that servers may take for one that is removed go too. Answers to HEAD, 204,
    206 and 304 are edited as others, lbd's own not; fields that are removed do not pass in trailers either."""

    Options = HeadersOptions

    def __init__(self, options: HeadersOptions, context: FilterContext) -> None:
        super().__init__(options, context)
        self.request, self.response = options.request, options.response
        self._requests_lose, self._requests_gain = self.request
        self._answers_lose, self._answers_gain = self.response

    @classmethod
    def of(cls, place: FilterPlace, context: FilterContext) -> Self | None:
        """The filter of a place; None where it has nothing to do."""
        if place.backend is None:
            return None
        options = HeadersOptions(edits(place.backend.request_headers), edits(place.backend.response_headers))
        return cls(options, context) if options != HeadersOptions() else None

    def on_request(self, exchange: Requester, head: Head) -> None:
        head.change(self._requests_lose, self._requests_gain, True)

    def on_response(self, exchange: Requester, head: Head) -> None:
        head.change(self._answers_lose, self._answers_gain)

    def describe(self) -> str:
        sides = (("requests", self.request), ("answers", self.response))
        return "; ".join(f"{title}: {changes(edits)}" for title, edits in sides if edits != NONE)


def changes(edits: Edits) -> str:
    """Edits in a few words."""
    return ", ".join([*(f"-{name.decode()}" for name in edits.removed),
                      *(f"+{line}" for line in edits.lines.decode().splitlines())])


def edits(wanted: schema.HeaderEdits) -> Edits:
    """Header edits made ready: fields that are set replace all of their name."""
    gone = {name.lower().encode() for name in (*wanted.remove, *wanted.set)}
    lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in (*wanted.set.items(), *wanted.add.items()))
    return Edits(tuple(sorted(gone)), lines)
