"""Answers in lbd's own name."""

import json
from email.utils import formatdate

import pytest

from lbd.http import replies
from lbd.http.head import Response, date_line, values
from tests.http.oracles import responses_by_h11, responses_by_llhttp


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies.time, "time", lambda: 784_111_777.9)


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def test_an_error() -> None:
    assert replies.reply(404, True, False) == (
        b"HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: keep-alive\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 21\r\n\r\n404 Nothing is here.\n")


@pytest.mark.parametrize("status", sorted(replies.TEXTS))
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("head_only", [False, True])
def test_errors_are_read_by_others(status: int, keep: bool, as_json: bool, head_only: bool) -> None:
    answer = replies.reply(status, keep, as_json, head_only=head_only)
    method = b"HEAD" if head_only else b"GET"
    read = responses_by_h11(answer, method)
    assert read is not None
    assert read[0].start == (status,)
    assert read[0].body == body(answer)
    assert bool(body(answer)) is not head_only
    assert Response(4096, 20).scan(answer, 0, head_only, 1, True) > 0
    assert values(answer, b"connection") == [b"keep-alive" if keep else b"close"]
    assert bool(values(answer, b"retry-after")) == (status in (429, 503))
    if not head_only:
        assert responses_by_llhttp(answer) == read
        if as_json:
            assert json.loads(body(answer))["status"] == status
        else:
            assert body(answer).startswith(b"%d " % status)


def test_more_of_an_error() -> None:
    assert values(replies.reply(503, True, False), b"retry-after") == [b"1"]
    assert values(replies.reply(404, True, False, request_id=b"abc"), b"x-request-id") == [b"abc"]
    own = replies.reply(502, True, True, body=b" <h1>Sorry</h1>")
    assert values(own, b"content-type") == [b"text/html; charset=utf-8"]
    assert body(own) == b" <h1>Sorry</h1>"
    assert values(replies.reply(502, True, False, body=b'{"a": 1}'), b"content-type") == [b"application/json"]
    assert values(replies.reply(502, True, False, body=b""), b"content-length") == [b"0"]


def test_fixed() -> None:
    answer = replies.fixed(200, b"hi", b"text/css", True)
    assert values(answer, b"content-type") == [b"text/css"]
    assert body(answer) == b"hi"
    assert body(replies.fixed(200, b"hi", b"text/css", True, head_only=True)) == b""
    for status in (204, 205, 304):
        empty = replies.fixed(status, b"hi", b"text/css", True)
        assert body(empty) == b""
        assert values(empty, b"content-length") == ([b"0"] if status == 205 else [])
    assert replies.fixed(299, b"", b"text/css", True).startswith(b"HTTP/1.1 299 \r\n")


def test_redirect_stays_on_its_line() -> None:
    answer = replies.redirect(308, b"https://a/b?c=\r\nSet-Cookie: x=\xe9", True)
    assert values(answer, b"location") == [b"https://a/b?c=%0D%0ASet-Cookie:%20x=%E9"]
    assert answer.startswith(b"HTTP/1.1 308 Permanent Redirect\r\n")
    assert responses_by_h11(answer, b"GET") is not None
    assert body(replies.redirect(302, b"/", True, head_only=True)) == b""


def test_final_hop() -> None:
    asked = b"TRACE /a HTTP/1.1\r\nHost: a\r\nCookie: c\r\nX-A: 1\r\nAuthorization: x\r\n\r\n"
    answer = replies.final_hop(asked, True)
    assert values(answer, b"content-type") == [b"message/http"]
    assert body(answer) == b"TRACE /a HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n\r\n"
    assert body(replies.final_hop(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", True)) == b""


@pytest.mark.parametrize(("accept", "wanted"), [
    (b"application/json", True),
    (b"application/json, text/plain, */*", True),
    (b"text/plain, application/json", False),
    (b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
    (b"text/html;q=0.5, application/json", True),
    (b"application/json;q=0, */*", False),
    (b"application/*", True),
    (b"APPLICATION/JSON ; Q=1", True),
    (b"application/json;q=x", False),
    (b"application/json;q=1e9, text/plain", False),
    (b"*/*", False),
    (b"", False),
    (b",;,=;q=", False),
])
def test_wants_json(accept: bytes, wanted: bool) -> None:
    assert replies.wants_json(accept) is wanted


def test_dates() -> None:
    for second in (0, 951_782_400, 1_795_363_595, 784_111_777):
        assert date_line(second) == f"Date: {formatdate(second, usegmt=True)}\r\n".encode()
