"""The two ends of an exchange: what is known of a client, and the facts of a request for algorithms."""

from types import SimpleNamespace
from typing import Any

import pytest

from lbd import schema
from lbd.exchange.streams import Downstream, Peer, Requester, ServerConnection
from lbd.http.message import Head
from tests import built

TEXT = (b"POST /a?b HTTP/1.1\r\nHost: x:80\r\nX-Forwarded-For: 198.51.100.1, 192.0.2.9\r\nA: 1\r\na: 2\r\n"
        b"X-Forwarded-For: 10.0.0.1\r\n\r\n")


def peer(trusted: bool = False) -> Peer:
    rules = SimpleNamespace(trusted=SimpleNamespace(has=lambda address: address.startswith(b"10.")))
    made = Peer(built.listener(schema.ListenerConfig(()), peers=rules))
    made.address = b"10.0.0.7"
    made.trusted = trusted
    return made


def requester(text: bytes | None = TEXT, trusted: bool = False) -> Requester:
    record: Any = None
    made = Requester(peer(trusted), record)
    made.request = Head(text) if text is not None else None
    return made


def test_a_peer_before_anything_is_known() -> None:
    listener = built.listener(schema.ListenerConfig(()))
    made = Peer(listener)
    assert made.listener is listener
    assert (made.address, made.counted, made.trusted) == (b"", True, False)
    assert made.transport is made.connection is made.introduced is made.pins is None


def test_facts_of_a_request() -> None:
    made = requester()
    assert (made.method, made.target, made.host) == (b"POST", b"/a?b", b"x:80")
    assert (made.field(b"a"), made.field(b"b")) == (b"1", b"")


def test_facts_are_those_of_the_head_as_it_goes_on() -> None:
    made = requester()
    assert made.request is not None
    made.request.set(b"Host", b"inside")
    made.request.target = b"/b"
    assert (made.host, made.target) == (b"inside", b"/b")


def test_the_source_is_the_peer_unless_that_is_trusted() -> None:
    assert requester().source == b"10.0.0.7"
    assert requester(trusted=True).source == b"192.0.2.9"


def test_of_a_tcp_connection_the_source_alone_is_known() -> None:
    made = requester(None, trusted=True)
    assert (made.method, made.target, made.host, made.field(b"a")) == (b"", b"", b"", b"")
    assert made.source == b"10.0.0.7"


def test_a_request_before_anything_happened() -> None:
    made = requester()
    assert (made.keep, made.sent, made.replay) == (True, True, True)
    assert (made.body, made.bytes_in, made.bytes_out) == (b"", 0, 0)
    assert made.server is made.preferred is made.retries is made.notes is None


def test_a_connection_to_a_server_has_room_once_it_says_so() -> None:
    server = built.server()
    made = ServerConnection(server)
    assert made.server is server
    assert (made.free, made.uses, made.owner) == (0, 0, None)
    with pytest.raises(NotImplementedError):
        made.close()


def test_steps_are_those_of_the_kinds() -> None:
    stream = Downstream(peer())
    assert (stream.deadline, stream.unsent) == (0.0, 0)
    assert not stream.left()
    for step in (stream.pause, stream.resume, requester().release):
        with pytest.raises(NotImplementedError):
            step()
