"""The targets of `tests.fuzz.kernels`: readers of foreign bytes, and what must hold of each whatever the bytes are."""

import ipaddress
import json
import random
import tempfile
import tomllib
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w

from lbd import balance, health
from lbd.access_log.columns import NAMES
from lbd.access_log.line import LineFormatter
from lbd.config import effective
from lbd.config.reader import read_file
from lbd.errors import ConfigError, Problem
from lbd.http.head import CHUNKED, KEEP, SIMPLE, UNTIL_CLOSE, UPGRADE, WHOLE, Chunks, Request, Response
from lbd.net import proxy_header
from lbd.stats import endings
from lbd.stats.scoreboard import PROCESS, ROUTE, Board, Record
from lbd.tls import client_hello
from tests.http.checks import PEER, check_chunked, check_request, check_response
from tests.http.oracles import plainly

CORPUS = Path(__file__).with_name("corpus")
EVERY = 48               # bytes up to which an input is cut at each place
CUTS = 6                 # places at which a longer one is cut
MOST_HEAD, MOST_FIELDS = 2048, 24
STATUSES = {-400, -408, -413, -414, -417, -431, -501, -505}
METHODS = (b"GET", b"HEAD")


class Target(NamedTuple):
    """A reader. `check` raises for a property that does not hold; `longest` are the bytes of an input; `compiled`
    says where its coverage comes from; `words` are what its language is made of."""

    check: Callable[[bytes], None]
    longest: int
    compiled: bool = False
    words: tuple[bytes, ...] = ()


def places(data: bytes) -> list[int]:
    """Where to cut the data: the same places each time."""
    if len(data) <= EVERY:
        return list(range(len(data)))
    return sorted(random.Random(zlib.crc32(data)).sample(range(len(data)), CUTS))


def pieces(data: bytes) -> Iterator[bytes]:
    """The data in the pieces that its places make."""
    ends = [*places(data), len(data)]
    yield from (data[start:end] for start, end in zip([0, *ends], ends, strict=False))


def check_head(out: bytes) -> None:
    """A head is lines that end in CRLF, and in no value is CR, LF or NUL."""
    assert out.endswith(b"\r\n\r\n")
    start, fields = plainly(out)
    for text in (start, *(part for field in fields for part in field)):
        assert not set(text) & set(b"\r\n\0"), text
    assert all(name for name, _ in fields)


def check_request_head(data: bytes) -> None:
    """A request head: the first byte says whether the peer is trusted, and whether Forwarded is written."""
    way, data = (data[:1] or b"\0")[0], data[1:]
    trusted, forwarded = bool(way & 1), bool(way & 2)
    whole = Request(MOST_HEAD, MOST_FIELDS, 512, forwarded)
    result = whole.scan(data, 0, PEER, b"http", trusted)
    assert result >= 0 or (result in STATUSES and whole.error)
    cut = Request(MOST_HEAD, MOST_FIELDS, 512, forwarded)
    for size in places(data):
        early = cut.scan(data[:size], 0, PEER, b"http", trusted)
        if early < 0:
            assert (early, cut.error) == (result, whole.error)
        elif early:
            assert result > 0
            assert size >= whole.head
            assert (cut.message.method, cut.message.target, cut.message.host, cut.message.length) == (
                whole.message.method, whole.message.target, whole.message.host, whole.message.length)
        else:
            assert result <= 0 or size < whole.head
    if result <= 0:
        return
    assert 0 < whole.head <= len(data)
    assert not result & WHOLE or whole.head <= whole.end <= len(data)
    check_head(whole.message.text)
    check_request(whole, result)
    if whole.message.host:
        again = Request(1 << 20, 65536, 1 << 16, forwarded)
        second = again.scan(whole.message.text, 0, PEER, b"http", trusted)
        assert second > 0, again.error
        assert second & (CHUNKED | UPGRADE) == result & (CHUNKED | UPGRADE)
        assert (again.message.method, again.message.target, again.message.host, again.message.length) == (
            whole.message.method, whole.message.target, whole.message.host, whole.message.length)


def check_answer_head(data: bytes) -> None:
    """A response head: the first byte says whether HEAD was asked, by which version, and whether to keep."""
    way, data = (data[:1] or b"\0")[0], data[1:]
    to_head, minor, keep = bool(way & 1), way >> 1 & 1, bool(way & 4)
    whole = Response(MOST_HEAD, MOST_FIELDS)
    result = whole.scan(data, 0, to_head, minor, keep)
    assert result >= 0 or (result == -502 and whole.error)
    cut = Response(MOST_HEAD, MOST_FIELDS)
    for size in places(data):
        early = cut.scan(data[:size], 0, to_head, minor, keep)
        if early < 0:
            assert (early, cut.error) == (result, whole.error)
        elif early:
            assert result > 0
            assert size >= whole.head
            assert (cut.message.status, cut.message.length) == (whole.message.status, whole.message.length)
        else:
            assert result <= 0 or size < whole.head
    if result <= 0:
        return
    assert 0 < whole.head <= len(data)
    assert not result & WHOLE or whole.head <= whole.end <= len(data)
    sent = whole.message.text.removesuffix(data[whole.head:whole.end]) if result & SIMPLE else whole.message.text
    check_head(sent)
    again = Response(1 << 20, 65536)
    second = again.scan(sent, 0, to_head, minor, keep)
    assert second > 0, again.error
    assert (again.message.status, again.message.length) == (whole.message.status, whole.message.length)
    assert not result & UNTIL_CLOSE or not second & KEEP
    if minor:
        assert second & (CHUNKED | UPGRADE | UNTIL_CLOSE) == result & (CHUNKED | UPGRADE | UNTIL_CLOSE)
        check_response(whole, result, data, METHODS[to_head])


def follow(chunks: Chunks, parts: Iterator[bytes]) -> tuple[int, bytes, int]:
    """The last result, all that passed, and where the body ended."""
    passed, at = b"", 0
    for part in parts:
        result = chunks.feed(part, 0)
        assert 0 <= result <= 1 or (result in (-400, -413) and chunks.error)
        if result < 0:
            return result, b"", 0
        passed += chunks.out
        if result:
            assert 0 <= chunks.end <= len(part)
            return result, passed, at + chunks.end
        at += len(part)
    return 0, passed, at


def check_chunks(data: bytes) -> None:
    """A chunked body: the first byte is its limit, in units of 16 bytes; 0 is none."""
    limit, data = (data[:1] or b"\0")[0] * 16, data[1:]
    results = []
    for decode in (False, True):
        chunks = Chunks(decode, limit)
        whole = follow(chunks, iter((data,)))
        for parts in (pieces(data), (data[at:at + 1] for at in range(len(data)))):
            cut = follow(Chunks(decode, limit), parts)
            assert cut == whole if whole[0] >= 0 else cut[0] < 0
        assert not limit or whole[0] < 0 or chunks.size <= limit
        assert not decode or whole[0] < 0 or len(whole[1]) == chunks.size
        results.append(whole)
    framed, content = results
    assert (framed[0], framed[2]) == (content[0], content[2])
    if framed[0] == 1:
        again = Chunks(False, 0)
        assert (again.feed(framed[1], 0), again.out, again.end) == (1, framed[1], len(framed[1]))
        check_chunked(framed[1], content[1])


def check_prefixes(parse: Callable[[bytes], Any], refusal: type[Exception], data: bytes) -> Any:
    """The result of reading the data, None where it is refused; a prefix of it is either read alike or incomplete."""
    found = failed = None
    try:
        found = parse(data)
    except refusal as error:
        failed = error
    assert failed is None or str(failed)
    for size in places(data):
        try:
            early = parse(data[:size])
        except refusal:
            assert failed, f"{size} bytes are refused, all of them are not"
        else:
            assert early is None or early == found
    return found


def vector(width: int, data: bytes) -> bytes:
    """Data behind its length."""
    return len(data).to_bytes(width) + data


def check_client_hello(data: bytes) -> None:
    """A ClientHello: one made of what was read says the same."""
    found = check_prefixes(client_hello.parse, client_hello.HelloError, data)
    if found is None:
        return
    assert found.name.isascii()
    assert found.name == found.name.lower()
    assert not set(found.name.encode()) & set(range(33))
    extensions = b""
    if found.name:
        extensions += b"\0\0" + vector(2, vector(2, b"\0" + vector(2, found.name.encode())))
    if found.protocols:
        extensions += b"\0\x10" + vector(2, vector(2, b"".join(vector(1, name) for name in found.protocols)))
    body = b"\3\3" + bytes(32) + b"\0" + vector(2, b"\x13\1") + vector(1, b"\0") + vector(2, extensions)
    message = b"\1" + vector(3, body)
    records = b"".join(b"\x16\3\1" + vector(2, message[at:at + 1000]) for at in range(0, len(message), 1000))
    assert len(records) > client_hello.LONGEST or client_hello.parse(records) == found


def plain(end: tuple[str, int] | None) -> tuple[str, int] | None:
    """With an IPv4-mapped address as the IPv4 address that it is: between two families the older one is written so."""
    if end is None:
        return None
    address = ipaddress.ip_address(end[0])
    return str(getattr(address, "ipv4_mapped", None) or address), end[1]


def check_proxy_header(data: bytes) -> None:
    """A PROXY header: what is written of what was read is read as the same."""
    found = check_prefixes(proxy_header.parse, proxy_header.HeaderError, data)
    if found is None:
        return
    assert found.size <= len(data)
    assert proxy_header.parse(data[:found.size]) == found
    for version in (1, 2):
        text = proxy_header.write(version, found.source, found.target, found.extras)
        again = proxy_header.parse(text)
        assert again is not None
        assert (again.size, plain(again.source), plain(again.target)) == (len(text), plain(found.source),
                                                                          plain(found.target))
        if version == 2 and found.source and found.size + 7 <= proxy_header.LONGEST:
            assert again.extras == found.extras


BOARD = Board.create(1)
FORMS = ("json", "common", "combined")


def check_log_line(data: bytes) -> None:
    """A line of the access log: the first byte is the form, the second the size of the client's name before the head.

    Bytes that are no head make a line too.
    """
    form = FORMS[(data[:1] or b"\0")[0] % 3]
    size = data[1] if len(data) > 1 else 0
    client, head = data[2:2 + size], data[2 + size:]
    scanner = Request(1 << 20, 1000, 1 << 19)
    heads = [head]
    if scanner.scan(head, 0, PEER, b"http", True) > 0:
        heads.append(scanner.message.text)
    record = Record(BOARD.row(0, PROCESS, 0))
    record.begin(BOARD.row(0, ROUTE, 0), None)
    record.finish(endings.OK, 0, 0)
    log = LineFormatter(form, (*NAMES, "header:X-Tenant", "header:Cookie"), 1.0, 1, 1)
    for text in heads:
        log.add(record, "web", 0, "app", "a", client, text, 1, 1, 2, endings.OK)
    log.refused(record.started, record.started, "web", client, 400, head, 1, len(head), 0, endings.BAD_REQUEST,
                head.decode("latin-1"), 5)
    assert log.count == len(heads) + 1
    lines = log.take()
    assert lines.endswith(b"\n")
    assert not set(lines) & ({*range(32), 127} - {10})
    assert lines.isascii() or (form == "json" and lines.decode())
    assert lines.count(b"\n") == len(heads) + 1
    if form == "json":
        read_back = [json.loads(line) for line in lines.splitlines()]
        assert all(len(line) == len(NAMES) + 2 for line in read_back)
        if len(heads) == 2:
            assert read_back[1]["method"] == scanner.message.method.decode()
            given = scanner.message.get(b"x-request-id") or b""
            assert not given.isascii() or read_back[1]["id"] == given.decode()


ROOM = tempfile.TemporaryDirectory(prefix="lbd-fuzz-")
FILE = Path(ROOM.name, "lbd.toml")


def read_configuration(data: bytes) -> Any:
    """The configuration in a file with that content."""
    FILE.write_bytes(data)
    return read_file(str(FILE), balance.ALGORITHMS, health.CHECKS).config


def check_problems(problems: list[Problem], lines: int) -> None:
    """Problems of a file of so many lines: there are some, and each is one line that a terminal can show."""
    assert problems
    for problem in problems:
        assert str(problem).isprintable(), str(problem)
        assert 0 <= problem.line <= lines


def check_configuration(data: bytes) -> None:
    """A configuration: it is refused in lines that can be shown, or it can be written and read again."""
    with suppress(ValueError, RecursionError):
        if "include" in tomllib.loads(data.decode().replace("\r\n", "\n")):
            return               # it would read what lies about here
    try:
        config = read_configuration(data)
    except ConfigError as error:
        check_problems(error.problems, data.count(b"\n") + 1)
        return
    written = tomli_w.dumps(effective.tables(config))
    assert read_configuration(written.encode()) == config, written


HTTP = (b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\r\n\r\n", b"Host: ", b"Content-Length: ", b"Transfer-Encoding: chunked",
        b"Connection: ", b"close", b"keep-alive", b"upgrade", b"Upgrade: websocket", b"Expect: 100-continue",
        b"X-Forwarded-For: ", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: ", b"Forwarded: for=", b"Via: ",
        b"X-Request-Id: ", b"Max-Forwards: ", b"OPTIONS * ", b"CONNECT ", b"TRACE ", b"http://", b"TE: trailers",
        b"Trailer: ", b"Keep-Alive: ", b"Cookie: ", b"User-Agent: ", b"Referer: ", b"X-Tenant: ", b"101", b"204",
        b"304", b"WWW-Authenticate: NTLM", b"Set-Cookie: ", b"Proxy-Connection: ", b"Date: ")
KEYS = (*(f"{word} = ".encode() for word in (
    "bind", "backend", "servers", "address", "weight", "algorithm", "health", "mode", "tls", "certificates", "workers",
    "path_prefix", "routes", "host", "redirect", "respond", "status", "sticky", "queue", "interval", "request_headers",
    "set", "remove", "max_conns", "timeouts", "connect", "drain", "trusted", "rate")),
    b"[listeners.web]", b"[[listeners.web.routes]]", b"[backends.app.servers]", b"[global]", b"[metrics]", b"[admin]",
    b"[health.", b"[log]", b"[errors]", b"[timeouts]", b"127.0.0.1:80", b'"5s"', b'"1MiB"', b'"unix:/a"', b"true",
    b'"least-connections"', b'"consistent-hash"', b"\\u000a", b"{ ", b" }", b"[", b"]", b'"""', b"'")

TARGETS = {
    "request": Target(check_request_head, 4096, True, HTTP),
    "answer": Target(check_answer_head, 4096, True, HTTP),
    "chunks": Target(check_chunks, 2048, True, (b"\r\n", b"0\r\n\r\n", b"5\r\n", b";a=\"", b"\\\"", *HTTP)),
    "client-hello": Target(check_client_hello, 4096, words=(b"\x16\3\1", b"\3\3", b"\0\x10", b"h2", b"http/1.1")),
    "proxy-header": Target(check_proxy_header, 1024, words=(
        proxy_header.SIGNATURE, b"PROXY ", b"TCP4 ", b"TCP6 ", b"UNKNOWN", b"\r\n", b"::1", b"192.0.2.1")),
    "log-line": Target(check_log_line, 16384, True, HTTP),
    "configuration": Target(check_configuration, 4096, words=KEYS),
}
