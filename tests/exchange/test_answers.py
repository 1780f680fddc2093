"""Answers of lbd itself: in the form and with the id that the client's request asks for."""

import errno
import ssl
from types import SimpleNamespace
from typing import Any

import pytest

from lbd.exchange import answers
from lbd.http.message import Head
from lbd.stats import endings


def error(text: bytes | None, status: int = 503, keep: bool = True, **bodies: bytes) -> Head:
    """The answer to a request with that head."""
    head = Head(text) if text is not None else None
    exchange: Any = SimpleNamespace(
        request=head, keep=keep, field=lambda name: (head.get(name) or b"") if head is not None else b"")
    context: Any = SimpleNamespace(error_bodies={int(status[1:]): body for status, body in bodies.items()})
    return Head(answers.error(exchange, context, status))


def asked(*lines: bytes) -> bytes:
    return b"\r\n".join([b"GET / HTTP/1.1", b"Host: x", *lines, b"", b""])


def test_the_connection_goes_on_or_not() -> None:
    assert error(asked()).get(b"connection") == b"keep-alive"
    assert error(asked(), keep=False).get(b"connection") == b"close"


def test_the_id_of_the_request() -> None:
    assert error(asked(b"X-Request-Id: abc")).get(b"x-request-id") == b"abc"
    assert error(asked()).get(b"x-request-id") is None


def test_json_for_those_who_want_it() -> None:
    head = error(asked(b"Accept: application/json"), 404)
    assert head.get(b"content-type") == b"application/json"
    assert head.text[head.size:].startswith(b"{")
    assert b"json" not in (error(asked(), 404).get(b"content-type") or b"")


def test_a_body_of_the_operator() -> None:
    head = error(asked(), 502, s502=b"<p>Sorry</p>")
    assert head.text[head.size:] == b"<p>Sorry</p>"
    assert error(asked(), 503, s502=b"<p>Sorry</p>").text.count(b"Sorry") == 0


def test_head_gets_no_body() -> None:
    exchange: Any = SimpleNamespace(request=SimpleNamespace(to_head=True), keep=True, field=lambda name: b"")
    context: Any = SimpleNamespace(error_bodies={})
    answer = answers.error(exchange, context, 503)
    assert answer.endswith(b"\r\n\r\n")
    assert int(Head(answer).get(b"content-length") or 0) > 0


def test_the_answer_of_a_route_goes_before_that_of_the_last_hop() -> None:
    context: Any = SimpleNamespace(error_bodies={})
    route: Any = SimpleNamespace(answers=None)
    assert answers.own(Head(asked()), route, context, True)[0::2] == (200, endings.ANSWERED)
    route.answers = lambda head, keep, bodies: (404, b"none", endings.NO_ROUTE)
    assert answers.own(Head(asked()), route, context, True) == (404, b"none", endings.NO_ROUTE)


def test_before_there_is_a_request() -> None:
    head = error(None, 400)
    assert head.status == 400
    assert head.text[head.size:]


@pytest.mark.parametrize(("reason", "ending"), [
    (ssl.SSLError(1, "no"), endings.SERVER_TLS), (ssl.SSLCertVerificationError(1, "no"), endings.SERVER_TLS),
    (ConnectionRefusedError(errno.ECONNREFUSED, "no"), endings.CONNECT_REFUSED),
    (OSError(errno.EHOSTUNREACH, "no"), endings.CONNECT_FAILED), (ValueError("no address"), endings.CONNECT_FAILED),
    (None, endings.CONNECT_FAILED),
])
def test_why_a_server_was_not_reached(reason: Exception | None, ending: int) -> None:
    assert answers.failure(reason) == ending
