"""The questions about a connection, which its transport answers."""

import socket
from typing import Any
from unittest.mock import Mock

from lbd.upstream.sockets import descriptor, left, readable, reset, unacknowledged


def test_the_transport_answers() -> None:
    transport = Mock()
    assert readable(transport) is transport.is_readable.return_value
    assert left(transport, 5) is transport.peer_left.return_value
    assert unacknowledged(transport) is transport.unsent.return_value
    reset(transport)
    transport.peer_left.assert_called_once_with(5)
    transport.reset.assert_called_once_with()


def test_the_descriptor_of_either_kind() -> None:
    with socket.socket() as sock:
        infos: list[dict[str, Any]] = [{"fd": 7}, {"socket": sock}, {}]
        found = [descriptor(Mock(get_extra_info=info.get)) for info in infos]
        assert found == [7, sock.fileno(), -1]
