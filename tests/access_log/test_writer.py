"""The access log of a worker: a line per request, in batches, and never a wait for whoever reads it."""

import fcntl
import functools
import json
import os

import pytest

from lbd.access_log.line import BATCH as LINES
from lbd.access_log.writer import AccessLogWriter
from lbd.exchange.context import Refusal
from lbd.schema import Log
from lbd.stats import endings, fields, scoreboard
from lbd.stats.scoreboard import Board
from tests.rig import answer, request

LOG = '\n[log]\naccess = "stdout"\n'


@pytest.fixture
def pipe():
    reader, writer = os.pipe2(os.O_NONBLOCK)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    yield reader, writer
    os.close(reader)


@pytest.fixture
def logged(rig, pipe):
    """Waits for so many lines."""
    reader, writer = pipe
    rig.plane.log_to(writer)
    return functools.partial(rig.lines, reader, bytearray())


async def test_a_line_for_each_request_with_what_the_client_asked(simple, rig, stage, connect, logged):
    simple('[[listeners.web.routes]]\npath_prefix = "/v1/"\nstrip_prefix = "/v1"\nbackend = "app"', more=LOG)
    client = await connect()
    await client.send(request("/v1/x"))
    server = await stage.accept()
    assert (await server.head()).startswith(b"GET /x ")
    await server.send(answer(b"12345"))
    await client.message()
    await client.send(request("/other", method="POST", body=b"abc"))
    await server.message()
    await server.send(answer(b"", status="404 Not Found"))
    await client.message()
    first, second = await logged(2)
    assert (first["target"], first["route"], first["server"], first["status"], first["ending"]) == (
        "/v1/x", 0, "a", 200, "ok")
    assert first["connect"] is not None
    assert first["total"] >= first["first_byte"] >= first["queue"]
    assert (second["method"], second["target"], second["route"], second["status"]) == ("POST", "/other", None, 404)
    assert second["connect"] is None
    assert second["bytes_in"] == len(request("/other", method="POST", body=b"abc"))


async def test_what_is_refused_is_logged_too(simple, connect, logged):
    simple(more=LOG)
    client = await connect()
    await client.send(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
    told = await client.rest()
    line, = await logged(1)
    assert (line["status"], line["ending"], line["target"]) == (400, "bad-request", "/")
    assert line["bytes_out"] == len(told) > 0


async def test_a_request_that_is_cut_is_logged(simple, stage, connect, logged):
    simple(more=LOG)
    client = await connect()
    await client.send(request("/slow"))
    await (await stage.accept()).head()
    client.reset()
    line, = await logged(1)
    assert (line["target"], line["status"], line["ending"]) == ("/slow", 0, "client-reset")


async def test_off_means_that_nothing_is_even_asked(simple, rig, pipe):
    rig.plane.log_to(pipe[1])
    simple()
    assert rig.plane.context.access is None


@pytest.fixture
def log(pipe):
    made = AccessLogWriter(Board.create(1).row(0, scoreboard.PROCESS, 0), pipe[1])
    assert made.configure(Log(access="stdout"), 1)
    return made


NOTHING = Refusal(b"", -1, 0.0, 0, 100)


class Listening:
    listener = type("", (), {"name": "web", "settings": type("", (), {"logged": True})})
    address = b"192.0.2.1"


def drained(reader: int) -> bytes:
    found = b""
    while True:
        try:
            data = os.read(reader, 65536)
        except BlockingIOError:
            return found
        found += data


def test_a_full_pipe_loses_lines_counts_them_and_leaves_none_in_pieces(log, pipe):
    noted = 10 * LINES
    for _ in range(noted):
        log.refused(Listening, 400, endings.BAD_REQUEST, NOTHING)
        if log._lines.count >= LINES:
            log.flush()
    log.flush()
    found = drained(pipe[0])
    while more := (log.flush(), drained(pipe[0]))[1]:
        found += more
    whole = [json.loads(line) for line in found.splitlines()]
    assert found.endswith(b"\n")
    assert 0 < len(whole) < noted
    assert len(whole) + log._process.get(fields.PROCESS_LOG_DROPPED) == noted


def test_nobody_who_reads_is_no_fault(log, pipe):
    log.refused(Listening, 400, endings.BAD_REQUEST, NOTHING)
    duplicate = os.dup(pipe[0])
    os.close(pipe[0])
    os.close(duplicate)
    log.flush()
    assert log._process.get(fields.PROCESS_LOG_DROPPED) == 1
    os.dup2(os.open("/dev/null", os.O_RDONLY), pipe[0])


def test_closing_writes_what_waits(log, pipe):
    log.refused(Listening, 400, endings.BAD_REQUEST, NOTHING)
    log.close()
    assert os.read(pipe[0], 65536).count(b"\n") == 1


async def test_the_reason_of_what_failed(simple, rig, stage, connect, logged):
    simple(more=LOG)
    client = await connect()
    await client.send(request("/bad-answer"))
    server = await stage.accept()
    await server.head()
    await server.send(b"HTTP/1.1 200 OK\r\nX Bad: 1\r\n\r\n")
    await client.message()
    await client.send(b"POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    assert b" 400 " in (await client.message())[0]
    client = await connect()
    await client.send(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
    await client.rest()
    response, body, head = await logged(3)
    assert response["ending"] == "bad-response"
    assert "field name" in response["reason"]
    assert (body["target"], body["ending"]) == ("/body", "bad-request")
    assert "chunk" in body["reason"]
    assert head["ending"] == "bad-request"
    assert "field name" in head["reason"]


async def test_a_reason_belongs_to_one_request_only(simple, stage, connect, logged):
    simple(backend='retry_on = ["503"]\nretries = 1', more=LOG)
    stage.close()
    client = await connect()
    await client.send(request("/"))
    await client.message()
    await client.send(request("/", method="BAD "))
    await client.rest()
    refused, bad = await logged(2)
    assert refused["ending"] == "connect-refused"
    assert "refused" in refused["reason"].lower()
    assert bad["reason"] != refused["reason"]


PORT = LOG + 'access_fields = ["client", "client_port", "ending"]\n'


async def test_the_port_of_the_client(simple, stage, connect, logged):
    simple(more=PORT)
    client = await connect()
    port = client.writer.get_extra_info("sockname")[1]
    await client.send(request("/"))
    server = await stage.accept()
    await server.head()
    await server.send(answer())
    await client.message()
    await client.send(b"bad\r\n\r\n")
    await client.rest()
    for line in await logged(2):
        assert (line["client"], line["client_port"]) == ("127.0.0.1", port)


@pytest.mark.parametrize(("listener", "more", "sent", "wanted"), [
    ("proxy_protocol = true", '[global]\ntrusted_proxies = ["127.0.0.1"]\n',
     b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n",
     ("192.0.2.7", 4711)),
    ("", '[global]\ntrusted_proxies = ["127.0.0.1"]\n', b"", ("198.51.100.9", None))])
async def test_the_port_as_a_proxy_tells_it(simple, stage, connect, logged, listener, more, sent, wanted):
    simple(listener=listener, more=PORT + more)
    client = await connect()
    await client.send(sent + b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.9\r\n\r\n")
    server = await stage.accept()
    await server.head()
    await server.send(answer())
    await client.message()
    line, = await logged(1)
    assert (line["client"], line["client_port"]) == wanted


QUIET = '[[listeners.web.routes]]\npath = "/healthz"\naccess_log = false\n{does}\n'


@pytest.mark.parametrize("does", ["respond = { status = 200 }", 'backend = "app"'])
async def test_a_route_without_lines(simple, rig, stage, connect, logged, does):
    simple(QUIET.format(does=does), more=LOG)
    client = await connect()
    server = None
    for target in ("/healthz", "/a", "/healthz", "/b"):
        await client.send(request(target))
        if target != "/healthz" or "app" in does:
            server = server or await stage.accept()
            await server.head()
            await server.send(answer())
        await client.message()
    assert [line["target"] for line in await logged(2)] == ["/a", "/b"]
    simple(QUIET.format(does=does).replace("access_log = false", ""), more=LOG)     # a reload, on the same connection
    await client.send(request("/healthz"))
    if "app" in does:
        await server.head()
        await server.send(answer())
    await client.message()
    assert [line["target"] for line in await logged(3)] == ["/a", "/b", "/healthz"]


async def test_a_listener_without_lines(simple, rig, stage, connect, pipe):
    rig.plane.log_to(pipe[1])
    simple("access_log = false\n[[listeners.web.routes]]\npath = '/healthz'\nrespond = { status = 200 }", more=LOG)
    client = await connect()
    await client.send(request("/healthz"))
    await client.message()
    await client.send(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
    await client.rest()
    client.close()
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.ending("bad-request") == 1
    rig.plane.flush_logs()
    assert drained(pipe[0]) == b""
