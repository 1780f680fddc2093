"""The check `http` against a real server: what passes, what does not, and the reason given."""

import asyncio
import os
import socket

import pytest
from aiohttp import web

from lbd.health import http
from lbd.health.check import Subject
from lbd.health.http import STATUSES, HttpOptions
from lbd.schema.units import Address


async def check(address, options, timeout):
    """Check once; what is kept is closed."""
    subject = Subject(address)
    result = await http.check(subject, options, timeout)
    subject.release()
    return result


@pytest.fixture
async def server(tmp_path):
    seen = []

    async def handle(request):
        seen.append(request)
        if request.path == "/hang":
            await asyncio.Event().wait()
        if request.path == "/long":
            return web.Response(text="x" * 100_000 + "needle")
        status = int(request.query.get("status", 200))
        return web.Response(status=status, text="all is well", headers={"X-Mood": "good"})

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        await web.SockSite(runner, sock).start()
        await web.UnixSite(runner, str(tmp_path / "s")).start()
        yield Address("127.0.0.1", sock.getsockname()[1]), Address(path=str(tmp_path / "s")), seen
        await runner.cleanup()


def options(**given):
    if "expect_status" in given:
        given["expect_status"] = STATUSES.parse(given["expect_status"])
    return HttpOptions(**given)


@pytest.mark.parametrize(("given", "passed", "reason"), [
    ({}, True, "GET /: 200"),
    ({"path": "/x?status=503"}, False, "GET /x?status=503: 503"),
    ({"path": "/x?status=302"}, True, "GET /x?status=302: 302"),
    ({"path": "/x?status=404", "expect_status": "200-299, 404"}, True, "GET /x?status=404: 404"),
    ({"method": "HEAD"}, True, "HEAD /: 200"),
    ({"expect_header": {"x-mood": "good"}}, True, "GET /: 200"),
    ({"expect_header": {"x-mood": "*"}}, True, "GET /: 200"),
    ({"expect_header": {"x-mood": "bad"}}, False, "GET /: 200, header x-mood is \"good\""),
    ({"expect_header": {"x-none": "*"}}, False, "GET /: 200, header x-none is missing"),
    ({"expect_body": "is well"}, True, "GET /: 200"),
    ({"expect_body": "is ill"}, False, "GET /: 200, body without \"is ill\""),
    ({"expect_body_regex": "^all .* well$"}, True, "GET /: 200"),
    ({"expect_body_regex": "^ill"}, False, "GET /: 200, body does not match \"^ill\""),
    ({"path": "/long", "expect_body": "needle"}, False, "GET /long: 200, body without \"needle\""),
])
async def test_answers(server, given, passed, reason):
    result = await check(server[0], options(**given), 5.0)
    assert (result.passed, result.reason) == (passed, reason)


async def test_what_is_sent_also_over_a_unix_socket(server):
    _, unix, seen = server
    assert (await check(unix, options(path="/a?b=c", host="example.com", headers={"X-Key": "v"}), 5.0)).passed
    assert seen[0].path_qs == "/a?b=c"
    assert seen[0].headers["Host"] == "example.com"
    assert seen[0].headers["X-Key"] == "v"
    assert seen[0].headers["User-Agent"].startswith("lbd/")


async def test_a_server_on_an_abstract_unix_socket():
    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    address = Address(path=f"@lbd-test-http-{os.getpid()}")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(address.sun_path)
        async with await asyncio.start_unix_server(handle, sock=sock):
            assert (await check(address, options(), 5.0)).passed
    assert (await check(address, options(), 5.0)).reason == "GET /: connection refused"


async def test_a_server_that_hangs(server):
    assert (await check(server[0], options(path="/hang"), 0.05)).reason == "GET /hang: timeout"


async def test_nobody_there():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address = Address("127.0.0.1", sock.getsockname()[1])
        assert (await check(address, options(), 5.0)).reason == "GET /: connection refused"


async def test_connections_are_kept_where_that_is_asked_for(server):
    address, _, seen = server
    for keep, connections in ((False, 3), (True, 1)):
        seen.clear()
        subject = Subject(address)
        for _ in range(3):
            assert (await http.check(subject, options(keep_alive=keep), 5.0)).passed
        assert len({id(request.protocol) for request in seen}) == connections
        subject.release()


async def test_a_kept_connection_that_the_server_closed_is_no_failure():
    opened = []

    async def answer_once(reader, writer):
        opened.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.read(1)
        writer.close()      # instead of an answer to the second request

    async with await asyncio.start_server(answer_once, "127.0.0.1", 0) as other:
        subject = Subject(Address("127.0.0.1", other.sockets[0].getsockname()[1]))
        for _ in range(3):
            assert (await http.check(subject, options(keep_alive=True), 5.0)).reason == "GET /: 200"
        assert len(opened) == 3
        subject.release()


async def test_fields_of_the_policy_replace_those_of_lbd(server):
    address, _, seen = server
    await check(address, options(headers={"user-agent": "mine"}, method="POST"), 5.0)
    assert seen[0].headers.getall("User-Agent") == ["mine"]
    assert seen[0].headers["Content-Length"] == "0"
    assert seen[0].headers["Connection"] == "close"


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n"])
async def test_something_else_answers(said):
    async def speak(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        result = await check(Address("127.0.0.1", port), options(), 5.0)
        assert not result.passed


@pytest.mark.parametrize("bad", ["", "abc", "99", "400-300", "200-", [True], True, [], 600])
def test_bad_statuses(bad):
    with pytest.raises(ValueError, match=r"is|no status|not within"):
        STATUSES.parse(bad)


def test_which_of_several_statuses_is_bad():
    with pytest.raises(ValueError, match=r'^holds "2xx", which is no status'):
        STATUSES.parse(["301", "2xx"])


@pytest.mark.parametrize(("good", "read"), [
    (200, ((200, 200),)), ("200-399", ((200, 399),)), (["200", 301], ((200, 200), (301, 301)))])
def test_good_statuses(good, read):
    assert STATUSES.parse(good) == read


@pytest.mark.parametrize("keep_alive", [False, True])
async def test_each_connection_begins_with_the_greeting(keep_alive):
    heads = []

    async def serve(reader, writer):
        while (data := await reader.readuntil(b"\r\n\r\n")) if len(heads) < 2 else b"":
            heads.append(data)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            if not keep_alive:
                break
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        subject = Subject(Address("127.0.0.1", listening.sockets[0].getsockname()[1]), greeting=b"PROXY UNKNOWN\r\n")
        for _ in range(2):
            assert (await http.check(subject, options(keep_alive=keep_alive), 5.0)).passed
        subject.release()
    assert [head.startswith(b"PROXY UNKNOWN\r\nGET / ") for head in heads] == [True, not keep_alive]
