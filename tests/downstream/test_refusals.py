"""Bad requests are answered with an id, and logged with the fields that could be read."""

import fcntl
import functools
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from lbd.downstream.refusals import MOST, understood
from lbd.http import head
from tests.plane import Connect, Simple
from tests.rig import Rig

LOG = '\n[log]\naccess = "stdout"\naccess_format = "{}"\n'
PROTOCOL = ("method", "target", "host", "protocol")


@pytest.fixture
def logged(rig: Rig) -> Iterator[Any]:
    """Waits for so many lines."""
    reader, writer = os.pipe2(os.O_NONBLOCK)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    rig.plane.log_to(writer)
    yield functools.partial(rig.lines, reader, bytearray())
    os.close(reader)


REFUSED = {
    "a bad host": (b"GET /x HTTP/1.1\r\nHost: a b\r\n\r\n", 400, ("GET", "/x", "a b", "HTTP/1.1")),
    "a bad name": (b"PUT /x?y HTTP/1.1\r\nhost:  e \r\nX Y: 1\r\n\r\n", 400, ("PUT", "/x?y", "e", "HTTP/1.1")),
    "no host": (b"GET /x HTTP/1.1\r\nX: Host: a\r\n\r\n", 400, ("GET", "/x", None, "HTTP/1.1")),
    "another version": (b"GET /x HTTP/2.0\r\nHost: a\r\n\r\n", 400, ("GET", "/x", "a", None)),
    "CONNECT": (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501, ("CONNECT", "a:443", "a", "HTTP/1.1")),
    "a long target": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, ("GET", None, "a", None)),
    "a large head": (b"GET /x HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000, 431, ("GET", "/x", "a", "HTTP/1.1")),
    "TLS": (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03Host: a\r\n\r\n", 400, (None, None, None, None)),
    "hostile bytes": (b"GET /\x1b]0;\"\\ HTTP/1.1\r\nHost: \x07\"\r\n\r\n", 400,
                      ("GET", "/\x1b]0;\"\\", "\x07\"", "HTTP/1.1")),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_the_answer_has_the_id_of_its_line(simple: Simple, connect: Connect, logged: Any, name: str) -> None:
    sent, status, wanted = REFUSED[name]
    simple(more=LOG.format("json"))
    client = await connect()
    await client.send(sent)
    told = await client.rest()
    assert told.startswith(b"HTTP/1.1 %d " % status)
    found = re.search(rb"\r\nX-Request-Id: ([0-9a-f]{32})\r\n", told)
    assert found is not None
    line, = await logged(1)
    assert line["id"] == found[1].decode()
    assert (line["status"], line["bytes_out"]) == (status, len(told))
    assert 0 < line["bytes_in"] <= len(sent)
    assert line["total"] < 1
    seen = [line[key] for key in PROTOCOL]
    if wanted[1] is None and wanted[0] is not None:
        seen[1:] = [None, "a", None]        # as much of it as was read
    assert tuple(seen) == wanted


async def test_a_head_that_takes_too_long(rig: Rig, simple: Simple, connect: Connect, logged: Any) -> None:
    rig.quick.stop()
    simple(more=LOG.format("json") + "[timeouts]\nclient_header = '300ms'\n")
    client = await connect()
    await client.send(b"GET /slow HTTP/1.1\r\nHost: a\r\nX-")
    told = await client.rest()
    line, = await logged(1)
    assert line["id"].encode() in told
    assert (line["status"], line["target"], line["host"], line["bytes_in"]) == (408, "/slow", "a", 31)
    assert line["total"] >= 0.2


def test_what_was_understood_reads_as_a_head() -> None:
    text, minor = understood(b"\r\nGET /" + b"a" * 2 * MOST + b" HTTP/1.0\r\nHost: x", b"id")
    assert minor == 0
    assert head.values(text, b"host") == [b"x"]
    assert head.values(text, b"x-request-id") == [b"id"]
    assert len(text) < MOST + 100
    assert understood(b"", b"id") == (b"  HTTP/1.1\r\nX-Request-Id: id\r\n\r\n", -1)
    assert understood(b"GET / HTTP/1.1\r\n\r\nHost: smuggled\r\n", b"id")[0].count(b"Host") == 0
