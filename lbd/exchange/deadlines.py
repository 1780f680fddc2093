"""Deadlines of an exchange: its end when time runs out, in every state."""

from lbd.exchange import failures, tunnel
from lbd.exchange.exchange import Exchange
from lbd.exchange.states import BODY, CHECK, CONNECT, ENDED, HELD, NEW, QUEUED, RELAY, SEND, TUNNEL, WAIT
from lbd.exchange.streams import Downstream
from lbd.net.transport import Transport
from lbd.stats import endings, fields

STALL = 1.0           # seconds that a tick is late by when the whole process stood still

# By state: the status to answer with when time has run out (0: none, the exchange is cut), and the ending.
EXPIRED = {
    NEW: (500, endings.INTERNAL_ERROR),
    HELD: (504, endings.FILTER_TIMEOUT),
    QUEUED: (503, endings.QUEUE_TIMEOUT),
    CONNECT: (504, endings.CONNECT_TIMEOUT),
    SEND: (408, endings.CLIENT_BODY_TIMEOUT),
    WAIT: (504, endings.SERVER_TIMEOUT),
    RELAY: (0, endings.SERVER_BODY_TIMEOUT),
    TUNNEL: (0, endings.TUNNEL_TIMEOUT),
    ENDED: (0, endings.CLIENT_SLOW),
}


def expire(exchange: Exchange) -> None:
    """Act on a deadline that has passed, by the state of the exchange."""
    if drips(exchange) or looked(exchange):
        return
    state, upstream, context, backend = exchange.state, exchange.upstream, exchange.context, exchange.backend
    if state == TUNNEL and stirred(exchange):
        return
    status, ending = EXPIRED[state]
    if state in (WAIT, RELAY) and exchange.congested:
        status, ending = 0, endings.CLIENT_SLOW
    elif state == SEND and upstream is not None and upstream.full:
        status, ending = 504, endings.SERVER_TIMEOUT
    elif state == TUNNEL and exchange.half_closed:
        ending = endings.HALF_CLOSED_TIMEOUT
    elif state == HELD and exchange.held == BODY:
        status, ending = 408, endings.CLIENT_BODY_TIMEOUT
    if state == CONNECT:
        unreached(exchange)
    elif state == WAIT and status and "timeout" in backend.settings.retry_on and failures.may_retry(exchange, context):
        failures.retry(exchange, context, fields.BACKEND_RETRIES_TIMEOUT, endings.SERVER_TIMEOUT)
    elif state == QUEUED and backend.gate is not None and backend.gate.overdue(exchange):
        return
    elif ending == endings.SERVER_BODY_TIMEOUT:
        exchange.broken(ending)
    elif status:
        exchange.keep = exchange.keep and status != 408
        exchange.refuse(status, ending)
    else:
        exchange.cut(ending)


def looked(exchange: Exchange) -> bool:
    """Look whether the client is gone whose request a filter holds, and whose body is not read meanwhile."""
    if exchange.state != HELD or exchange.held == BODY or exchange.context.now >= exchange.until:
        return False
    if exchange.downstream.left():
        exchange.cut(endings.CLIENT_CLOSED)
    else:
        exchange.move(HELD, min(exchange.until - exchange.context.now, CHECK))
    return True


def unreached(exchange: Exchange) -> None:
    """Try another server: a connect takes too long."""
    if exchange.server is not None:
        exchange.server.row.add(fields.SERVER_CONNECTION_ERRORS, 1)
    exchange.context.connector.mark_failed(exchange.server)
    failures.retry(exchange, exchange.context, fields.BACKEND_RETRIES_TIMEOUT, endings.CONNECT_TIMEOUT, spent=False)


def drips(exchange: Exchange) -> bool:
    """Give a slow side as much time again where it took some data since the last look."""
    upstream, state, downstream = exchange.upstream, exchange.state, exchange.downstream
    if state in (SEND, WAIT) and upstream is not None and upstream.full and upstream.transport is not None:
        if took_some(downstream, upstream.transport, False):
            exchange.move(state, exchange.backend.server_timeout)
            return True
    elif exchange.congested and state in (WAIT, RELAY, TUNNEL):
        return progresses(downstream, exchange.peer.transport, False, exchange.context.now)
    return False


def progresses(downstream: Downstream, transport: Transport | None, acknowledged: bool, now: float) -> bool:
    """Give the client as much time again where it took some data since the last look."""
    if transport is None or not took_some(downstream, transport, acknowledged):
        return False
    downstream.deadline = now + downstream.peer.listener.settings.timeouts.client_body
    return True


def took_some(downstream: Downstream, transport: Transport, acknowledged: bool) -> bool:
    """Whether the other end of a transport took data since the last look; `acknowledged`: bytes count that its kernel
    has not acknowledged, too."""
    before = downstream.unsent
    downstream.unsent = transport.unsent() if acknowledged else transport.get_write_buffer_size()
    return downstream.unsent != 0 and not 0 < before <= downstream.unsent


def stirred(exchange: Exchange) -> bool:
    """Whether the transports moved bytes since the deadline was set, which moves with them."""
    if exchange.upstream is None:
        return False
    seconds = tunnel.touched(exchange, exchange.upstream) - exchange.context.now
    seconds += tunnel.patience(exchange.backend, exchange.half_closed)
    if seconds < 0:
        return False
    exchange.move(TUNNEL, seconds)
    return True
