"""Connections of a new server: none are pinned, and nothing is known of how they are opened."""

from lbd.backend.connections import ServerConnections


def test_it_begins_with_nothing() -> None:
    one = ServerConnections()
    assert (one.tls, one.socket_address, one.pinned) == (None, None, {})
