"""The entrance: a listener's own filters see requests before they have a route."""

from tests.rig import answer, request

from .own import own

ROUTES = """
[[listeners.web.routes]]
path_prefix = "/new/"
backend = "app"
[[listeners.web.routes]]
path_prefix = "/old/"
respond = { status = 410 }
"""


async def test_a_rewrite_chooses_the_route(simple, rig, stage, connect):
    simple(own("Rewriting") + ROUTES)
    client = await connect()
    await client.send(request("/old/x"))
    server = await stage.accept()
    assert (await server.head()).startswith(b"GET /new/x HTTP/1.1\r\n")
    assert rig.in_flight() == 1
    await server.send(answer())
    assert (await client.message())[1] == b"ok"
    assert rig.ending("ok") == 1
    assert rig.ending("internal-error") == 0


async def test_an_answer_before_there_is_a_route(simple, rig, connect):
    simple(own("Rewriting") + ROUTES)
    client = await connect()
    await client.send(request("/stop"))
    head, body = await client.message()
    assert head.startswith(b"HTTP/1.1 418")
    assert body == b"stop\n"
    assert rig.ending("answered") == 1


async def test_bodies_pass_with_the_route(simple, stage, connect):
    simple(own("Framed"))
    client = await connect()
    await client.send(request(method="POST", body=b"hello"))
    server = await stage.accept()
    assert (await server.message())[1] == b"<hello>"
    await server.send(answer())
    assert (await client.message())[1] == b"<ok>"
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    await server.head()
    got = b""
    while not got.endswith(b"\r\n0\r\n\r\n"):
        got += await server.read(1)
    assert b"<hello" in got
    assert b">" in got
