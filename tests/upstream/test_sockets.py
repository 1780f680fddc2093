"""The state of a connection in the kernel."""

import socket
from typing import Any

import pytest

from lbd.upstream.sockets import descriptor, left, readable, unacknowledged


class Transport:
    def __init__(self, sock: socket.socket | None) -> None:
        self.sock = sock

    def get_extra_info(self, name: str) -> Any:
        return self.sock.fileno() if name == "fd" and self.sock is not None else None

    def get_write_buffer_size(self) -> int:
        return 3

    def is_closing(self) -> bool:
        return self.sock is None


@pytest.fixture
def pair() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as one:
        other = server.accept()[0]
        with other:
            yield one, other


def test_a_closed_one() -> None:
    closed = Transport(None)
    assert descriptor(closed) == -1
    assert readable(closed)
    assert not left(closed, 1)
    assert unacknowledged(closed) == 0


def test_bytes_and_an_end_can_be_read(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    assert not readable(Transport(one))
    other.shutdown(socket.SHUT_WR)
    assert readable(Transport(one))


def test_who_sends_no_more_left_if_something_is_missing(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    other.sendall(b"12345")
    assert not left(Transport(one), 6)
    other.shutdown(socket.SHUT_WR)
    assert left(Transport(one), 6)
    assert not left(Transport(one), 5)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    other.close()
    assert left(Transport(one), 5)


def test_what_has_not_arrived(pair: tuple[socket.socket, socket.socket]) -> None:
    one, _ = pair
    assert unacknowledged(Transport(one)) == 3
    one.setblocking(False)
    try:
        while True:
            one.send(bytes(65536))
    except BlockingIOError:
        pass
    assert unacknowledged(Transport(one)) > 3
