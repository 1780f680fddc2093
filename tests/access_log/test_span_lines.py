"""Spans as a worker notes them: what the server gets, and the line for each sampled request."""

import functools
import json
import os

import pytest

from lbd.stats import fields
from tests.rig import answer, request

ON = "\n[tracing]\nenabled = true\n"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def noted(rig):
    """Waits for so many lines about spans."""
    reader, writer = os.pipe2(os.O_NONBLOCK)
    rig.plane.trace_to(writer)
    yield functools.partial(rig.lines, reader, bytearray())
    os.close(reader)


def given(flags: str) -> str:
    return f"traceparent: 00-{TRACE}-{PARENT}-{flags}"


def parent(head: bytes) -> str:
    """The traceparent of a head."""
    return next(line for line in head.decode().split("\r\n") if line.lower().startswith("traceparent:"))[13:]


async def exchanged(client, stage, data: bytes) -> bytes:
    """Send the request and answer it; returns the head that the server got."""
    await client.send(data)
    server = await stage.accept()
    head = await server.head()
    await server.send(answer(b"ok", "Connection: close"))
    await client.message()
    return head


async def test_a_clients_trace_goes_on_with_a_span_of_our_own(simple, stage, connect, noted):
    simple("[[listeners.web.routes]]\npath_prefix = \"/v1/\"\nstrip_prefix = \"/v1\"\nbackend = \"app\"", more=ON)
    head = await exchanged(await connect(), stage, request("/v1/x?q=1", given("01")))
    assert head.startswith(b"GET /x?q=1 ")
    version, trace, span, flags = parent(head).split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert span != PARENT
    line, = await noted(1)
    assert line["header:lbd-span"] == parent(head)
    assert line["header:traceparent"] == f"00-{TRACE}-{PARENT}-01"
    assert (line["target"], line["server"], line["status"], line["ending"]) == ("/v1/x?q=1", "a", 200, "ok")
    assert line["unix"] > 1.6e9


async def test_what_the_client_does_not_sample_is_passed_on_and_not_noted(simple, stage, connect, noted):
    simple(more=ON + 'sample = "0%"')
    client = await connect()
    head = await exchanged(client, stage, request("/", given("00")))
    assert parent(head).startswith(f"00-{TRACE}-")
    assert parent(head).endswith("-00")
    assert parent(await exchanged(client, stage, request("/new"))).endswith("-00")
    await exchanged(client, stage, request("/sampled", given("01")))
    line, = await noted(1)
    assert line["target"] == "/sampled"


async def test_what_lbd_answers_itself_has_a_span_too(simple, connect, noted):
    simple('[[listeners.web.routes]]\npath = "/hello"\nrespond = { body = "hi" }', more=ON)
    client = await connect()
    await client.send(request("/hello"))
    await client.message()
    line, = await noted(1)
    assert (line["backend"], line["ending"], line["header:traceparent"]) == (None, "answered", None)


async def test_with_the_access_log_both_get_their_lines(simple, rig, stage, connect, noted):
    reader, writer = os.pipe2(os.O_NONBLOCK)
    rig.plane.log_to(writer)
    simple(more=ON + '[log]\naccess = "stdout"\n')
    await exchanged(await connect(), stage, request("/both"))
    assert (await noted(1))[0]["target"] == "/both"
    logged = json.loads(os.read(reader, 65536))
    assert logged["target"] == "/both"
    assert "unix" not in logged
    os.close(reader)


async def test_off_means_that_nothing_is_touched(simple, rig, stage, connect, noted):
    simple()
    head = await exchanged(await connect(), stage, request("/", given("01")))
    assert parent(head) == f"00-{TRACE}-{PARENT}-01"
    assert rig.plane.context.access is None


async def test_spans_that_nobody_takes_are_counted(simple, rig, stage, connect):
    reader, writer = os.pipe2(os.O_NONBLOCK)
    rig.plane.trace_to(writer)
    os.close(reader)
    simple(more=ON)
    await exchanged(await connect(), stage, request("/"))
    await rig.until(lambda: rig.plane.assembly.process.get(fields.PROCESS_SPANS_DROPPED) == 1)
    assert rig.plane.assembly.process.get(fields.PROCESS_LOG_DROPPED) == 0
