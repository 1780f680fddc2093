"""Tests of lbd.filters.client_certificate: what servers are told; no certificate can break a line."""

import hashlib
import ssl
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lbd.filters.client_certificate import FIELDS, lines, name
from lbd.tls.certificate import load_pem
from lbd.tls.contexts import ServerTls, client_context
from tests.authority import Authority, shake


class Transport:
    """Knows of TLS what it is given."""

    def __init__(self, tls: Any) -> None:
        self.tls = tls

    def get_extra_info(self, name: str) -> Any:
        return self.tls if name == "tls" else None


def shaken(directory: Path, common: str | None, required: bool = False) -> tuple[ssl.SSLObject, bytes]:
    """A listener's end, and the client's certificate."""
    authority = Authority(directory)
    pem = load_pem("a", authority.issue("a.pem", "a.test").read_bytes(), b"")
    server_tls = ServerTls([pem], client_ca=authority.file.read_bytes(), required=required)
    data = authority.issue("c.pem", "c", common=common or "x").read_bytes()
    client = client_context(verify=False, pem=load_pem("c", data, b"") if common is not None else None)
    _, far = shake(client, server_tls.context, "a.test")
    return far, data


def test_all_is_told(tmp_path: Path) -> None:
    far, data = shaken(tmp_path, "Ann")
    told = lines(Transport(far)).decode()
    fields = dict(line.split(": ", 1) for line in told.splitlines())
    der = ssl.PEM_cert_to_DER_cert(data.decode().partition("-----BEGIN PRIVATE")[0])
    assert fields["X-SSL-Client-Verify"] == "SUCCESS"
    assert fields["X-SSL-Client-Subject"] == r"CN=Ann,O=Tests\, Inc."
    assert fields["X-SSL-Client-Issuer"] == r"CN=authority,O=Tests\, Inc."
    assert fields["X-SSL-Client-SHA256"] == hashlib.sha256(der).hexdigest()
    assert fields["X-SSL-Client-Not-After"].endswith("Z")
    assert {field.lower().encode() for field in fields} == set(FIELDS)
    assert lines(Transport(far)) is lines(Transport(far))


def test_none_was_shown(tmp_path: Path) -> None:
    assert lines(Transport(shaken(tmp_path, None)[0])) == b"X-SSL-Client-Verify: NONE\r\n"
    assert lines(Transport(None)) == b""


@pytest.mark.parametrize(("value", "text"), [
    ("a\r\nX-Evil: 1", r"a\0D\0AX-Evil: 1"), ("ä", r"\C3\A4"), ("#1", r"\#1"), (" a ", r"\ a\ "), ('a"b\\', r'a\"b\\'),
    ("a+b=c;d<e>", r"a\+b\=c\;d\<e\>"),
])
def test_names_are_one_line_of_ascii(value: str, text: str) -> None:
    assert name(((("commonName", value),),)) == f"CN={text}"
    assert name(((("countryName", "DE"),), (("1.2.3", value), ("userId", "x")))) == f"1.2.3={text}+UID=x,C=DE"


def test_bad_certificates_do_not_get_so_far() -> None:
    tls = SimpleNamespace(getpeercert=lambda binary_form=False: None if binary_form else {})
    assert lines(Transport(tls)) == b"X-SSL-Client-Verify: NONE\r\n"
