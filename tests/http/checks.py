"""Checks of everything that the head kernel accepts: no independent reader takes its output in another way."""

from lbd.http.head import CHUNKED, SIMPLE, UPGRADE, WHOLE, Chunks, Request, Response
from tests.http.oracles import plainly, requests_by_h11, requests_by_llhttp, responses_by_h11, responses_by_llhttp

PEER = b"192.0.2.7"
NEXT = b"GET /next HTTP/1.1\r\nHost: next\r\n\r\n"


def request(**limits: int) -> Request:
    return Request(**({"max_head": 32768, "max_headers": 100, "max_uri": 8192} | limits))


def fed(chunks: Chunks, data: bytes, size: int) -> tuple[int, bytes, int]:
    """The outcome of feeding the data in pieces of a size: last result, all that passed, and end of the body."""
    passed = b""
    for start in range(0, len(data), size):
        result = chunks.feed(data[start:start + size], 0)
        if result < 0:
            return result, passed, start
        passed += chunks.out
        if result:
            return result, passed, start + chunks.end
    return 0, passed, len(data)


def check_chunked(passed: bytes, content: bytes) -> None:
    """Oracles read the content and nothing else from what passed, and go on with the next request."""
    post = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    for oracle in (requests_by_h11, requests_by_llhttp):
        read = oracle(post + passed + NEXT)
        assert read is not None
        assert [message.body for message in read] == [content, b""]


def check_request(scanner: Request, found: int) -> None:
    """Bytes sent to the server are read by every oracle as the scanner meant it: one message, and then the next."""
    start, fields = plainly(scanner.message.text)
    assert start == scanner.message.method + b" " + scanner.message.target + b" HTTP/1.1"
    names = [name for name, _ in fields]
    assert names.count(b"host") == 1
    assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1
    assert (b"host", scanner.message.host) in fields
    body = b"\r\n" * (min(scanner.message.length, 4096) // 2) + b"x" * (min(scanner.message.length, 4096) % 2)
    if scanner.message.length > len(body) or found & UPGRADE:
        return
    framed = b"3\r\nabc\r\n0\r\n\r\n" if found & CHUNKED else body
    content = b"abc" if found & CHUNKED else body
    for oracle in (requests_by_h11, requests_by_llhttp):
        read = oracle(scanner.message.text + framed + NEXT)
        if read is None or (scanner.message.method == b"M-SEARCH*" and not read):
            continue                     # refused: not read in another way
        assert len(read) == 2, oracle
        assert read[0] == ((scanner.message.method, scanner.message.target), fields, content)
        assert read[1].start == (b"GET", b"/next")


def check_response(scanner: Response, found: int, data: bytes, method: bytes) -> None:
    """Bytes sent to the client are read by every oracle with the body that the scanner found."""
    body = data[scanner.head:scanner.end]
    sent = scanner.message.text.removesuffix(body) if found & SIMPLE else scanner.message.text
    assert sent.endswith(b"\r\n\r\n")
    start, fields = plainly(sent)
    assert start.startswith(b"HTTP/1.1 %d " % scanner.message.status)
    names = [name for name, _ in fields]
    assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1
    if found & UPGRADE or not found & WHOLE:
        return
    read = responses_by_h11(sent + body, method)
    assert read is None or read[0] == ((scanner.message.status,), fields, body)
    if method != b"HEAD" and scanner.message.status >= 200:
        again = responses_by_llhttp(sent + body)
        assert again is None or again[0] == ((scanner.message.status,), fields, body)


def check_any(data: bytes) -> None:
    """Any data: no oracle reads what is made of it in another way, and pieces change nothing."""
    scanner = request()
    found = scanner.scan(data, 0, PEER, b"http", False)
    if found > 0:
        check_request(scanner, found)
        half = request()
        early = half.scan(data[:scanner.head - 1], 0, PEER, b"http", False)
        assert early == 0
    answer = Response(32768, 100)
    found = answer.scan(data, 0, False, 1, True)
    if found > 0:
        check_response(answer, found, data, b"GET")
    body = fed(Chunks(False, 0), data, len(data) or 1)
    content = fed(Chunks(True, 0), data, 3)
    assert body[0] == content[0]
    if body[0] == 1:
        assert body[2] == content[2]
        check_chunked(body[1], content[1])
