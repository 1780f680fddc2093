"""Tests of lbd.schema.tls: certificates and ports as they may be written, and where relative paths begin."""

import pytest

from lbd.schema.kinds import ItemError
from lbd.schema.tls import CERTIFICATE, CERTIFICATES, HTTPS, Pair


def test_certificates_are_files_or_pairs() -> None:
    read = CERTIFICATES.parse(["a.pem", {"cert": "/b.pem", "key": "b.key"}])
    assert read == (Pair("a.pem"), Pair("/b.pem", "b.key"))
    assert CERTIFICATES.settle is not None
    settled = CERTIFICATES.settle(read, "/etc/lbd")
    assert settled == (Pair("/etc/lbd/a.pem"), Pair("/b.pem", "/etc/lbd/b.key"))
    assert CERTIFICATES.write is not None
    assert CERTIFICATES.write(settled) == ["/etc/lbd/a.pem", {"cert": "/b.pem", "key": "/etc/lbd/b.key"}]
    assert CERTIFICATES.parse("certs/*.pem") == (Pair("certs/*.pem"),)


@pytest.mark.parametrize(("value", "error"), [
    ({"cert": "a"}, 'lacks the key "key"'),
    ({"cert": "a", "key": "b", "kex": "c"}, 'has an unknown key "kex"'),
    ({"cert": 1, "key": "b"}, "has a cert or key that is an integer"),
    ("", "is empty"), (5, "is an integer"),
])
def test_what_is_no_certificate(value: object, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        CERTIFICATE.parse(value)


def test_the_same_twice() -> None:
    with pytest.raises(ItemError):
        CERTIFICATES.parse(["a.pem", "a.pem"])


@pytest.mark.parametrize(("value", "port"), [(True, 443), (False, 0), (8443, 8443)])
def test_the_port_of_https(value: object, port: int) -> None:
    assert HTTPS.parse(value) == port
    assert HTTPS.write is not None
    assert HTTPS.write(port) == value


@pytest.mark.parametrize("value", [0, 65536, "443", 1.5])
def test_what_is_no_port(value: object) -> None:
    with pytest.raises(ValueError, match="is "):
        HTTPS.parse(value)
