"""Answers that bend HTTP/1: what each leniency of the head kernel takes, and what goes on."""

import re

import pytest

from lbd.http import head
from lbd.http.head import Response

DATE = re.compile(rb"Date: [^\r]*\r\n")

BENT = b"HTTP/1.1 200 OK\nX-A \t: a\x01b\r\nX B: 1\nContent-Length : 2\n\nok"
STRAIGHT = b"HTTP/1.1 200 OK\r\nX-A: a\x01b\r\nContent-Length: 2\r\n"
ALL = ("status", "control-characters", "line-feeds", "http10-chunked", "name-spaces")


def test_a_lenient_scanner_sends_on_what_is_straight() -> None:
    for size in range(len(BENT) + 1):
        scanner = Response(200, 10, ALL)
        found = scanner.scan(b"xx" + BENT[:size], 2, False, 1, True)
        assert (found > 0) == (size >= len(BENT) - 2)
        assert found >= 0
        if found:
            assert DATE.sub(b"", scanner.message.text) == STRAIGHT + b"\r\n" + (b"ok" if size == len(BENT) else b"")
            assert (scanner.head, scanner.end) == (len(BENT), len(BENT) + 2)
    assert Response(40, 10, ALL).scan(BENT[:41], 0, False, 1, True) == -502


# what a server sends, and the one leniency that takes it
@pytest.mark.parametrize(("data", "name"), [
    (b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", "status"),
    (b"HTTP/1.1 200 OK\r\nA: \x1b\x7f\r\nContent-Length: 0\r\n\r\n", "control-characters"),
    (b"HTTP/1.1 200\nContent-Length: 0\r\n\n", "line-feeds"),
    (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n", "http10-chunked"),
    (b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\nX Y: z\r\n\r\n", "name-spaces"),
])
def test_each_leniency(data: bytes, name: str) -> None:
    for other in ALL:
        found = Response(32768, 100, (other,)).scan(data, 0, False, 1, True)
        assert (found > 0) == (other == name)
    scanner = Response(32768, 100, (name,))
    found = scanner.scan(data, 0, False, 1, True)
    assert bool(found & head.KEEP) == (name != "http10-chunked")
    assert not re.search(rb"[^\r]\n|[\0]| :|X Y", scanner.message.text.partition(b"\r\n\r\n")[0] + b"\r\n")


@pytest.mark.parametrize("line", [b"A: \0", b"A: b\rc", b" A: b", b"A", b": b", b"A(B): c",
                                  b"Content-Length: 1\r\nContent-Length : 2",
                                  b"Content Length: 2\r\nContent-Length : x"])
def test_what_no_leniency_takes(line: bytes) -> None:
    data = b"HTTP/1.1 200 OK\r\n" + line + b"\r\n\r\n"
    assert Response(32768, 100, ALL).scan(data, 0, False, 1, True) == -502
    with pytest.raises(ValueError, match="not in tuple"):
        Response(32768, 100, ("nothing",))
