"""Failures of servers, and what follows: another try, or the end of the exchange."""

from lbd.backend.server import Server
from lbd.errors import shortage
from lbd.exchange import answers
from lbd.exchange.context import WorkerContext
from lbd.exchange.retry import Retries
from lbd.exchange.streams import Requester
from lbd.log.logger import logger
from lbd.stats import endings, fields


def refused(exchange: Requester, context: WorkerContext, server: Server, reason: Exception | None,
            name: str | None = None) -> None:
    """Try another server: a connect failed, and nothing was sent. `name`: that of the request, for which alone the
    connection was to be; clients choose those, so TLS that fails for one says nothing of the server, and all are alike.
    """
    if shortage(reason):
        retry(exchange, context, fields.BACKEND_RETRIES_REFUSED, endings.OUT_OF_RESOURCES, blamed=False)
        return
    ending = answers.failure(reason)
    context.blame(exchange, ending, str(reason or ""))
    if ending == endings.SERVER_TLS and name:
        exchange.drop_server(False)
        exchange.refuse(502, ending)
        return
    if ending == endings.SERVER_TLS and not server.backoff.until:
        logger.warning("TLS with a server failed", backend=server.backend, server=server.name, reason=str(reason))
    context.connector.mark_failed(server)
    retry(exchange, context, fields.BACKEND_RETRIES_REFUSED, ending, spent=False)


def lost(exchange: Requester, context: WorkerContext, uses: int, unread: bool) -> None:
    """Try again, or give up: the connection ended before the first byte of an answer.

    `uses`: requests that it was for. `unread`: the server closed it before the request reached it, which says nothing
    of the server and is safe for every method.
    """
    server, known = exchange.server, exchange.retries
    reason = fields.BACKEND_RETRIES_STALE if uses > 1 else fields.BACKEND_RETRIES_LOST
    if exchange.replay and unread and server is not None and server.keeps_clients():
        exchange.route.backend.row.add(reason, 1)
        exchange.connect(server)
    elif exchange.replay and (unread or (idempotent(exchange) and not (known is not None and known.lost))):
        retries(exchange, context).lost = True
        retry(exchange, context, reason, endings.SERVER_CLOSED, spent=not unread)
    else:
        exchange.refuse(502, endings.SERVER_CLOSED)


def bad_status(exchange: Requester, context: WorkerContext, status: int) -> bool:
    """Try another server where an answer of that status, of `retry_on`, is none for the client; False where it is."""
    if not may_retry(exchange, context):
        return False
    context.blame(exchange, endings.BAD_RESPONSE, f"the status {status} of the last server is one of retry_on")
    retry(exchange, context, fields.BACKEND_RETRIES_STATUS, endings.BAD_RESPONSE)
    return True


def misread(exchange: Requester, context: WorkerContext, server: Server, error: str) -> None:
    """Give the request up: the server's answer is malformed."""
    logger.debug("bad response", backend=server.backend, server=server.name, error=error)
    context.blame(exchange, endings.BAD_RESPONSE, error)
    exchange.broken(endings.BAD_RESPONSE)


def retry(exchange: Requester, context: WorkerContext, reason: int, ending: int, blamed: bool = True,
          spent: bool = True) -> None:
    """Try another server, on a new connection; or give up with that ending. `reason`: the counter of such retries;
    `blamed`: the server is at fault; `spent`: it may have got something of the request."""
    backend, tries = exchange.route.backend, retries(exchange, context)
    tries.failed(exchange.server, spent)
    exchange.drop_server(blamed)
    other = tries.choose(spent, context.now) if backend.pool is not None else None
    if other is None:
        ending = ending if backend.pool is not None else endings.BACKEND_GONE
        exchange.refuse(endings.ENDINGS[ending].status, ending)
        return
    backend.row.add(reason, 1)
    exchange.take(other)
    exchange.connect(other)


def may_retry(exchange: Requester, context: WorkerContext) -> bool:
    """Whether the request may be tried once more after it was sent."""
    backend = exchange.route.backend
    return exchange.replay and idempotent(exchange) and backend.pool is not None \
        and retries(exchange, context).allowed(exchange.server, context.in_flight(backend))


def idempotent(exchange: Requester) -> bool:
    """Whether doing the request twice is as good as once."""
    return exchange.request is not None and exchange.request.idempotent


def retries(exchange: Requester, context: WorkerContext) -> Retries:
    """The tries of the exchange so far."""
    known = exchange.retries
    if known is None:
        known = exchange.retries = Retries(exchange.route.backend, context.now)
    return known
