"""Requests that are malformed, or lack what they need: their answers, with the id that is in the access log too."""

import re

from lbd.exchange.context import Refusal, WorkerContext
from lbd.exchange.streams import Peer
from lbd.http import ids, replies
from lbd.net.transport import Transport
from lbd.routing.answers import OWN
from lbd.stats import endings

LINE = re.compile(rb"(?:\r?\n)*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})[ \t]+([^ \t\r\n]+)[ \t]*(HTTP/1\.[01])?")
HOST = re.compile(rb"\r?\nHost[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
EMPTY = re.compile(rb"\n\r?\n")

# Endings of heads and bodies that are refused, by the status that the scanner gives.
REFUSED = {
    400: endings.BAD_REQUEST,
    413: endings.BODY_TOO_LARGE,
    414: endings.URI_TOO_LONG,
    431: endings.HEAD_TOO_LARGE,
    501: endings.METHOD_REFUSED,
}

MOST = 4096       # bytes of the target and of Host that are kept


def understood(data: bytes, request_id: bytes) -> tuple[bytes, int]:
    """Head and version of a partly read request: method, target and Host, as far as they are there."""
    line = LINE.match(data)
    method, target, version = line.groups(b"") if line is not None else (b"", b"", b"")
    begun = line.end() if line is not None else 0
    end = EMPTY.search(data, begun)
    host = HOST.search(data, begun, end.start() + 1 if end is not None else len(data)) if line is not None else None
    lines = b"Host: %b\r\n" % host[1][:MOST] if host is not None else b""
    text = b"%b %b HTTP/1.1\r\n%bX-Request-Id: %b\r\n\r\n" % (method, target[:MOST], lines, request_id)
    return text, int(version[-1:]) if version else -1


def reject(peer: Peer, context: WorkerContext, status: int, ending: int, data: bytes, began: float,
           reason: str | None = None) -> bytes:
    """The answer to a malformed request, which is counted and logged; `data` are its bytes, and `began` is when the
    first of them came."""
    request_id = ids.request_id()
    answer = replies.reply(status, False, False, request_id=request_id,
                           body=context.error_bodies.get(status, OWN.get(ending)))
    context.count(ending)
    if context.access is not None:
        refusal = Refusal(*understood(data, request_id), began, len(data), len(answer), reason)
        context.access.refused(peer, status, ending, refusal)
    return answer


def host_line(transport: Transport) -> bytes:
    """A Host for a request of HTTP/1.0 that has none: the address that the client connected to."""
    name = transport.get_extra_info("sockname")
    if not isinstance(name, tuple):
        return b"Host: localhost\r\n"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return b"Host: %b:%d\r\n" % (host.encode(), name[1])
