"""Client connections: pipelining, half-closes, early answers, who may connect and who is believed."""

import asyncio
import contextlib
import random
from pathlib import Path
from typing import Any

import pytest

from lbd.downstream.acceptor import ClientAcceptor
from lbd.exchange.states import HIGH
from lbd.stats import fields, scoreboard
from tests.plane import CONFIG, Connect, Simple
from tests.rig import Peer, Rig, Stage, answer, configuration, request

READ = 256 * 1024       # longest read of the transport, bytes


async def echo(peer: Peer) -> None:
    """Answers every request with its method, target and body, in turns of every kind of framing."""
    turn = 0
    while True:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        body = await body_of(peer, head)
        method, target, _ = head.split(b" ", 2)
        reply = method + b" " + target + b" " + body
        turn += 1
        if method == b"HEAD":
            peer.writer.write(answer(reply).partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        elif turn % 3 == 0:
            middle = len(reply) // 2 + 1
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (reply[:middle], reply[middle:]) if part)
            peer.writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
        else:
            peer.writer.write(answer(reply))


async def body_of(peer: Peer, head: bytes) -> bytes:
    lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    if b"Transfer-Encoding" in lines:
        body = b""
        while size := int((await peer.reader.readuntil(b"\r\n"))[:-2], 16):
            body += (await peer.reader.readexactly(size + 2))[:-2]
        await peer.reader.readuntil(b"\r\n")
        return body
    return await peer.reader.readexactly(int(lines.get(b"Content-Length", b"0")))


class Echo:
    """Lets a stage answer by itself."""

    def __init__(self, stage: Stage) -> None:
        self.tasks = [asyncio.ensure_future(self._accept(stage))]

    async def _accept(self, stage: Stage) -> None:
        while True:
            peer = await stage.accepted.get()
            stage.peers.append(peer)
            self.tasks.append(asyncio.ensure_future(echo(peer)))

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def sequence(dice: random.Random) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Requests as bytes, and the method and body of every answer."""
    data, answers = b"", []
    for number in range(dice.randint(1, 12)):
        method = dice.choice(["GET", "HEAD", "POST", "PUT"])
        body = dice.randbytes(dice.choice([0, 1, 10, 5000, 70_000])) if method in ("POST", "PUT") else b""
        target = f"/{number}"
        if body and dice.random() < 0.5:
            middle = dice.randint(1, len(body))
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:middle], body[middle:]) if part)
            data += request(target, "Transfer-Encoding: chunked", method=method) + chunks + b"0\r\n\r\n"
        else:
            data += request(target, method=method, body=body)
        answers.append((method, f"{method} {target} ".encode() + body))
    return data, answers


@pytest.mark.parametrize("seed", range(25))
async def test_pipelined_requests_in_any_split_are_answered_in_order(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, seed: int) -> None:
    dice = random.Random(seed)
    data, answers = sequence(dice)
    simple()
    echoing = Echo(stage)
    client = await connect()

    async def send() -> None:
        start = 0
        while start < len(data):
            size = dice.choice([1, 20, 300, 4000, 100_000])
            await client.send(data[start:start + size])
            start += size
    sending = asyncio.ensure_future(send())
    for method, expected in answers:
        head = await client.head()
        assert head.startswith(b"HTTP/1.1 200 ")
        if method != "HEAD":
            assert await body_of(client, head) == expected
    await sending
    assert rig.ending("ok") == len(answers)
    assert rig.in_flight() == 0
    await echoing.close()


async def test_a_flood_of_pipelined_requests_is_bounded(rig: Rig, simple: Simple, stage: Stage,
                                                        connect: Connect) -> None:
    simple()
    echoing = Echo(stage)
    client = await connect()
    count = 3000
    sending = asyncio.ensure_future(client.send(request("/", f"X: {'x' * 300}") * count))
    most = 0
    for _ in range(count):
        assert await body_of(client, await client.head()) == b"GET / "
        held = rig.connections
        most = max(most, len(held[0].buffer))
    await sending
    assert most <= HIGH + READ
    await echoing.close()


async def test_half_closing_behind_pipelined_requests_gets_all_answers(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect) -> None:
    simple()
    echoing = Echo(stage)
    client = await connect()
    await client.send(request("/1") + request("/2") + request("/3"))
    client.half_close()
    for number in (b"1", b"2", b"3"):
        head = await client.head()
        assert await body_of(client, head) == b"GET /" + number + b" "
        assert (b"Connection: close\r\n" in head) is (number == b"3")
    assert await client.rest() == b""
    assert rig.ending("ok") == 3
    await echoing.close()


@pytest.mark.parametrize("rest", [
    b"GET /half HTTP/1.1\r\nHo", b"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 9\r\n\r\nx"])
async def test_half_closing_within_a_pipelined_request_cancels_it_alone(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, rest: bytes) -> None:
    simple()
    client = await connect()
    await client.send(request() + rest)
    client.half_close()
    await rig.until(lambda: any(connection.half_closed for connection in rig.connections))
    server = await stage.accept()
    await server.head()
    await server.send(answer())
    assert (await client.message())[1] == b"ok"
    await client.ended()
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.ending("ok") == 1
    assert rig.ending("client-closed") == 1
    assert rig.in_flight() == 0


async def test_an_early_answer_ends_the_upload_and_is_delivered(rig: Rig, simple: Simple, stage: Stage,
                                                               connect: Connect) -> None:
    simple()
    client = await connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 1000000\r\n\r\n" + bytes(1000))
    server = await stage.accept()
    await server.head()
    await server.send(answer(b"no thanks", status="403 Forbidden"))
    await client.send(bytes(100_000))
    head, body = await client.message()
    assert head.startswith(b"HTTP/1.1 403 ")
    assert b"Connection: close\r\n" in head
    assert body == b"no thanks"
    assert await client.rest() == b""
    assert rig.ending("ok") == 1
    client.close()
    await rig.until(lambda: rig.plane.clients == 0)


async def test_an_early_answer_that_goes_on_while_the_upload_does(rig: Rig, simple: Simple, stage: Stage,
                                                                  connect: Connect) -> None:
    simple()
    client = await connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 20\r\n\r\n0123456789")
    server = await stage.accept()
    await server.head()
    await server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")
    await client.head()
    for part in (b"01234", b"56789"):
        await server.send(part)
        assert await client.read(5) == part
        await client.send(part)
    assert await server.read(20) == b"01234567890123456789"
    await server.send(b"0123456789")
    assert await client.read(10) == b"0123456789"
    await rig.until(lambda: rig.ending("ok") == 1)
    assert rig.in_flight() == 0


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 5\r\n\r\nxx",
                                  request(), request() + request()])
@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_client_that_leaves_in_any_state_leaves_nothing_behind(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, sent: bytes, how: str) -> None:
    simple()
    client = await connect()
    await client.send(sent)
    await rig.until(lambda: rig.plane.clients == 1)
    if len(sent) > 20:
        server = await stage.accept()
        await server.head()
        await server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx" if sent == request() * 2 else b"")
    getattr(client, how)()
    await rig.until(lambda: rig.plane.clients == 0 or sent.startswith(b"GET / HTTP"))
    if sent.startswith(b"GET / HTTP") and how == "close":
        # One that closed in order may have closed one way only: the answer to what it sent shows.
        server.writer.write(answer() if sent == request() else bytes(99))
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.in_flight() == 0
    assert rig.board.total(scoreboard.LISTENER, 0, fields.LISTENER_CONNECTIONS) == 0
    assert rig.board.total(scoreboard.BACKEND, 0, fields.BACKEND_IN_FLIGHT) == 0


@pytest.mark.parametrize(("listener", "admitted"), [
    ("", True), ("allow = ['127.0.0.0/8']", True), ("allow = ['10.0.0.0/8']", False), ("deny = ['127.0.0.1']", False),
    ("allow = ['127.0.0.1']\ndeny = ['127.0.0.0/8']", False), ("deny = ['10.0.0.0/8']", True)])
async def test_who_may_connect(rig: Rig, simple: Simple, stage: Stage, connect: Connect, listener: str,
                               admitted: bool) -> None:
    simple(listener)
    with contextlib.nullcontext() if admitted else contextlib.suppress(OSError):
        client = await connect()
        client.writer.write(request())
        if admitted:
            await (await stage.accept()).head()
        else:
            await client.ended()
    await rig.until(lambda: rig.plane.clients == admitted)
    assert rig.ending("denied") == (not admitted)
    assert rig.board.total(scoreboard.LISTENER, 0, fields.LISTENER_DENIED) == (not admitted)


async def test_a_peer_that_was_reset_before_it_was_accepted_is_not_served(
        rig: Rig, simple: Simple, stage: Stage) -> None:
    """Its address is not known any more, so nobody can say whether it may connect."""
    simple("deny = ['127.0.0.0/8']")
    made: Any = ClientAcceptor(rig.plane.admission, rig.plane.in_force.listeners["web"]).accept()

    class Gone:
        aborted = False
        source = None

        def set_write_buffer_limits(self, high: int, low: int) -> None: ...

        def get_extra_info(self, name: str) -> None:
            return None

        def abort(self) -> None:
            self.aborted = True
    gone = Gone()
    made.connection_made(gone)
    assert gone.aborted
    made.data_received(request())
    made.connection_lost(None)
    assert stage.accepted.empty()
    assert rig.plane.clients == 0


@pytest.mark.parametrize("trusted", [False, True])
async def test_what_a_proxy_says_of_its_client_counts_when_it_is_trusted(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, trusted: bool) -> None:
    simple(more=f"[global]\ntrusted_proxies = {['127.0.0.1'] if trusted else []}\n")
    client = await connect()
    await client.send(request("/", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https"))
    head = await (await stage.accept()).head()
    held, = rig.exchanges
    assert held.source == (b"192.0.2.7" if trusted else b"127.0.0.1")
    assert (b"X-Forwarded-For: 192.0.2.7, 127.0.0.1\r\n" in head) is trusted
    assert (b"X-Forwarded-For: 127.0.0.1\r\n" in head) is not trusted


async def test_no_body_at_all_is_allowed_where_max_body_is_zero(rig: Rig, simple: Simple, stage: Stage,
                                                                connect: Connect) -> None:
    simple("max_body = '0B'")
    for framing in ("Content-Length: 1", "Transfer-Encoding: chunked"):
        client = await connect()
        await client.send(request("/", framing, method="POST"))
        assert (await client.head()).startswith(b"HTTP/1.1 413 ")
    client = await connect()
    await client.send(request(method="POST"))
    await (await stage.accept()).head()
    assert rig.ending("body-too-large") == 2


@pytest.mark.parametrize("upload", [False, True])
async def test_a_client_that_half_closes_in_the_queue_is_served_in_its_turn(
        rig: Rig, stage: Stage, connect: Connect, tmp_path: Path, upload: bool) -> None:
    text = CONFIG.format(listener="", backend="", address=stage.address)
    rig.start(configuration(text.replace(f'"{stage.address}"', f'{{ address = "{stage.address}", max_conns = 1 }}'),
                            tmp_path))
    first, second = await connect(), await connect()
    await first.send(request())
    server = await stage.accept()
    await server.head()
    await second.send(request("/2", "Content-Length: 5", method="POST") if upload else request("/2"))
    await rig.until(lambda: rig.board.total(scoreboard.BACKEND, 0, fields.BACKEND_QUEUE) == 1)
    if upload:
        await second.send(b"hello")
    second.half_close()
    await rig.tick()
    await rig.tick()
    await server.send(answer())
    assert (await server.message())[0].startswith(b"POST /2 " if upload else b"GET /2 ")
    await server.send(answer(b"yours"))
    assert (await second.message())[1] == b"yours"
    await second.ended()
    assert rig.ending("ok") == 2
