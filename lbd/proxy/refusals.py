"""Answers to malformed requests, with the id that their line in the access log has too."""

import re
from typing import Any, NamedTuple

from lbd.http import head, replies
from lbd.proxy.exchange import READING
from lbd.routing.answers import OWN

LINE = re.compile(rb"(?:\r?\n)*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})[ \t]+([^ \t\r\n]+)[ \t]*(HTTP/1\.[01])?")
HOST = re.compile(rb"\r?\nHost[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
EMPTY = re.compile(rb"\n\r?\n")

MOST = 4096       # bytes of the target and of Host that are kept


class Refusal(NamedTuple):
    """The log's facts of a refused message: `head` as the scanner writes one, `minor` the version, -1 for none."""

    head: bytes
    minor: int
    started: float        # seconds, monotonic, as precise as the deadline of a head
    bytes_in: int
    reason: str | None = None


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


def reject(client: Any, status: int, ending: int, data: bytes, reason: str | None = None) -> None:
    """Answer a malformed request, and close; `data` are its bytes."""
    plane = client.plane
    request_id = head.request_id()
    client.keep = client.sent = False
    answer = replies.reply(status, False, False, request_id=request_id,
                           body=plane.in_force.error_bodies.get(status, OWN.get(ending)))
    client.transport.write(answer)
    client.bytes_out = len(answer)
    plane.count(ending)
    if plane.access is not None:
        began = plane.now
        if client.state == READING:
            began = min(began, client.deadline - client.listener.settings.timeouts.client_header)
        refusal = Refusal(*understood(data, request_id), began, len(data), reason)
        plane.access.refused(client, status, ending, refusal)
    client.leave()
