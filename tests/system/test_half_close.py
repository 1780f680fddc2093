"""Clients of tunnels that half-close and then reset in the middle of a download: no worker may die of it."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from lbd_process import borrowed, until

PIECE = bytes(1 << 20)
TEXT = """
[listeners.tcp]
bind = "127.0.0.1:$tcp"
mode = "tcp"
backend = "flood"
[listeners.web]
bind = "127.0.0.1:$web"
backend = "flood"
[backends.flood.servers]
a = "127.0.0.1:{port}"
"""
UPGRADE = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"


@pytest.fixture
def flood() -> Iterator[int]:
    """The port of a server that sends without end, and answers an upgrade first."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve(peer: socket.socket) -> None:
        with peer:
            try:
                if peer.recv(65536).startswith(b"GET"):
                    peer.sendall(SWITCH)
                while True:
                    peer.sendall(PIECE)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(peer,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()


@pytest.mark.parametrize("where", ["tcp", "web"])
def test_a_client_that_half_closes_and_resets_kills_no_worker(flood: int, where: str) -> None:
    with borrowed(TEXT.format(port=flood)) as lbd:
        before = lbd.workers()
        with ExitStack() as stack:
            for _ in range(8):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", lbd.port(where))))
                client.sendall(UPGRADE if where == "web" else b"begin")
                got = 0
                while got < 8 * len(PIECE):
                    got += len(client.recv(len(PIECE)))
                client.shutdown(socket.SHUT_WR)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # What the kernel buffers between servers and clients is full once nothing more comes to be read.
            full = threading.Event()
            full.wait(0.3)
        gone = 'lbd_listener_connections{listener="' + where + '"} 0'
        until(lambda: gone in lbd.metrics(), "every connection to be gone")
        assert lbd.workers() == before
