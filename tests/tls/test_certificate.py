"""Tests of lbd.tls.certificate: names and times, odd encodings that OpenSSL takes, and files that are no good."""

import datetime
import random
import time
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from lbd.errors import LbdError
from lbd.tls.certificate import authorities, facts, facts_of_all, load_pem
from lbd.tls.pem import COMMON_NAME, certificates, common_name, same_name
from tests.authority import Authority

UNREADABLE = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


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
    found = facts_of_all(chain)
    assert [common_name(about.subject) for about in found] == ["test", "Between", "Root"]
    assert [common_name(about.issuer) for about in found] == ["Between", "Root", "Root"]
    assert facts_of_all(b"") == []


def test_times_beyond_2049_and_names_without_alternatives(tmp_path: Path) -> None:
    data = Authority(tmp_path).issue("a.pem", days=(-1, 20_000), common="Old.example.com", alternative=False)
    about = facts(data.read_bytes())
    assert about.names == ("old.example.com",)
    assert about.ends - time.time() == pytest.approx(20_000 * 86400, abs=3600)


@pytest.mark.parametrize("data", [b"", b"x", UNREADABLE])
def test_what_is_no_certificate(data: bytes) -> None:
    with pytest.raises(ValueError, match="holds"):
        facts(data)
    with pytest.raises(LbdError, match=r"^client_ca: /x\.pem: it holds"):
        load_pem("/x.pem", data, setting="client_ca")


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
        assert isinstance(authorities(bytes(data)), tuple)


def odd(*extensions: x509.ExtensionType, name: str = "abcdefgh", serial: int = 5) -> bytes:
    """A certificate in DER, which signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), serial, datetime.datetime(2020, 1, 1),
                                      datetime.datetime(2060, 1, 1))
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def pem(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + b64encode(der) + b"\n-----END CERTIFICATE-----\n"


HOST = x509.SubjectAlternativeName([x509.DNSName("A.test")])
SERIAL = bytes.fromhex("a003020102020105")
SPELLED_OUT = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.19"), bytes.fromhex("3003010100"))
X400 = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.17"), bytes.fromhex("3008a300") + b"\x82\x04a.de")


@pytest.mark.filterwarnings("ignore:Unknown general name")
@pytest.mark.parametrize(("der", "names", "common"), [
    (odd(HOST).replace(SERIAL, SERIAL[:-1] + b"\xfb"), ("a.test",), "abcdefgh"),      # a negative serial number
    (odd(HOST).replace(SERIAL, SERIAL[:-1] + b"\x00"), ("a.test",), "abcdefgh"),
    (odd(HOST).replace(b"\x0c\x08abcdefgh", b"\x14\x08abc\xe9efgh"), ("a.test",), "abcéefgh"),
    (odd(HOST, SPELLED_OUT), ("a.test",), "abcdefgh"),
    (odd(X400), ("a.de",), "abcdefgh"),
    (odd(name="Two.test"), ("two.test",), "Two.test"),
], ids=["negative serial", "serial 0", "Latin-1", "spelled-out default", "X.400", "common name"])
def test_what_openssl_takes_is_read(der: bytes, names: tuple[str, ...], common: str) -> None:
    about = facts(pem(der))
    assert (about.names, common_name(about.subject)) == (names, common)
    assert about.subject == about.issuer == ((COMMON_NAME, common),)
    assert (about.begins, about.ends) == (1577836800, 2840140800)
    assert authorities(pem(der) * 2) == (der,)


def test_authorities_once_for_each_subject(tmp_path: Path) -> None:
    first, other = Authority(tmp_path, "One").file.read_bytes(), Authority(tmp_path, "Other").file.read_bytes()
    assert authorities(first + b"words\n" + other + first) == tuple(certificates(first + other))
    assert authorities(b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n") == ()


def test_too_many_authorities_are_not_named(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lbd.tls.certificate.MOST_NAMES", 10)
    assert authorities(Authority(tmp_path).file.read_bytes()) == ()
    assert "too many authorities" in "".join(capsys.readouterr())
