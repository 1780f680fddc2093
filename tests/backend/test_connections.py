"""Connections of a new server: none are pinned, and nothing is known of how they are opened."""

import ssl

from lbd.backend.connections import MOST_NAMES, ServerConnections
from lbd.tls.contexts import ClientTls


def test_it_begins_with_nothing() -> None:
    one = ServerConnections()
    assert (one.tls, one.socket_address, one.pinned) == (None, None, {})


def test_sessions_of_names_are_kept_up_to_a_bound() -> None:
    one, context = ServerConnections(), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert one.tls_for("a.test") is None
    one.tls = ClientTls(context, "own.test", True, True)
    assert one.tls_for("") is one.tls
    first = one.tls_for("a.test")
    assert first is not None
    assert (first.name, first.lenient, first.context) == ("a.test", True, context)
    for number in range(MOST_NAMES - 1):
        one.tls_for(f"n{number}.test")
    assert one.tls_for("a.test") is first      # used last: the next one to go is another
    one.tls_for("more.test")
    assert len(one.named) == MOST_NAMES
    assert "n0.test" not in one.named
    assert one.tls_for("a.test") is first
