"""The connection of http checks, against a server that says what the test wants."""

import asyncio

import pytest

from lbd.health.connection import LOOKED_AT, BadResponse, Connection, Lost
from lbd.schema.units import Address

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
async def peer():
    """Opens a connection, and gives the server's side of it too."""
    accepted = asyncio.Queue()
    done = asyncio.Event()

    async def hold(reader, writer):
        accepted.put_nowait((reader, writer))
        await done.wait()
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        async def opened():
            connection = await Connection.open(Address("127.0.0.1", server.sockets[0].getsockname()[1]))
            return connection, *await accepted.get()
        yield opened
        done.set()


async def told(peer, said, close=False, for_head=False, to_end=True, wanted=True):
    """Ask, and be told so, in pieces of 7 bytes; returns the connection and the answer."""
    connection, reader, writer = await peer()
    deadline = asyncio.get_running_loop().time() + 5
    asked = asyncio.ensure_future(connection.send_request(ASK, deadline, for_head, to_end, wanted))
    await reader.readexactly(len(ASK))
    for start in range(0, len(said), 7):
        if not asked.done():
            connection.data_received(said[start:start + 7])
    if close:
        writer.close()
    try:
        return connection, await asked
    finally:
        connection.close()


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(("said", "close", "body"), [
    (HEAD + b"Content-Length: 3\r\n\r\nabc", False, b"abc"),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", False, b"abc"),
    (HEAD + b"\r\nabc", True, b"abc"),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 0\r\n\r\n", False, b""),
    (b"HTTP/1.1 204 No Content\r\n\r\n", False, b""),
])
async def test_bodies(peer, said, close, body):
    _, answer = await told(peer, said, close)
    assert answer.body == body
    assert answer.status == int(said.rpartition(b"HTTP/1.1 ")[2][:3])


async def test_the_answer_to_head_has_no_body(peer):
    _, answer = await told(peer, HEAD + b"Content-Length: 3\r\n\r\n", for_head=True)
    assert answer.body == b""


@pytest.mark.parametrize(("said", "error"), [
    (b"SSH-2.0-OpenSSH\r\n\r\n", BadResponse),
    (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", BadResponse),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", BadResponse),
    (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", BadResponse),
    (b"", Lost),
    (HEAD, Lost),
    (HEAD + b"Content-Length: 3\r\n\r\na", Lost),
])
async def test_what_is_no_answer(peer, said, error):
    with pytest.raises(error):
        await told(peer, said, close=True)


async def test_no_more_of_a_body_than_is_looked_at(peer):
    _, answer = await told(peer, HEAD + b"Content-Length: 1000000\r\n\r\n" + b"x" * (LOOKED_AT + 10))
    assert len(answer.body) == LOOKED_AT


@pytest.mark.parametrize(("field", "reusable"), [(b"", True), (b"Connection: close\r\n", False)])
async def test_another_request_on_the_same_connection(peer, field, reusable):
    connection, reader, _ = await peer()
    deadline = asyncio.get_running_loop().time() + 5
    for _ in range(2):
        asked = asyncio.ensure_future(connection.send_request(ASK, deadline, False, True, False))
        await reader.readexactly(len(ASK))
        connection.data_received(HEAD + field + b"Content-Length: 2\r\n\r\nok")
        assert (await asked).status == 200
        assert connection.reusable is reusable
    connection.data_received(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert not connection.reusable
    connection.close()


async def test_time_runs_out(peer):
    connection, _, _ = await peer()
    with pytest.raises(TimeoutError):
        await connection.send_request(ASK, asyncio.get_running_loop().time() + 0.01, False, True, False)
    connection.close()
