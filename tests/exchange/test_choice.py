"""The choice of a server: the one that the client had, while it keeps its clients, else the algorithm's."""

from types import SimpleNamespace
from typing import Any

import pytest

from lbd.exchange import choice


class Server:
    def __init__(self, keeps_clients: bool = True) -> None:
        self.keeps_clients = keeps_clients


class Sticky:
    """Remembers the servers of sources."""

    def __init__(self, **known: Any) -> None:
        self.known: dict[bytes, Any] = {name.encode(): server for name, server in known.items()}

    def find(self, source: bytes) -> Any:
        return self.known.get(source)

    def bind(self, source: bytes, server: Any) -> None:
        self.known[source] = server


PICKED = Server()


def exchange(request: Any = None, preferred: Any = None, cookie: Any = None, source: Any = None, tried: Any = None,
             address: bytes = b"a") -> Any:
    backend = SimpleNamespace(sticky=cookie, sticky_source=source, pick=lambda exchange: PICKED)
    retries = SimpleNamespace(tried=tried) if tried is not None else None
    return SimpleNamespace(request=request, preferred=preferred, retries=retries, peer=SimpleNamespace(address=address),
                           route=SimpleNamespace(backend=backend))


REQUEST, COOKIE = object(), object()


def test_the_server_of_the_cookie() -> None:
    had = Server()
    assert choice.choice(exchange(REQUEST, had, COOKIE)) is had
    assert choice.choice(exchange(REQUEST, None, COOKIE)) is PICKED


@pytest.mark.parametrize(("had", "cookie"), [(Server(False), COOKIE), (Server(), None)])
def test_a_server_that_keeps_no_clients_and_a_backend_that_does_not_stick(had: Server, cookie: Any) -> None:
    assert choice.own(exchange(REQUEST, had, cookie)) is None
    assert choice.choice(exchange(REQUEST, had, cookie)) is PICKED


def test_the_server_of_the_source_of_a_tcp_connection() -> None:
    had = Server()
    sticky = Sticky(a=had)
    assert choice.choice(exchange(source=sticky)) is had
    assert choice.choice(exchange(source=sticky, address=b"b")) is PICKED
    assert choice.choice(exchange(preferred=had)) is PICKED      # no source sticks there


def test_servers_that_failed() -> None:
    first = Server()
    assert choice.tried(exchange()) == []
    assert choice.tried(exchange(tried=[first])) == [first]


def test_a_source_is_bound_to_its_first_server() -> None:
    sticky, server = Sticky(), Server()
    choice.bind_source(exchange(source=sticky), server)  # type: ignore[arg-type]
    assert sticky.find(b"a") is server
    choice.bind_source(exchange(), server)  # type: ignore[arg-type]


@pytest.mark.parametrize(("keeps", "failed", "stays"), [
    (True, False, True), (False, False, False), (True, True, False)])
def test_a_source_stays_with_its_server_that_was_full(keeps: bool, failed: bool, stays: bool) -> None:
    had, other = Server(keeps), Server()
    sticky = Sticky(a=had)
    choice.bind_source(exchange(source=sticky, tried=[had] if failed else None), other)  # type: ignore[arg-type]
    assert sticky.find(b"a") is (had if stays else other)
