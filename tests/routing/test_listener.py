"""Listeners: who is in which network, what is believed, and accepting no more."""

import ipaddress
from typing import Any

import pytest

from lbd import schema
from lbd.routing.listener import LONGEST, REMEMBERED, Listener, ListenerSettings, Membership
from lbd.schema.units import UNIX, Network, Proxy


def networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


class Router:
    default = None

    def route(self, request: Any) -> Any: ...


def settings(trusted: tuple[Proxy, ...] = (), **settings: Any) -> ListenerSettings:
    router: Any = Router()
    return ListenerSettings(schema.ListenerConfig(bind=(), **settings), trusted, router)


@pytest.mark.parametrize(("address", "inside"), [
    (b"10.1.2.3", True), (b"11.0.0.1", False), (b"::ffff:10.0.0.9", True), (b"2001:db8::1", True),
    (b"2001:db9::1", False), (b"fe80::1%eth0", False), (b"", False), (b"unknown", False), (b"10.1.2.3:80", False),
    (b"\xff\xfe", False), (b"1" * 1000, False)])
def test_membership(address: bytes, inside: bool) -> None:
    endpoints = Membership(networks("10.0.0.0/8", "2001:db8::/32"))
    assert endpoints.has(address) is inside
    assert endpoints.has(address) is inside


def test_what_is_remembered_is_bounded() -> None:
    endpoints = Membership(networks("10.0.0.0/8"))
    for number in range(REMEMBERED + 10):
        endpoints.has(b"10.0.%d.%d" % divmod(number, 256))
    endpoints.has(b"x" * (LONGEST + 1))
    assert len(endpoints.remembered) <= REMEMBERED
    assert max(map(len, endpoints.remembered)) <= LONGEST


@pytest.mark.parametrize(("allow", "deny", "peer", "admitted"), [
    ((), (), b"192.0.2.1", True),
    (("192.0.2.0/24",), (), b"192.0.2.1", True),
    (("192.0.2.0/24",), (), b"192.0.3.1", False),
    ((), ("192.0.2.0/24",), b"192.0.2.1", False),
    (("192.0.2.0/24",), ("192.0.2.1/32",), b"192.0.2.1", False),
    (("192.0.2.0/24",), ("192.0.2.1/32",), b"192.0.2.2", True),
    (("192.0.2.0/24",), ("0.0.0.0/0",), b"", True),
])
def test_who_is_admitted(allow: tuple[str, ...], deny: tuple[str, ...], peer: bytes, admitted: bool) -> None:
    assert settings(allow=networks(*allow), deny=networks(*deny)).peers.admits(peer) is admitted


def test_no_peer_is_trusted_by_default() -> None:
    assert not settings().peers.trusts(b"10.0.0.1")
    assert settings(networks("10.0.0.0/8")).peers.trusts(b"10.0.0.1")
    assert not settings(networks("10.0.0.0/8")).peers.trusts(b"")


def test_unix_sockets_are_believed_when_they_are_named() -> None:
    both = settings((UNIX, *networks("10.0.0.0/8")))
    assert both.peers.trusts(b"")
    assert both.peers.trusts(b"10.0.0.1")
    assert not both.peers.trusts(b"11.0.0.1")
    assert not both.open


def test_closing_closes_every_acceptor_once() -> None:
    class Acceptor:
        closed = 0

        def drain(self) -> None:
            self.closed += 1
    row: Any = None
    listener = Listener("web", row, settings())
    acceptors = [Acceptor(), Acceptor()]
    listener.acceptors += acceptors
    listener.close()
    listener.close()
    assert [acceptor.closed for acceptor in acceptors] == [1, 1]
    assert not listener.acceptors
