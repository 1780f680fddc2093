"""Tests of lbd.tls.certificate: names and times are those that another reader of X.509 finds."""

import random
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from lbd.tls.certificate import Pem, blocks, common_name, ders, every, facts, same_name
from tests.authority import Authority


def test_names_and_times(tmp_path: Path) -> None:
    data = Authority(tmp_path).issue("a.pem", "Example.com", "*.example.com", "10.0.0.1").read_bytes()
    about = facts(b"Some words before.\n" + data)
    other = x509.load_pem_x509_certificate(data)
    assert about.names == ("example.com", "*.example.com")
    assert about.begins == int(other.not_valid_before_utc.timestamp())
    assert about.ends == int(other.not_valid_after_utc.timestamp())


def test_every_certificate_with_the_names_of_both_sides(tmp_path: Path) -> None:
    root = Authority(tmp_path, "Root")
    between = root.authority("Between")
    chain = between.issue("a.pem", "a.example.com").read_bytes() + between.file.read_bytes() + root.file.read_bytes()
    found = every(chain)
    assert [common_name(about.subject) for about in found] == ["test", "Between", "Root"]
    assert [common_name(about.issuer) for about in found] == ["Between", "Root", "Root"]
    for about, data, other in zip(found, ders(chain), x509.load_pem_x509_certificates(chain), strict=True):
        assert about.subject == other.subject.public_bytes()
        assert about.issuer == other.issuer.public_bytes()
        assert data == other.public_bytes(Encoding.DER)
    assert every(b"") == []


def test_names_that_are_the_same() -> None:
    def name(text: str, kind: _ASN1Type = _ASN1Type.UTF8String) -> bytes:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text, kind)]).public_bytes()

    assert same_name(name("An Authority"), name("an  AUTHORITY", _ASN1Type.PrintableString))
    assert not same_name(name("An Authority"), name("Another"))
    unit = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Unit")]).public_bytes()
    assert common_name(unit) == "Unit"
    assert common_name(x509.Name([]).public_bytes()) == ""


def test_times_beyond_2049_and_names_without_alternatives(tmp_path: Path) -> None:
    data = Authority(tmp_path).issue("a.pem", days=(-1, 20_000), common="Old.example.com", alternative=False)
    about = facts(data.read_bytes())
    assert about.names == ("old.example.com",)
    assert about.ends - time.time() == pytest.approx(20_000 * 86400, abs=3600)


@pytest.mark.parametrize("data", [b"", b"x", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate(data: bytes) -> None:
    with pytest.raises(ValueError, match="holds"):
        facts(data)


def test_damage_is_an_error_and_nothing_else(tmp_path: Path) -> None:
    lines = Authority(tmp_path).issue("a.pem", "a.example.com").read_bytes()
    chance = random.Random(1)
    for _ in range(2000):
        data = bytearray(lines)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(30, 600)] = chance.choice(b"ABCDwxyz0189+/")
        try:
            about = facts(bytes(data))
        except ValueError as error:
            assert "holds" in str(error)  # noqa: PT017
        else:
            assert same_name(about.subject, about.issuer) in (True, False)
            assert common_name(about.issuer) is not None


def test_blocks_leave_words_out(tmp_path: Path) -> None:
    data = Authority(tmp_path).file.read_bytes()
    assert blocks("Größe\n".encode() + data + b"# end\n").encode() == data.rstrip()


def test_keys_are_not_shown() -> None:
    assert "secret" not in repr(Pem("a.pem", b"chain", b"secret"))
