"""Tests of lbd.tls.openssl: what clients are told that the `ssl` module cannot tell them, and where that fails."""

import ssl
from pathlib import Path

import pytest

from lbd.tls import openssl
from lbd.tls.certificate import authorities, load_pem
from lbd.tls.contexts import ServerTls
from tests.authority import Authority, asked


@pytest.fixture
def server_tls(tmp_path: Path) -> ServerTls:
    """Of two names; it trusts two authorities, of which one stands in the file twice."""
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    pems = [load_pem(name, authority.issue(f"{name}.pem", name).read_bytes()) for name in ("a.example", "b.example")]
    believed = b"a comment\n".join(one.file.read_bytes() for one in (authority, other, authority))
    return ServerTls(pems, client_ca=believed, named=authorities(believed), required=False)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("name", ["a.example", "b.example", "c.example"])
def test_clients_are_told_which_authorities_are_believed(server_tls: ServerTls, version: str, name: str) -> None:
    told = asked(server_tls.context, version, "-servername", name)
    names = told.partition("Acceptable client certificate CA names\n")[2].splitlines()
    assert names[:2] == ["O = \"Tests, Inc.\", CN = authority", "O = \"Tests, Inc.\", CN = other"]
    assert not names[2].startswith("O = ")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_the_alert_for_protocols_that_nobody_speaks(server_tls: ServerTls, version: str) -> None:
    assert "alert number 120" in asked(server_tls.context, version, "-alpn", "h2")
    assert "ALPN protocol: http/1.1" in asked(server_tls.context, version, "-alpn", "h2,http/1.1")
    assert "No ALPN negotiated" in asked(server_tls.context, version)


def test_the_order_of_the_suites_is_the_server_s(server_tls: ServerTls) -> None:
    told = asked(server_tls.context, "-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256")
    assert "Cipher is TLS_AES_128_GCM_SHA256" in told
    assert "Cipher is TLS_AES_256_GCM_SHA384" in asked(server_tls.context, "-tls1_3", "-ciphersuites",
                                                       "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384")


def test_a_suite_that_openssl_does_not_have_is_passed_over() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert openssl.order_suites(context, ["TLS_UNKNOWN", "TLS_AES_256_GCM_SHA384"])
    assert [cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] == "TLSv1.3"] \
        == ["TLS_AES_256_GCM_SHA384"]


def test_where_contexts_have_another_layout_it_is_said_once(monkeypatch: pytest.MonkeyPatch,
                                                            capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(openssl, "_gil", lambda: False)
    openssl._told.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for _ in range(2):
        assert not openssl.select(context, ["http/1.1"])
        assert not openssl.name_authorities(context, [b"x"])
        assert not openssl.order_suites(context, ["TLS_AES_128_GCM_SHA256"])
    assert "".join(capsys.readouterr()).count("another Python") == 3
    openssl._told.cache_clear()


def test_what_is_no_certificate_is_passed_over() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert openssl.name_authorities(context, [b"", b"rubbish", b"\x30\x82\xff\xff"])
