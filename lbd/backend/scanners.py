"""Reading of responses: the scanners of a worker, of which backends with the same limits share one."""

from dataclasses import dataclass
from functools import lru_cache

from lbd import schema
from lbd.http.head import Response

REMEMBERED = 256     # combinations of limits and leniency


def scanner(settings: schema.BackendConfig) -> Response:
    """The reader of the heads that the backend's servers send; its findings last until the next `scan`."""
    return _scanner(settings.max_response_head, settings.max_response_headers, settings.lenient)


@lru_cache(REMEMBERED)
def _scanner(max_head: int, max_headers: int, lenient: tuple[str, ...]) -> Response:
    return Response(max_head, max_headers, lenient)


@dataclass(frozen=True, slots=True)
class ResponseRules:
    """The scanner of responses of a backend's servers, and the statuses for which another server is tried instead."""

    scanner: Response
    retry_statuses: frozenset[bytes] = frozenset()


def response_rules(settings: schema.BackendConfig) -> ResponseRules:
    """The rules by a backend's settings."""
    statuses = frozenset(status.encode() for status in settings.retry_on if status.isdigit())
    return ResponseRules(scanner(settings), statuses)
