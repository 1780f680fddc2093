"""Connections as they are accepted, and accepts that fail."""

import asyncio
import errno
import socket

import pytest

from lbd.admin.acceptor import BATCH, ConnectionAcceptor


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


async def test_each_connection_is_known_at_once_and_can_be_cut(listening):
    came = asyncio.Queue()
    acceptor = ConnectionAcceptor(listening, came.put_nowait, pytest.fail)
    acceptor.start()
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    arrival = await came.get()
    arrival.cut()
    assert await reader.read() == b""
    arrival.sock.close()
    arrival.cut()     # gone already
    writer.close()
    acceptor.close()
    acceptor.close()
    assert listening.fileno() == -1


async def test_what_waits_is_accepted_by_a_drain(listening):
    came = []
    acceptor = ConnectionAcceptor(listening, came.append, pytest.fail)
    acceptor.start()
    clients = [socket.create_connection(listening.getsockname()) for _ in range(BATCH + 1)]
    acceptor.drain()
    assert len(came) == len(clients)
    assert listening.fileno() == -1
    for one in (*clients, *(arrival.sock for arrival in came)):
        one.close()


class Short:
    """A listening socket that lacks descriptors once."""

    def __init__(self, sock):
        self.sock = sock
        self.lacks = True

    def __getattr__(self, name):
        return getattr(self.sock, name)

    def accept(self):
        if self.lacks:
            self.lacks = False
            raise OSError(errno.EMFILE, "Too many open files")
        return self.sock.accept()


async def test_a_lack_of_descriptors_is_told_and_waited_for(listening, monkeypatch):
    monkeypatch.setattr("lbd.admin.acceptor.PAUSE", 0.01)
    came, failed = asyncio.Queue(), asyncio.Queue()
    acceptor = ConnectionAcceptor(Short(listening), came.put_nowait, failed.put_nowait)
    acceptor.start()
    with socket.create_connection(listening.getsockname()):
        assert (await failed.get()).errno == errno.EMFILE
        (await came.get()).sock.close()
    acceptor.close()
