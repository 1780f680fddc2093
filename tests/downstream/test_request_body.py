"""The body of a request as it arrives: where it ends, and what waits behind it."""

import pytest

from lbd.downstream.request_body import RequestBody
from lbd.http.head import Chunks

NEXT = b"GET /next HTTP/1.1\r\n"
CHUNKED = b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: 1\r\n\r\n"
PASSED = CHUNKED.replace(b";x=y", b"")
DECODED = b"hello world"


def fed(body: RequestBody, data: bytes, size: int) -> tuple[bytes, int]:
    """The data that passed in pieces of that size, and how much was read until the end."""
    passed = b""
    for start in range(0, len(data), size):
        passed += body.feed(data[start:start + size])
        if body.ended or body.fault:
            return passed, min(start + size, len(data)) - len(body.rest)
    return passed, len(data)


@pytest.mark.parametrize("size", [*range(1, 12), 100])
def test_a_length(size: int) -> None:
    body = RequestBody(11, None)
    assert fed(body, b"hello world" + NEXT, size) == (b"hello world", 11)
    assert (body.ended, body.left, body.fault) == (True, 0, 0)


def test_a_length_that_is_not_all_here() -> None:
    body = RequestBody(11, None)
    assert fed(body, b"hello", 2) == (b"hello", 5)
    assert (body.ended, body.left, body.rest) == (False, 6, b"")


def test_whole_data_passes_as_it_is() -> None:
    data = b"hello"
    assert RequestBody(10, None).feed(data) is data
    assert RequestBody(5, None).feed(data) is data


@pytest.mark.parametrize("size", [*range(1, 20), 100])
@pytest.mark.parametrize("decode", [False, True])
def test_chunks(size: int, decode: bool) -> None:
    body = RequestBody(0, Chunks(decode, 0))
    passed, read = fed(body, CHUNKED + NEXT, size)
    assert passed == (DECODED if decode else PASSED)
    assert (read, body.ended, body.fault) == (len(CHUNKED), True, 0)


@pytest.mark.parametrize(("data", "limit", "fault"), [
    (b"zz\r\n", 0, 400), (b"5\r\nhello!\r\n", 0, 400), (b"6\r\nhello!\r\n", 5, 413)])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_faults(data: bytes, limit: int, fault: int, size: int) -> None:
    body = RequestBody(0, Chunks(False, limit))
    fed(body, data, size)
    assert (body.fault, body.ended) == (fault, False)
    assert body.error


def test_nothing_is_passed_of_what_is_refused() -> None:
    assert RequestBody(0, Chunks(False, 0)).feed(b"3\r\nabc\r\nzz\r\n") == b""


def test_trailers_pass_within_the_framing_or_beside_the_content() -> None:
    data = b"3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n"
    framed, content = RequestBody(0, Chunks(False, 0)), RequestBody(0, Chunks(True, 0))
    assert framed.feed(data + b"next") == data
    assert content.feed(data + b"next") == b"abc"
    assert (framed.trailers, content.trailers) == (b"", b"X-Sum: 7\r\n")
