"""The state of a connection in the kernel."""

import socket
from collections.abc import Iterator

import pytest

from lbd.net.socket_state import peer_left, readable, reset_on_close, unsent

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as one:
        other = server.accept()[0]
        with other:
            yield one, other


def test_a_closed_one() -> None:
    assert readable(-1)
    assert not peer_left(-1, 1)
    assert unsent(-1) == 0
    reset_on_close(-1)


def test_bytes_and_an_end_can_be_read(pair: Pair) -> None:
    one, other = pair
    assert not readable(one.fileno())
    other.sendall(b"1")
    assert readable(one.fileno())
    one.recv(1)
    assert not readable(one.fileno())
    other.shutdown(socket.SHUT_WR)
    assert readable(one.fileno())


def test_who_sends_no_more_left_if_something_is_missing(pair: Pair) -> None:
    one, other = pair
    other.sendall(b"12345")
    assert not peer_left(one.fileno(), 6)
    other.shutdown(socket.SHUT_WR)
    assert peer_left(one.fileno(), 6)
    assert not peer_left(one.fileno(), 5)
    reset_on_close(other.fileno())
    other.close()
    assert peer_left(one.fileno(), 5)


def test_what_has_not_arrived(pair: Pair) -> None:
    one, _ = pair
    assert unsent(one.fileno()) == 0
    one.setblocking(False)
    try:
        while True:
            one.send(bytes(65536))
    except BlockingIOError:
        pass
    assert unsent(one.fileno()) > 0


def test_the_peer_sees_a_reset(pair: Pair) -> None:
    one, other = pair
    reset_on_close(one.fileno())
    one.close()
    with pytest.raises(ConnectionResetError):
        other.recv(1)
