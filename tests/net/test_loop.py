"""The net over the loop's own transports, where it differs from the kernel."""

import asyncio
import errno
import socket

from lbd.net.loop import LoopNet

from .conftest import Peer, echo


class Given:
    """A LoopNet with one listener."""

    def __init__(self, family=socket.AF_INET, address=("127.0.0.1", 0)):
        self.net = LoopNet(asyncio.get_running_loop())
        self.sock = socket.socket(family)
        self.sock.bind(address)
        self.sock.listen()
        self.where = family, self.sock.getsockname()
        self.acceptor = self.net.listen(self.sock, echo)

    async def close(self, *peers):
        self.net.close()
        await self.net.tasks.cancel()
        for peer in peers:
            peer.transport.abort()
            await peer.told("connection_lost")


async def test_a_connect_can_be_aborted_before_it_began():
    given = Given()
    peer = Peer()
    pending = given.net.connect(*given.where, peer)
    pending.abort()
    assert pending.is_closing()
    await peer.told("connection_lost")
    assert peer.calls == ["connection_lost"]
    assert peer.exc is None
    await given.close()


async def test_what_connect_returns_closes_the_connection_it_became():
    given = Given()
    for end in ("abort", "close"):
        peer = Peer()
        pending = given.net.connect(*given.where, peer)
        await peer.told("connection_made")
        assert not pending.is_closing()
        getattr(pending, end)()
        assert pending.is_closing()
        await peer.told("connection_lost")
    await given.close()


async def test_no_task_is_left():
    given = Given()
    peer = Peer(connection_made=lambda peer: peer.transport.write(b"x"))
    given.net.connect(*given.where, peer)
    await peer.got(1)
    async with asyncio.timeout(20):
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
    assert len(given.net.tasks) == 0
    await given.close(peer)


async def test_a_closed_acceptor_stays_closed(tmp_path):
    path = tmp_path / "socket"
    given = Given(socket.AF_UNIX, str(path))
    given.acceptor.pause()
    given.acceptor.close()
    given.acceptor.resume()
    assert given.acceptor.fileno() == -1
    assert path.exists()
    peer = Peer()
    given.net.connect(*given.where, peer)
    await peer.told("connection_lost")
    assert peer.exc.errno == errno.ECONNREFUSED
    await given.close()
