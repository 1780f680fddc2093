"""The chain: in which order filters are called, what becomes of bodies and their framing, and filters that fail."""

import re

import pytest

from lbd.exchange.filter import FilterAnswer
from lbd.exchange.states import HELD
from lbd.stats import fields, scoreboard
from tests.rig import answer, request

from .own import Hasty, Holding, own


def named(name: str) -> str:
    return f'{{ use = "tests.filters.own:Named", name = "{name}" }}'


def passed(head: bytes) -> list[bytes]:
    return re.findall(rb"X-Passed: (\w+)", head)


def unchunked(body: bytes) -> bytes:
    """The content of a chunked body."""
    content = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        if size == b"0":
            break
        content, body = content + body[:int(size, 16)], body[int(size, 16) + 2:]
    return content


async def test_requests_pass_in_order_and_answers_the_other_way(simple, stage, connect):
    route = f"[[listeners.web.routes]]\npath_prefix = '/'\nbackend = 'app'\n{own(named('route'))}\n"
    simple(f"{own(named('listener'))}\n{route}", f"request_headers = {{ add = {{ X-Passed = 'edits' }} }}\n"
           f"response_headers = {{ add = {{ X-Passed = 'edits' }} }}\n{own(named('backend'))}")
    client = await connect()
    await client.send(request())
    server = await stage.accept()
    assert passed(await server.head()) == [b"listener", b"edits", b"route", b"backend"]
    await server.send(answer())
    assert passed((await client.message())[0]) == [b"backend", b"route", b"edits", b"listener"]


async def test_a_whole_answer_keeps_a_length(simple, stage, connect):
    simple(backend=own("Framed", "Upper"))
    client = await connect()
    await client.send(request())
    server = await stage.accept()
    await server.head()
    await server.send(answer(b"hello"))
    head, body = await client.message()
    assert body == b"<HELLO>"
    assert head.lower().count(b"content-length") == 1
    await client.send(request())        # the connection goes on
    await server.head()
    await server.send(answer(b""))
    assert (await client.message())[1] == b"<>"


async def test_a_long_answer_is_sent_in_chunks(simple, stage, connect):
    simple(backend=own("Framed"))
    client = await connect()
    await client.send(request())
    server = await stage.accept()
    await server.head()
    await server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    head = await client.head()
    assert b"content-length" not in head.lower()
    assert b"\r\nTransfer-Encoding: chunked\r\n" in head
    await server.send(b"world")
    assert unchunked(await client.read(len(b"6\r\n<hello\r\n6\r\nworld>\r\n0\r\n\r\n"))) == b"<helloworld>"
    await client.send(request())
    await server.head()
    await server.send(answer(b"x"))
    assert (await client.message())[1] == b"<x>"


async def test_a_chunked_answer_is_read_and_its_trailers_pass(simple, stage, connect):
    simple(backend=own("Framed"))
    client = await connect()
    await client.send(request())
    server = await stage.accept()
    await server.head()
    await server.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n")
    await client.head()
    want = b"6\r\n<hello\r\n1\r\n>\r\n0\r\nX-Sum: 7\r\n\r\n"
    assert unchunked(want) == b"<hello>"
    got = await client.read(len(b"0\r\nX-Sum: 7\r\n\r\n"))
    while not got.endswith(b"\r\n\r\n"):
        got += await client.read(1)
    assert unchunked(got) == b"<hello>"
    assert got.endswith(b"0\r\nX-Sum: 7\r\n\r\n")


async def test_an_old_client_gets_a_body_that_ends_with_the_connection(simple, stage, connect):
    simple(backend=own("Framed"))
    client = await connect()
    await client.send(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
    server = await stage.accept()
    await server.head()
    await server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    head = await client.head()
    assert b"\r\nConnection: close\r\n" in head
    assert b"content-length" not in head.lower()
    assert b"chunked" not in head.lower()
    await server.send(b"world")
    assert await client.rest() == b"<helloworld>"


@pytest.mark.parametrize(("method", "status", "length"), [
    ("HEAD", "200 OK", False), ("GET", "304 Not Modified", False), ("GET", "204 No Content", None)])
async def test_answers_without_a_body_have_none(simple, stage, connect, method, status, length):
    simple(backend=own("Framed"))
    client = await connect()
    await client.send(request(method=method))
    server = await stage.accept()
    await server.head()
    lines = b"" if length is None else b"Content-Length: 5\r\n"
    await server.send(b"HTTP/1.1 " + status.encode() + b"\r\n" + lines + b"\r\n")
    assert b"content-length" not in (await client.head()).lower()
    await client.send(request())
    await server.head()
    await server.send(answer(b"x"))
    assert (await client.message())[1] == b"<x>"


@pytest.mark.parametrize(("kind", "body"), [("Framed", b"<part>"), ("Upper", b"part")])
async def test_a_part_is_for_filters_of_parts(simple, stage, connect, kind, body):
    simple(backend=own(kind))
    client = await connect()
    await client.send(request())
    server = await stage.accept()
    await server.head()
    await server.send(answer(b"part", "Content-Range: bytes 0-3/9", status="206 Partial Content"))
    assert (await client.message())[1] == body


async def test_a_whole_request_keeps_a_length(simple, stage, connect):
    simple(backend=own("Framed"))
    client = await connect()
    await client.send(request(method="POST", body=b"hello"))
    server = await stage.accept()
    head, body = await server.message()
    assert body == b"<hello>"
    assert head.lower().count(b"content-length") == 1


async def test_a_long_request_is_sent_in_chunks(simple, stage, connect):
    simple(backend=own("Framed"))
    client = await connect()
    await client.send(request(method="POST", body=b"helloworld")[:-5])
    server = await stage.accept()
    head = await server.head()
    assert b"content-length" not in head.lower()
    await client.send(b"world")
    got = b""
    while not got.endswith(b"0\r\n\r\n"):
        got += await server.read(1)
    assert unchunked(got) == b"<helloworld>"
    await server.send(answer(b"ok"))
    assert (await client.message())[1] == b"<ok>"


@pytest.mark.parametrize("pieces", [1, 3])
async def test_a_chunked_request_is_read_and_its_trailers_pass(simple, stage, connect, pieces):
    simple(backend=own("Framed"))
    client = await connect()
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n"
    await client.send(head + body if pieces == 1 else head)
    for at in range(0, len(body), 9) if pieces > 1 else ():
        await client.send(body[at:at + 9])
    server = await stage.accept()
    await server.head()
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        got += await server.read(1)
    assert unchunked(got) == b"<hello>"
    assert got.endswith(b"0\r\nX-Sum: 7\r\n\r\n")


async def test_a_filter_answers(simple, rig, connect):
    simple(backend=own("Failing"))
    client = await connect()
    for body in (b"", b"body"):
        await client.send(request("/", "X-Refuse: 1", method="POST" if body else "GET", body=body))
        head, got = await client.message()
        assert head.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert b"\r\nX-Why: asked\r\n" in head
        assert got == b"no\n"
    assert rig.ending("answered") == 2


@pytest.mark.parametrize(("hook", "method"), [("request", "GET"), ("response", "GET"), ("request-data", "POST"),
                                              ("response-data", "GET"), ("text", "GET")])
@pytest.mark.parametrize("passes", [False, True])
async def test_a_filter_that_fails(simple, rig, stage, connect, told, hook, method, passes):
    simple(backend=own(f'{{ use = "tests.filters.own:Failing", passes = {str(passes).lower()} }}'))
    client = await connect()
    await client.send(request("/", f"X-Fail: {hook}", method=method, body=b"body" if method == "POST" else b""))
    if passes or hook in ("response", "response-data", "text"):
        server = await stage.accept()
        assert (await server.message())[1] == (b"body" if method == "POST" else b"")
        await server.send(answer())
    head, body = await client.message()
    assert head.startswith(b"HTTP/1.1 200" if passes else b"HTTP/1.1 500")
    assert body == b"ok" or not passes
    assert rig.ending("filter-failed") == (not passes)
    assert rig.board.total(scoreboard.PROCESS, 0, fields.PROCESS_FILTER_ERRORS) >= 1
    line, = [line for line in told if line["event"] == "a filter failed"]
    assert (line["filter"], line["backend"], line["listener"]) == ("Failing", "app", "web")


async def test_a_filter_that_fails_within_a_body_breaks_the_answer_off(simple, rig, stage, connect):
    simple(backend=own("Failing"))
    client = await connect()
    await client.send(request("/", "X-Fail: response-data"))
    server = await stage.accept()
    await server.head()
    await server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    await client.head()
    await server.send(b"hello")
    assert await client.rest() == b""
    assert rig.ending("filter-failed") == 1


async def test_a_failure_at_the_end_changes_nothing(simple, rig, stage, connect):
    simple(backend=own("Failing"))
    client = await connect()
    await client.send(request("/", "X-Fail: end"))
    server = await stage.accept()
    await server.head()
    await server.send(answer())
    assert (await client.message())[1] == b"ok"
    assert rig.ending("ok") == 1
    assert rig.board.total(scoreboard.PROCESS, 0, fields.PROCESS_FILTER_ERRORS) == 1


@pytest.mark.parametrize("body", [b"", b"hello"])
async def test_a_request_is_held_and_goes_on(simple, stage, connect, rig, body):
    simple(backend=own("Holding", "Framed"))
    client = await connect()
    sent = request(method="POST" if body else "GET", body=body)
    await client.send(sent[:-2] if body else sent)
    await rig.until(lambda: len(Holding.held) == 1)
    if body:
        await client.send(sent[-2:])
    Holding.held[0].release()
    server = await stage.accept()
    head = await server.head()
    got = b""
    while body and not got.endswith(b"0\r\n\r\n"):
        got += await server.read(1)
    assert unchunked(got) == (b"<hello>" if body else b"")
    assert head
    await server.send(answer())
    assert (await client.message())[1] == b"<ok>"
    Holding.held[0].release()      # it is over, and nothing happens
    assert Holding.ended == [0]


@pytest.mark.parametrize("by", ["self", "exchange"])
@pytest.mark.parametrize("body", [b"", b"hello"])
async def test_a_release_counts_that_comes_before_the_hold(simple, stage, connect, by, body):
    simple(backend=own("Hasty", "Framed"))
    client = await connect()
    await client.send(request("/", f"X-Release: {by}", method="POST" if body else "GET", body=body))
    server = await stage.accept()
    assert (await server.message())[1] == (b"<hello>" if body else b"")
    await server.send(answer())
    assert (await client.message())[1] == b"<ok>"


@pytest.mark.parametrize("by", ["self", "exchange", "none"])
async def test_a_release_before_a_hold_is_not_for_the_next_filter(simple, stage, connect, rig, by):
    simple(backend=own("Hasty", "Holding"))
    client = await connect()
    await client.send(request("/", f"X-Release: {by}"))
    await rig.until(lambda: len(Holding.held) == 1)
    held, = Holding.held
    assert held.state == HELD
    chain, = rig.plane.context.chains.values()
    hasty, = (one for one in chain.filters if isinstance(one, Hasty))
    hasty.release(held)             # a second one, of a filter that does not hold it
    assert held.state == HELD
    Holding.made.release(held)
    server = await stage.accept()
    await server.head()
    await server.send(answer())
    assert (await client.message())[1] == b"ok"


async def test_a_release_does_not_end_the_wait_for_a_body(simple, stage, connect, rig):
    simple(backend=f"request_buffer = '1MiB'\n{own('Holding')}")
    client = await connect()
    whole = request(method="POST", body=b"hello")
    await client.send(whole[:-2])
    await rig.until(lambda: len(Holding.held) == 1)
    held, = Holding.held
    Holding.made.release(held)
    assert held.state == HELD
    for again in (Holding.made.release, type(held).release):
        again(held)
    assert held.upstream is None
    await client.send(whole[-2:])
    server = await stage.accept()
    assert (await server.message())[1] == b"hello"


@pytest.mark.parametrize("short", [0, 3])
async def test_a_client_that_leaves_ends_what_is_held(simple, connect, rig, short):
    simple(backend=own("Holding"))
    client = await connect()
    sent = request(method="POST", body=b"hello")
    await client.send(sent[:len(sent) - short])
    await rig.until(lambda: len(Holding.held) == 1)
    client.reset()
    await rig.until(lambda: len(Holding.ended) == 1)
    assert rig.ending("filter-timeout") == 0
    Holding.held[0].release()


async def test_a_hold_does_not_last_for_ever(simple, connect, rig):
    simple(backend=own("Holding"))
    client = await connect()
    await client.send(request())
    await rig.until(lambda: len(Holding.held) == 1)
    assert Holding.held[0].state == HELD
    assert (await client.message())[0].startswith(b"HTTP/1.1 504")
    assert rig.ending("filter-timeout") == 1
    Holding.made.answer(Holding.held[0], FilterAnswer(200))


async def test_a_route_without_filters_has_no_chain(simple, rig, stage, connect):
    simple()
    assert not rig.plane.context.chains
