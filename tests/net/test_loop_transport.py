"""A transport of the loop behind the whole interface: events go to the protocol that it has now."""

import asyncio
from typing import Any
from unittest.mock import Mock

from lbd.net.loop_transport import LoopProtocol, LoopTransport


def given() -> tuple[Mock, LoopProtocol, LoopTransport]:
    protocol, below = Mock(), Mock(spec=asyncio.Transport)
    known = LoopProtocol(protocol)
    known.connection_made(below)
    transport: Any = protocol.connection_made.call_args.args[0]
    assert type(transport) is LoopTransport
    return protocol, known, transport


def test_events_go_to_the_protocol_of_now() -> None:
    first, known, transport = given()
    second = Mock()
    known.data_received(b"1")
    transport.set_protocol(second)
    known.data_received(b"2")
    known.pause_writing()
    known.resume_writing()
    assert known.eof_received() is second.eof_received.return_value
    known.connection_lost(None)
    assert [call[0] for call in first.method_calls] == ["connection_made", "data_received"]
    assert [call[0] for call in second.method_calls] == \
        ["data_received", "pause_writing", "resume_writing", "eof_received", "connection_lost"]


def test_a_closed_one_knows_nothing() -> None:
    _, _, transport = given()
    transport._transport.get_extra_info.return_value = None     # type: ignore[attr-defined]
    transport._transport.is_closing.return_value = True         # type: ignore[attr-defined]
    assert transport.is_readable()
    assert transport.unsent() == 0
    assert not transport.peer_left(1)
    transport.reset()
    transport._transport.abort.assert_called_once_with()        # type: ignore[attr-defined]
