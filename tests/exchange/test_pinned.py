"""A connection that a client signed on by is that client's alone, until one of the two ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lbd.exchange import pinned
from lbd.exchange.pinned import challenged
from lbd.http.message import Head
from lbd.stats import fields, scoreboard
from tests.plane import CONFIG, Connect, Simple
from tests.rig import Peer, Rig, Stage, answer, configuration, generation, request

CHALLENGE = "WWW-Authenticate: Basic realm=x, NTLM"


class SignOn:
    """A server as IIS: 401 until the third message of NTLM came on the connection, from then on it is that user's."""

    def __init__(self, stage: Stage) -> None:
        self.connections: list[Peer] = []
        self._stage = stage
        self._tasks = [asyncio.ensure_future(self._accept())]

    async def _accept(self) -> None:
        while True:
            peer = await self._stage.accepted.get()
            self._stage.peers.append(peer)
            self.connections.append(peer)
            self._tasks.append(asyncio.ensure_future(self._serve(peer)))

    async def _serve(self, peer: Peer) -> None:
        user = b""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head, _ = await peer.message()
                kind, _, name = head.partition(b"Authorization: ")[2].partition(b"\r\n")[0].partition(b"-")
                if kind in (b"NTLM 3", b"Negotiate 0"):
                    user = name
                more = ["Connection: close"] if b" /last " in head else []
                if user or b" /free " in head:
                    await peer.send(answer(b"you are " + (user or b"nobody"), *more))
                else:
                    await peer.send(answer(b"who?", CHALLENGE, *more, status="401 Who"))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def iis(stage: Stage) -> AsyncIterator[SignOn]:
    made = SignOn(stage)
    yield made
    await made.close()


async def ask(client: Peer, target: str = "/s", *more: str, method: str = "GET") -> bytes:
    await client.send(request(target, *more, method=method))
    return (await client.message())[1]


async def sign_on(client: Peer, name: str) -> None:
    assert await ask(client) == b"who?"
    assert await ask(client, "/s", f"Authorization: NTLM 1-{name}") == b"who?"
    assert await ask(client, "/s", f"Authorization: NTLM 3-{name}") == b"you are " + name.encode()


@pytest.mark.parametrize("backend", ["", "max_idle = 0", "max_requests = 1", "sticky = true", "max_in_flight = 5",
                                     'retry_on = ["503"]'])
async def test_nobody_else_gets_the_connection_that_a_client_signed_on_by(
        simple: Simple, iis: SignOn, connect: Connect, backend: str) -> None:
    simple(backend=backend)
    alice, bob = await connect(), await connect()
    await sign_on(alice, "alice")
    assert await ask(bob) == b"who?"
    assert await ask(alice) == b"you are alice"
    await sign_on(bob, "bob")
    for _ in range(3):
        assert await ask(alice) == b"you are alice"
        assert await ask(bob) == b"you are bob"
    assert await ask(await connect()) == b"who?"


async def test_credentials_that_come_unasked_sign_on_too(simple: Simple, iis: SignOn, connect: Connect) -> None:
    simple()
    alice = await connect()
    assert await ask(alice, "/s", "Authorization: Negotiate 0-alice") == b"you are alice"
    assert await ask(await connect()) == b"who?"
    assert await ask(alice) == b"you are alice"


async def test_an_idle_connection_that_gets_credentials_is_not_given_back(simple: Simple, iis: SignOn,
                                                                          connect: Connect) -> None:
    simple()
    bob, alice = await connect(), await connect()
    assert await ask(bob, "/free") == b"you are nobody"
    assert await ask(alice, "/s", "Authorization: negotiate 0-alice") == b"who?"
    assert await ask(alice, "/s", "Authorization: Negotiate 0-alice") == b"you are alice"
    assert await ask(bob, "/free") == b"you are nobody"
    assert len(iis.connections) == 2


async def test_the_servers_connection_ends_with_the_clients(rig: Rig, simple: Simple, iis: SignOn,
                                                            connect: Connect) -> None:
    simple()
    alice = await connect()
    await sign_on(alice, "alice")
    assert rig.board.total(scoreboard.SERVER, 0, fields.SERVER_CONNECTIONS) == 1
    alice.close()
    await rig.until(lambda: rig.board.total(scoreboard.SERVER, 0, fields.SERVER_CONNECTIONS) == 0)


async def test_the_clients_connection_ends_with_the_servers(rig: Rig, simple: Simple, iis: SignOn,
                                                            connect: Connect) -> None:
    simple()
    alice = await connect()
    await sign_on(alice, "alice")
    iis.connections[0].close()
    await alice.ended()


async def test_a_server_that_ends_the_connection_with_its_answer_ends_the_clients_too(
        simple: Simple, iis: SignOn, connect: Connect) -> None:
    simple()
    alice = await connect()
    await sign_on(alice, "alice")
    await alice.send(request("/last"))
    head, body = await alice.message()
    assert b"\r\nConnection: close\r\n" in head
    assert body == b"you are alice"
    await alice.ended()


async def test_it_holds_its_place_and_waits_for_none(rig: Rig, stage: Stage, iis: SignOn, connect: Connect,
                                                     tmp_path: Path) -> None:
    text = CONFIG.format(listener="", backend="timeouts = { queue = '200ms' }", address=stage.address)
    rig.start(configuration(text.replace(f'a = "{stage.address}"',
                                         f'a = {{ address = "{stage.address}", max_conns = 1 }}'), tmp_path))
    alice, bob = await connect(), await connect()
    await sign_on(alice, "alice")
    await bob.send(request())
    assert (await bob.head()).startswith(b"HTTP/1.1 503 ")
    assert await ask(alice) == b"you are alice"
    assert len(iis.connections) == 1
    alice.close()
    assert await ask(await connect(), "/free") == b"you are nobody"


@pytest.mark.parametrize("queue", ["30s", "0s"])
async def test_one_that_rests_gives_its_place_to_who_waits(
        rig: Rig, stage: Stage, iis: SignOn, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        queue: str) -> None:
    monkeypatch.setattr(pinned, "RESTED", 0.0)
    text = CONFIG.format(listener="", backend=f"timeouts = {{ queue = '{queue}' }}", address=stage.address)
    rig.start(configuration(text.replace(f'a = "{stage.address}"',
                                         f'a = {{ address = "{stage.address}", max_conns = 1 }}'), tmp_path))
    mallory = await connect()
    assert await ask(mallory, "/free", "Authorization: NTLM x") == b"you are nobody"
    bob = await connect()
    await bob.send(request("/free"))
    assert (await bob.head()).startswith(b"HTTP/1.1 200 " if queue == "30s" else b"HTTP/1.1 503 ")
    await mallory.ended()
    assert await ask(await connect(), "/free") == b"you are nobody"
    await rig.until(lambda: rig.in_flight() == 0)


async def test_one_in_use_keeps_its_place(rig: Rig, stage: Stage, connect: Connect, tmp_path: Path,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinned, "RESTED", 0.0)
    text = CONFIG.format(listener="", backend="timeouts = { queue = '200ms' }", address=stage.address)
    rig.start(configuration(text.replace(f'a = "{stage.address}"',
                                         f'a = {{ address = "{stage.address}", max_conns = 1 }}'), tmp_path))
    alice, bob = await connect(), await connect()
    await alice.send(request("/s", "Authorization: Negotiate 0-alice"))
    server = await stage.accept()
    await server.message()
    await server.send(answer(b"one"))
    assert (await alice.message())[1] == b"one"
    await alice.send(request("/s"))
    await server.message()
    await bob.send(request())
    assert (await bob.head()).startswith(b"HTTP/1.1 503 ")
    await server.send(answer(b"two"))
    assert (await alice.message())[1] == b"two"


async def test_a_server_that_goes_down_loses_it_and_the_client_signs_on_anew(
        rig: Rig, simple: Simple, stage: Stage, spare: Stage, iis: SignOn, connect: Connect) -> None:
    other = SignOn(spare)
    simple(more=f"b = {{ address = '{spare.address}', backup = true }}")
    alice = await connect()
    await sign_on(alice, "alice")
    endpoint = rig.plane.in_force.generation.endpoints["app"][0]     # type: ignore[union-attr]
    rig.plane.update([endpoint._replace(health="down")])
    await sign_on(alice, "alice")
    assert len(other.connections) == 1
    await other.close()


@pytest.mark.parametrize("mode", ["drain", "ready"])
async def test_a_drain_and_a_reload_leave_it_alone(rig: Rig, simple: Simple, stage: Stage, iis: SignOn,
                                                   connect: Connect, tmp_path: Path, mode: str) -> None:
    simple()
    alice = await connect()
    await sign_on(alice, "alice")
    text = CONFIG.format(listener="", backend='retry_on = ["503"]', address=stage.address).replace(
        f'a = "{stage.address}"', f'a = {{ address = "{stage.address}", mode = "{mode}" }}')
    rig.apply(generation(configuration(text, tmp_path), 2))
    assert await ask(alice) == b"you are alice"
    assert len(iis.connections) == 1


async def test_a_server_that_is_removed_finishes_and_ends_the_clients_connection(
        rig: Rig, simple: Simple, spare: Stage, iis: SignOn, connect: Connect, tmp_path: Path) -> None:
    simple()
    alice, bob = await connect(), await connect()
    await sign_on(alice, "alice")
    await sign_on(bob, "bob")
    rig.apply(generation(configuration(CONFIG.format(listener="", backend="", address=spare.address), tmp_path), 2))
    await alice.send(request())
    head, body = await alice.message()
    assert b"\r\nConnection: close\r\n" in head
    assert body == b"you are alice"
    await alice.ended()
    await bob.ended()


def test_a_challenge_is_found_wherever_it_stands() -> None:
    def asks(scheme: bytes, status: int = 401, field: bytes = b"WWW-Authenticate") -> bool:
        return challenged(Head(b"HTTP/1.1 %d Who\r\n%b: %b\r\n\r\n" % (status, field, scheme)))
    for scheme in (b"NTLM", b"ntlm TlRM", b"Negotiate", b"Basic realm=a, Negotiate", b"Nego2", b"Kerberos"):
        assert asks(scheme)
    for scheme in (b"Basic realm=NTLM", b"Bearer", b"Digest realm=\"Negotiate\""):
        assert not asks(scheme)
    assert not asks(b"NTLM", 200)
    assert asks(b"NTLM", 407, b"Proxy-Authenticate")


async def test_a_server_that_is_cut_loses_it_and_the_idle_client_is_closed(
        rig: Rig, simple: Simple, iis: SignOn, connect: Connect) -> None:
    simple()
    client = await connect()
    await sign_on(client, "ann")
    endpoint = rig.plane.in_force.generation.endpoints["app"][0]  # type: ignore[union-attr]
    rig.plane.update([endpoint._replace(mode="drain", cut=1.0)])
    await client.ended()
    await rig.until(lambda: rig.board.total(scoreboard.SERVER, 0, fields.SERVER_CONNECTIONS) == 0)
