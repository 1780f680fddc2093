"""Tests of lbd.tls.tickets: sessions of one context are resumed by another that has the same keys, and by no other."""

import os
import ssl
from pathlib import Path

import pytest

from lbd.tls import tickets
from lbd.tls.certificate import load_pem
from lbd.tls.contexts import ServerTls, client_context
from tests.authority import Authority


def resumed(client: ssl.SSLContext, servers: list[ServerTls]) -> list[bool]:
    """Whether connections to one after the other resume the session of the one before."""
    found = []
    session = None
    for server_tls in servers:
        there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
        near = client.wrap_bio(back, there, server_hostname="a.example.com", session=session)
        far = server_tls.context.wrap_bio(there, back, server_side=True)
        for step in (near, far, near, far, near):
            try:
                step.do_handshake()
            except ssl.SSLWantReadError:
                continue
        far.write(b"x")
        assert near.read(1) == b"x"
        found.append(bool(near.session_reused))
        session = near.session
    return found


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_keys_are_shared(tmp_path: Path, version: str) -> None:
    if not tickets.works():
        pytest.skip("this Python's ssl does not let ticket keys be set")
    authority = Authority(tmp_path)
    data = authority.issue("a.pem", "a.example.com").read_bytes()
    pem = load_pem("a.pem", data, b"")
    keys = os.urandom(tickets.SIZE)
    client = client_context(ca=authority.file.read_bytes())
    client.maximum_version = ssl.TLSVersion.TLSv1_2 if version == "1.2" else ssl.TLSVersion.TLSv1_3
    same, other = [ServerTls([pem], keys=keys) for _ in range(2)], ServerTls([pem], keys=os.urandom(tickets.SIZE))
    assert [server_tls.shared for server_tls in (*same, other, ServerTls([pem]))] == [True, True, True, False]
    assert resumed(client, [*same, other, same[0], same[0]]) == [False, True, False, False, True]


def test_too_few_keys() -> None:
    with pytest.raises(ValueError, match="80 bytes"):
        tickets.share(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), b"x")


def test_where_it_does_not_work_contexts_keep_their_own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "_proven", lambda: False)
    tickets.works.cache_clear()
    try:
        assert not tickets.share(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), bytes(80))
    finally:
        tickets.works.cache_clear()
