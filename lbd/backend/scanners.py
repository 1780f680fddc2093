"""The scanners of a worker: backends that take the same of their servers share one."""

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
