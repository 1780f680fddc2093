"""Answers in lbd's own name, as bytes that are ready to send: errors, redirects, fixed answers, and the last hop."""

import time
from functools import lru_cache
from http import HTTPStatus

from lbd.http.head import date_line, edit

# The body of each status that lbd answers with: a line for the client, which tells nothing of the inside.
TEXTS = {
    400: "The request is malformed.",
    403: "Access is not allowed.",
    404: "Nothing is here.",
    405: "The method is not allowed here.",
    408: "The request did not arrive in time.",
    413: "The request body is too large.",
    414: "The request target is too long.",
    421: "This host is not served here.",
    429: "There are too many requests.",
    431: "The request head is too large.",
    500: "Something went wrong.",
    501: "The method is not supported.",
    502: "The server gave no valid answer.",
    503: "No server is available.",
    504: "The server did not answer in time.",
}

PHRASES = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}

PRIVATE = (b"authorization", b"cookie", b"proxy-authorization")      # fields that a TRACE does not give back
RETRY_AFTER = 1          # seconds: the least, since health may change with the next check
REMEMBERED = 256         # answers of which all but the date is kept ready

TEXT = b"text/plain; charset=utf-8"
JSON = b"application/json"
HTML = b"text/html; charset=utf-8"


def reply(status: int, keep: bool, json: bool, *, head_only: bool = False, body: bytes | None = None,
          request_id: bytes = b"") -> bytes:
    """An error answer. `body` stands in for lbd's own text; `keep` says what becomes of the connection.

    `request_id` is given back when not empty.
    """
    more = b"Retry-After: %d\r\n" % RETRY_AFTER if status in (429, 503) else b""
    return _dated(_composed(status, keep, *_content(status, json, body), more, head_only), request_id)


def fixed(status: int, body: bytes, content_type: bytes, keep: bool, *, head_only: bool = False) -> bytes:
    """A fixed answer with a status from 200 to 599; 204, 205 and 304 come without the body."""
    return _dated(_composed(status, keep, content_type, body, b"", head_only))


def redirect(status: int, location: bytes, keep: bool, *, head_only: bool = False) -> bytes:
    """A redirect; bytes that cannot stand in a URL are percent-encoded, so that no location can end the line."""
    safe = b"".join(b"%c" % byte if 0x21 <= byte <= 0x7E else b"%%%02X" % byte for byte in location)
    body = b"%d %b\n" % (status, PHRASES[status].encode())
    before, after = _composed(status, keep, TEXT, body, b"", head_only)
    return _dated((before + b"Location: " + safe + b"\r\n", after))


def final_hop(head: bytes, keep: bool) -> bytes:
    """The answer to TRACE and OPTIONS when Max-Forwards was 0: to TRACE what was received, but for credentials."""
    if head.startswith(b"TRACE "):
        return fixed(200, edit(head, None, PRIVATE, b""), b"message/http", keep)
    return fixed(200, b"", b"", keep)


def wants_json(accept: bytes) -> bool:
    """Whether an Accept field (RFC 9110 12.5.1) ranks JSON above text; text when it does not care or is malformed."""
    best = {"json": (0.0, 0, 0), "text": (0.0, 0, 0)}        # quality, how specific, how early
    for place, item in enumerate(accept[:1024].decode("latin-1").lower().split(",")):
        media, *parameters = (part.strip() for part in item.split(";"))
        quality = next((_quality(part[2:]) for part in parameters if part.startswith("q=")), 1.0)
        for kind, names in _RANGES.items():
            if media in names and quality > 0:
                best[kind] = max(best[kind], (quality, names[media], -place))
    return best["json"] > best["text"]


_RANGES = {
    "json": {"application/json": 2, "application/problem+json": 2, "application/*": 1, "*/*": 0},
    "text": {"text/plain": 2, "text/html": 2, "text/*": 1, "*/*": 0},
}


def _quality(text: str) -> float:
    """The weight, 0 to 1; 0 for a text that is none (RFC 9110 12.4.2)."""
    if not text.replace(".", "", 1).isdecimal() or len(text) > 5:
        return 0.0
    return min(float(text), 1.0)


def _content(status: int, json: bool, body: bytes | None) -> tuple[bytes, bytes]:
    """Content type and body."""
    if body is not None:
        start = body[:64].lstrip()[:1]
        return HTML if start == b"<" else JSON if start == b"{" else TEXT, body
    text = TEXTS.get(status, PHRASES.get(status, "Error"))
    if json:
        return JSON, b'{"status":%d,"error":"%b"}\n' % (status, text.encode())
    return TEXT, b"%d %b\n" % (status, text.encode())


@lru_cache(maxsize=REMEMBERED)
def _composed(status: int, keep: bool, content_type: bytes, body: bytes, more: bytes,
              head_only: bool) -> tuple[bytes, bytes]:
    """The answer before and after its Date. HTTP/1.0 clients must be told `keep`; HTTP/1.1 clients do not mind."""
    before = b"HTTP/1.1 %d %b\r\n" % (status, PHRASES.get(status, "").encode())
    if status in (204, 205, 304):
        body = content_type = b""
    after = more + (b"Connection: keep-alive\r\n" if keep else b"Connection: close\r\n")
    if content_type:
        after += b"Content-Type: %b\r\n" % content_type
    if status not in (204, 304):
        after += b"Content-Length: %d\r\n" % len(body)
    return before, after + b"\r\n" + (b"" if head_only else body)


def _dated(parts: tuple[bytes, bytes], request_id: bytes = b"") -> bytes:
    before, after = parts
    if request_id:
        before += b"X-Request-Id: %b\r\n" % request_id
    return before + date_line(int(time.time())) + after
