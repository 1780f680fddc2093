"""The head kernel: cases from files, any split of the data, limits, and what independent readers make of its output."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbd.http import head
from lbd.http.head import CHUNKED, MORE, SIMPLE, WHOLE, Chunks, Request, Response
from tests.http.cases import Case, cases
from tests.http.checks import NEXT, PEER, check_any, check_chunked, check_request, check_response, fed, request
from tests.http.mutations import LINES, mutated
from tests.http.oracles import requests_by_h11

REQUESTS, RESPONSES, CHUNKS = cases("requests.cases"), cases("responses.cases"), cases("chunks.cases")


def named(case: Case) -> str:
    return case.name


def flags(text: str) -> int:
    return sum(getattr(head, word) for word in text.split())


def head_of(out: bytes) -> bytes:
    return out[:out.index(b"\r\n\r\n") + 4]


def undated(out: bytes) -> bytes:
    """Without the Date of a response that came without one."""
    return re.sub(rb"Date: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT\r\n", b"", out, count=1)


def masked(out: bytes) -> bytes:
    return re.sub(rb"(X-Request-Id: )[0-9a-f]{32}\r", rb"\1ID\r", out)


@pytest.mark.parametrize("case", REQUESTS, ids=named)
def test_requests(case: Case) -> None:
    scanner = request()
    found = scanner.scan(case.data, 0, PEER, b"http", False)
    if case.refused:
        assert -found == int(case.expected)
        assert scanner.error
        return
    assert found == flags(case.expected)
    if case.out is not None:
        assert masked(scanner.message.text) == case.out
    given = scanner.message.get(b"x-request-id")
    assert given is not None
    assert b"X-Request-Id: " + given + b"\r\n" in scanner.message.text
    check_request(scanner, found)


@pytest.mark.parametrize("case", REQUESTS, ids=named)
def test_requests_in_any_pieces(case: Case) -> None:
    whole, piece = request(), request()
    expected = whole.scan(case.data, 0, PEER, b"http", False)
    for size in range(len(case.data) + 1):
        found = piece.scan(case.data[:size], 0, PEER, b"http", False)
        if found == 0:
            assert expected <= 0 or size < whole.head
        elif found < 0:
            assert (found, piece.error) == (expected, whole.error)
            break
        else:
            assert size >= whole.head
            assert found | WHOLE | MORE | SIMPLE == expected | WHOLE | MORE | SIMPLE
            assert masked(piece.message.text) == masked(whole.message.text)
            assert bool(found & WHOLE) == (not found & CHUNKED and size >= whole.end)


@pytest.mark.parametrize("case", RESPONSES, ids=named)
def test_responses(case: Case) -> None:
    scanner = Response(32768, 100)
    found = scanner.scan(case.data, 0, False, 1, True)
    if case.refused:
        assert -found == int(case.expected)
        assert scanner.error
        return
    assert found == flags(case.expected)
    if case.out is not None:
        body = case.data[scanner.head:scanner.end] if found & SIMPLE else b""
        assert undated(scanner.message.text) == case.out + body
    check_response(scanner, found, case.data, b"GET")


@pytest.mark.parametrize("case", RESPONSES, ids=named)
def test_responses_in_any_pieces(case: Case) -> None:
    whole, piece = Response(32768, 100), Response(32768, 100)
    expected = whole.scan(case.data, 0, False, 1, True)
    for size in range(len(case.data) + 1):
        found = piece.scan(case.data[:size], 0, False, 1, True)
        if found < 0:
            assert (found, piece.error) == (expected, whole.error)
            break
        assert (found > 0) == (expected > 0 and size >= whole.head)
        if found:
            body = case.data[piece.head:piece.end] if found & SIMPLE else b""
            assert undated(piece.message.text) == undated(head_of(whole.message.text)) + body
            assert (piece.message.status, piece.message.length) == (whole.message.status, whole.message.length)


@pytest.mark.parametrize("case", CHUNKS, ids=named)
def test_chunks_in_any_pieces(case: Case) -> None:
    for decode in (False, True):
        expected = fed(Chunks(decode, 0), case.data, len(case.data))
        for size in range(1, len(case.data)):
            found = fed(Chunks(decode, 0), case.data, size)
            assert found == expected if not case.refused else found[0] == -400
        if case.refused:
            assert -expected[0] == int(case.expected)
            continue
        content = case.expected.encode().decode("unicode_escape").encode("latin-1")
        assert expected[0] == 1
        if decode:
            assert expected[1] == content.strip(b" ")
        else:
            check_chunked(expected[1], content.strip(b" "))


def test_good_requests_are_good_to_oracles() -> None:
    for case in REQUESTS:
        scanner = request()
        if scanner.scan(case.data, 0, PEER, b"http", False) > 0:
            assert requests_by_h11(scanner.message.text) is not None, case.name


def test_start() -> None:
    scanner = request()
    before = b"x" * 10
    assert scanner.scan(before + NEXT + NEXT, 10, PEER, b"http", False) & MORE
    assert (scanner.head, scanner.end) == (10 + len(NEXT), 10 + len(NEXT))
    assert scanner.scan(NEXT, len(NEXT), PEER, b"http", False) == 0
    for start in (-1, len(NEXT) + 1):
        with pytest.raises(IndexError):
            scanner.scan(NEXT, start, PEER, b"http", False)


def test_limits_hold_before_the_head_is_whole() -> None:
    line = b"GET / HTTP/1.1\r\nHost: a\r\n"
    for size in range(1, 400):
        data = (line + b"X: " + b"y" * 400)[:size]
        assert request(max_head=300).scan(data, 0, PEER, b"http", False) == (-431 if size >= 300 else 0)
    exact = line + b"X: " + b"y" * (300 - len(line) - 7) + b"\r\n\r\n"
    assert request(max_head=300).scan(exact, 0, PEER, b"http", False) > 0
    assert request(max_head=299).scan(exact, 0, PEER, b"http", False) == -431
    many = line + b"A: b\r\n" * 9
    assert request(max_headers=10).scan(many + b"\r\n", 0, PEER, b"http", False) > 0
    assert request(max_headers=10).scan(many + b"A", 0, PEER, b"http", False) == -431
    assert request(max_uri=8).scan(b"GET /1234567", 0, PEER, b"http", False) == 0
    assert request(max_uri=8).scan(b"GET /1234567 HTTP/1.1\r\nHost: a\r\n\r\n", 0, PEER, b"http", False) > 0
    assert request(max_uri=8).scan(b"GET /12345678", 0, PEER, b"http", False) == -414
    options = b"Connection: " + b"a," * 65 + b"\r\n\r\n"
    assert request().scan(line + options, 0, PEER, b"http", False) == -400
    assert Response(64, 100).scan(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 64, 0, False, 1, True) == -502
    for wrong in ((0, 1, 1), (1, 0, 1), (1, 1, 0)):
        with pytest.raises(ValueError, match="must be"):
            Request(*wrong)


FORWARDED = (b"GET / HTTP/1.1\r\nHost: a:80\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\n"
             b"X-Forwarded-For: 2.2.2.2 , 3.3.3.3\r\nX-Forwarded-Host: b\r\nX-Forwarded-Port: 443\r\n"
             b"Forwarded: for=1.1.1.1\r\nX-Request-Id: edge-1\r\n\r\n")


def test_a_trusted_peer_is_believed() -> None:
    scanner = request()
    scanner.scan(FORWARDED, 0, PEER, b"http", True)
    assert scanner.message.text == (
        b"GET / HTTP/1.1\r\nHost: a:80\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\nX-Forwarded-Port: 443\r\n"
        b"Forwarded: for=1.1.1.1\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2 , 3.3.3.3, 192.0.2.7\r\n"
        b"Via: 1.1 lbd\r\nX-Request-Id: edge-1\r\n\r\n")
    assert scanner.message.get(b"x-request-id") == b"edge-1"
    scanner.scan(FORWARDED, 0, b"", b"http", True)
    assert scanner.message.values(b"x-forwarded-for") == [b"1.1.1.1, 2.2.2.2 , 3.3.3.3"]


@pytest.mark.parametrize("value", [b"", b"a b", b"x" * 129, b"\xe9", b"a\r\nX-Request-Id: b"])
def test_a_request_id_that_is_none_is_replaced(value: bytes) -> None:
    scanner = request()
    scanner.scan(b"GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: " + value + b"\r\n\r\n", 0, PEER, b"http", True)
    given, = scanner.message.values(b"x-request-id")
    assert re.fullmatch(rb"[0-9a-f]{32}", given)


@pytest.mark.parametrize(("peer", "trusted", "lines"), [
    (PEER, False, [b'for=192.0.2.7;host="a:80";proto=https']),
    (b"2001:db8::1", False, [b'for="[2001:db8::1]";host="a:80";proto=https']),
    (b"", False, [b'for=unknown;host="a:80";proto=https']),
    (PEER, True, [b"for=1.1.1.1", b'for=192.0.2.7;host="a:80";proto=https']),
])
def test_forwarded(peer: bytes, trusted: bool, lines: list[bytes]) -> None:
    scanner = Request(32768, 100, 8192, forwarded=True)
    scanner.scan(FORWARDED, 0, peer, b"https", trusted)
    assert scanner.message.values(b"forwarded") == lines


def test_hops() -> None:
    scanner = request()
    for method, value, hops, left in ((b"OPTIONS", b"1", 1, b"0"), (b"TRACE", b"0", 0, b"0"),
                                      (b"GET", b"5", -1, b"5")):
        data = b"%b / HTTP/1.1\r\nHost: a\r\nMax-Forwards: %b\r\n\r\n" % (method, value)
        scanner.scan(data, 0, PEER, b"http", False)
        assert scanner.message.hops == hops
        assert scanner.message.values(b"max-forwards") == [left]


# (what the server sends, to_head, minor, keep) and what stands in Connection and Transfer-Encoding towards the client
@pytest.mark.parametrize(("data", "to_head", "minor", "keep", "connection", "coding"), [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", False, 1, True, [], []),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", False, 1, False, [b"close"], []),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", False, 0, True, [b"keep-alive"], []),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", False, 0, True, [b"close"], []),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", False, 1, True, [], [b"chunked"]),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", True, 1, True, [], []),
    (b"HTTP/1.1 200 OK\r\n\r\n", True, 1, True, [], []),
    (b"HTTP/1.1 200 OK\r\n\r\n", False, 1, True, [b"close"], []),
    (b"HTTP/1.1 426 No\r\nUpgrade: x\r\nContent-Length: 0\r\n\r\n", False, 1, False, [b"close, upgrade"], []),
    (b"HTTP/1.1 103 Hints\r\n\r\n", False, 1, False, [], []),
])
def test_what_a_response_says_of_the_connection(data: bytes, to_head: bool, minor: int, keep: bool,
                                                connection: list[bytes], coding: list[bytes]) -> None:
    scanner = Response(32768, 100)
    found = scanner.scan(data, 0, to_head, minor, keep)
    assert found > 0
    assert scanner.message.values(b"connection") == connection
    assert scanner.message.values(b"transfer-encoding") == coding
    if to_head:
        assert found & WHOLE
        check_response(scanner, found, data, b"HEAD")


def test_chunks_that_pass_are_the_same_object() -> None:
    chunks = Chunks(False, 0)
    for data in (b"a\r\n012", b"3456", b"789\r\n5\r\nhello\r\n", b"0\r\n\r\n"):
        chunks.feed(data, 0)
        assert chunks.out is data
    assert chunks.size == 15
    assert Chunks(False, 0).feed(b"", 0) == 0


def test_chunks_from_within_the_data() -> None:
    chunks = Chunks(False, 0)
    data = NEXT + b"1\r\na\r\n0\r\n\r\n" + NEXT
    assert chunks.feed(data, len(NEXT)) == 1
    assert (chunks.out, chunks.end) == (b"1\r\na\r\n0\r\n\r\n", len(data) - len(NEXT))
    assert chunks.feed(b"more", 0) == 1
    assert (chunks.out, chunks.end) == (b"", 0)


def test_what_does_not_pass_of_a_chunked_body() -> None:
    chunks = Chunks(False, 0)
    assert chunks.feed(b'5;a;b="c"\r\nhello\r\n0 ;z\r\nHost: b\r\nX-Sum: 1\r\nContent_Length: 1\r\n\r\n', 0) == 1
    assert chunks.out == b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"


def test_bounds_of_chunks() -> None:
    assert Chunks(False, 5).feed(b"5\r\nhello\r\n0\r\n\r\n", 0) == 1
    assert Chunks(False, 5).feed(b"6\r\n", 0) == -413
    chunks = Chunks(False, 5)
    assert chunks.feed(b"3\r\nabc\r\n", 0) == 0
    assert (chunks.feed(b"3\r\nabc\r\n", 0), chunks.out) == (-413, b"")
    assert chunks.feed(b"0\r\n\r\n", 0) == -400      # broken once, broken for good
    assert Chunks(False, 0).feed(b"1;" + b"a" * 260, 0) == -400
    assert fed(Chunks(False, 0), b"0\r\n" + b"A: b\r\n" * 64 + b"\r\n", 7)[0] == 1
    assert Chunks(False, 0).feed(b"0\r\n" + b"A: b\r\n" * 65, 0) == -400
    for size in (1000, 20000):
        assert fed(Chunks(False, 0), b"0\r\nA: " + b"b" * 9000, size)[0] == -400
    with pytest.raises(ValueError, match="limit"):
        Chunks(False, -1)


def test_final_answers_have_a_date() -> None:
    scanner = Response(32768, 100)
    for status, count in ((100, 0), (103, 0), (200, 1), (304, 1), (404, 1), (503, 1)):
        scanner.scan(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status, 0, False, 1, True)
        assert (scanner.message.text != undated(scanner.message.text)) == bool(count)
        assert len(scanner.message.values(b"date")) == count
    scanner.scan(b"HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 0\r\n\r\n", 0, False, 1, True)
    assert scanner.message.values(b"date") == [b"x"]


def fuzz(rounds: int, seed: int) -> None:
    chosen = random.Random(seed)
    every = (*REQUESTS, *RESPONSES, *CHUNKS)
    seeds = [case.data for case in every] + 4 * [case.data for case in every if not case.refused]
    for _ in range(rounds):
        check_any(mutated(chosen, chosen.choice(seeds)))


def test_mutations() -> None:
    fuzz(1500, 1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_mutations(seed: int) -> None:
    fuzz(50_000, seed)


NAMES = st.sampled_from([line.partition(b":")[0] for line in LINES] + [b""])
VALUES = st.one_of(st.sampled_from([line.partition(b":")[2].strip() for line in LINES]), st.binary(max_size=6))
ENDS = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\r\n"])
GAPS = st.sampled_from([b": "] * 6 + [b":", b" :", b":\t"])
FIELDS = st.lists(st.tuples(NAMES, GAPS, VALUES, ENDS).map(b"".join), max_size=4).map(b"".join)
STARTS = st.sampled_from([b"GET / HTTP/1.1\r\nHost: a\r\n", b"POST /x?y HTTP/1.1\r\nHost: a\r\n",
                          b"GET http://b/ HTTP/1.1\r\n", b"POST / HTTP/1.0\r\n", b"HTTP/1.1 200 OK\r\n",
                          b"HTTP/1.0 200\r\n", b"HTTP/1.1 204 \r\n", b"0\r\n"])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(STARTS, FIELDS, st.sampled_from([b"\r\n", b"\r\nhello", b"\n", b""]))
def test_composed(start: bytes, lines: bytes, end: bytes) -> None:
    check_any(start + lines + end)


@pytest.mark.parametrize(("target", "plain"), [
    (b"/", True), (b"/a/b.c?d=/e", True), (b"/a..b", True), (b"/a%20b", False), (b"/./a", False), (b"/a/../b", False),
    (b"//a", False), (b"/a//b", False), (b"/a/?b=//c%20", True), (b"http://h.example/a.b", True),
    (b"http://h.example/.a", False),
])
def test_a_target_that_is_spelled_plainly_needs_no_normalising(target: bytes, plain: bool) -> None:
    request = head.Request(32768, 100, 8192)
    assert request.scan(b"GET %b HTTP/1.1\r\nHost: h.example\r\n\r\n" % target, 0, b"", b"http", False) > 0
    assert request.message.plain is plain
