"""The filter that tells browsers to come by TLS only (RFC 6797): `hsts` of a listener's TLS."""

from dataclasses import dataclass
from typing import Self

from lbd.exchange.filter import Filter, FilterContext
from lbd.exchange.streams import Requester
from lbd.filters.headers import edits
from lbd.filters.place import FilterPlace
from lbd.http.message import Head

FIELD = b"strict-transport-security"


@dataclass(frozen=True, slots=True)
class HstsOptions:
    """The line, and whether it is for lbd's own answers only."""

    line: bytes
    own: bool = False


class Hsts(Filter):
    """Puts Strict-Transport-Security into answers in the place of a server's, whatever their status, and into lbd's
    own. Where the operator edits that field of answers, servers' answers are left alone."""

    own_answers = True

    Options = HstsOptions

    def __init__(self, options: HstsOptions, context: FilterContext) -> None:
        super().__init__(options, context)
        self._line, self._own = options.line, options.own

    @classmethod
    def of(cls, place: FilterPlace, context: FilterContext) -> Self | None:
        """The filter of a place; None where it has nothing to do."""
        tls = place.listener.tls
        if tls is None or tls.hsts is None:
            return None
        line = b"Strict-Transport-Security: max-age=%d\r\n" % tls.hsts
        return cls(HstsOptions(line, replaced(place) is None), context)

    def on_response(self, exchange: Requester, head: Head) -> None:
        if head.ending:
            head.change((), self._line)
        elif not self._own:
            head.change((FIELD,), self._line)

    def describe(self) -> str:
        return self._line.decode().strip() + ("; of lbd's own answers only" if self._own else "")


def replaced(place: FilterPlace) -> bytes | None:
    """The field of servers' answers that is replaced; None where none is."""
    tls = place.listener.tls
    if tls is None or tls.hsts is None or place.backend is None:
        return None
    return None if FIELD in edits(place.backend.response_headers).removed else FIELD
