"""Answers of lbd itself to requests that no server answers."""

import ssl

from lbd.exchange.context import WorkerContext
from lbd.exchange.streams import Downstream, Requester
from lbd.http import replies
from lbd.http.message import Head
from lbd.routing.target import RouteTarget
from lbd.stats import endings

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def error(exchange: Requester, context: WorkerContext, status: int) -> bytes:
    """The bytes of an error answer."""
    json, request_id, to_head = False, b"", False
    if exchange.request is not None:
        to_head = exchange.request.to_head
        json, request_id = replies.wants_json(exchange.field(b"accept")), exchange.field(b"x-request-id")
    return replies.reply(status, exchange.keep, json, head_only=to_head, request_id=request_id,
                         body=context.error_bodies.get(status))


def own(head: Head, route: RouteTarget, context: WorkerContext, keep: bool) -> tuple[int, bytes, int]:
    """Status, bytes and ending of the answer of a route that has one of its own, else to a request that may go no
    further (Max-Forwards, RFC 9110 7.6.2)."""
    if route.answers is not None:
        return route.answers(head, keep, context.error_bodies)
    return 200, replies.final_hop(head.text, keep), endings.ANSWERED


def invite(request: Head, downstream: Downstream) -> None:
    """Have a client send its body that waits to be asked for it (RFC 9110 10.1.1), since no server asks yet."""
    if (request.get(b"expect") or b"").lower() == b"100-continue":
        request.remove(b"expect")
        downstream.respond(Head(CONTINUE), b"", False)


def failure(reason: Exception | None) -> int:
    """The ending of a request whose connection to a server failed."""
    if isinstance(reason, ssl.SSLError):
        return endings.SERVER_TLS
    return endings.CONNECT_REFUSED if isinstance(reason, ConnectionRefusedError) else endings.CONNECT_FAILED
