"""Tests of lbd.admin.late_site: no client is lost while a site is made, nor where that fails first."""

import asyncio
import contextlib
import socket

import pytest

from lbd.admin import late_site
from lbd.admin.late_site import LateSite

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Place:
    """A late site on a port, and how often it was made."""

    def __init__(self, daemon):
        self.made = 0
        self.broken = 0     # makings that are to fail
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.address = self.sock.getsockname()
        self._make = late_site.metrics(daemon)
        self.site = LateSite(self.make, self.sock)

    def make(self, sock, context):
        if self.broken:
            self.broken -= 1
            raise ImportError("no file")
        self.made += 1
        return self._make(sock, context)

    async def ask(self):
        reader, writer = await asyncio.open_connection(*self.address)
        writer.write(REQUEST)
        async with asyncio.timeout(20):
            answer = await reader.read()
        writer.close()
        return answer.partition(b"\r\n")[0]


@pytest.fixture
async def place(daemon):
    made = Place(daemon)
    await made.site.start()
    yield made
    await made.site.close()


async def test_it_is_made_with_the_first_client(place):
    assert place.made == 0
    assert await place.ask() == b"HTTP/1.1 200 OK"
    assert await place.ask() == b"HTTP/1.1 200 OK"
    assert place.made == 1


async def test_all_that_come_meanwhile_are_answered(place):
    assert set(await asyncio.gather(*(place.ask() for _ in range(50)))) == {b"HTTP/1.1 200 OK"}
    assert place.made == 1


async def test_clients_wait_for_a_site_that_cannot_be_made_yet(place, monkeypatch):
    said = []
    monkeypatch.setattr(late_site, "PAUSE", 0.01)
    monkeypatch.setattr(late_site.logger, "error", lambda text, **facts: said.append(facts["reason"]))
    place.broken = 2
    assert await place.ask() == b"HTTP/1.1 200 OK"
    assert said == ["no file", "no file"]
    assert not place.site.misfits


async def test_it_tells_of_another_version_that_does_not_fit(place, monkeypatch):
    monkeypatch.setattr(late_site, "PAUSE", 0.01)
    monkeypatch.setattr(late_site.logger, "error", lambda text, **facts: None)
    monkeypatch.setattr("lbd.installation.replaced", lambda: True)
    place.broken = 1
    await place.ask()
    assert place.site.misfits


async def test_a_drain_answers_who_came_before(place):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(place.address)) for _ in range(10)]
        for client in clients:       # the loop has had no turn: nobody was noticed
            client.sendall(REQUEST)
        await place.site.drain()
        for client in clients:
            assert client.recv(15) == b"HTTP/1.1 200 OK"


async def test_without_a_client_nothing_is_made_to_the_end(place):
    await place.site.drain()
    await place.site.close()
    assert place.made == 0
    assert place.sock.fileno() == -1


async def test_it_closes_while_it_is_being_made(place, monkeypatch):
    waiting = asyncio.Event()

    async def load(_work):
        waiting.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(place.site._loading, "run", load)
    with socket.create_connection(place.address) as client:
        async with asyncio.timeout(20):
            await waiting.wait()
        await place.site.close()
        client.settimeout(20)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
    assert place.sock.fileno() == -1
