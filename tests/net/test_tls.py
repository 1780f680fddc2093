"""Tests of lbd.net.tls: which certificate a client is shown, and what is said of files that are no good."""

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from lbd.errors import LbdError
from lbd.net.certificate import Pem
from lbd.net.tls import Face, client_context
from tests.authority import Authority, shake


def pem(path: Path, key: bytes = b"") -> Pem:
    return Pem(str(path), path.read_bytes(), key)


def der(path: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(path.read_text().partition("-----BEGIN PRIVATE")[0])


@pytest.mark.parametrize(("name", "file"), [
    ("a.example.com", 0), ("A.Example.com", 0), ("b.example.com", 1), ("x.b.example.com", 0), ("c.example.com", 1),
    ("example.com", 0), ("", 0), ("10.0.0.1", 0),
])
def test_the_certificate_follows_the_name(tmp_path: Path, name: str, file: int) -> None:
    authority = Authority(tmp_path)
    files = [authority.issue("one.pem", "a.example.com", "other.org"), authority.issue("two.pem", "*.example.com")]
    near, far = shake(client_context(verify=False), Face([pem(path) for path in files]).context, name or None)
    assert near.getpeercert(binary_form=True) == der(files[file])
    assert near.selected_alpn_protocol() == "http/1.1"
    assert getattr(far, "asked", None) == (name if name and name != "10.0.0.1" else None)


@pytest.mark.parametrize("name", ["a.example.com", ""])
def test_keys_of_two_kinds_for_one_name(tmp_path: Path, name: str) -> None:
    authority = Authority(tmp_path)
    names = "a.example.com", "b.example.com"
    files = [authority.issue("new.pem", *names), authority.issue("old.pem", *reversed(names), old=True),
             authority.issue("more.pem", *names, old=True), authority.issue("c.pem", "c.example.com", old=True)]
    face = Face([pem(path) for path in files])
    for ciphers, file in (("ECDHE-ECDSA-AES128-GCM-SHA256", 0), ("ECDHE-RSA-AES128-GCM-SHA256", 1), ("DEFAULT", 0)):
        client = client_context.__wrapped__(ca=authority.file.read_bytes())
        client.maximum_version = ssl.TLSVersion.TLSv1_2
        client.set_ciphers(ciphers)
        client.check_hostname = bool(name)
        assert shake(client, face.context, name or None)[0].getpeercert(binary_form=True) == der(files[file])


def test_files_that_are_no_good(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    good = authority.issue("good.pem", "a.example.com").read_bytes()
    chain, begin, key = good.partition(b"-----BEGIN PRIVATE")
    other = authority.issue("other.pem", "b.example.com").read_bytes().partition(b"-----BEGIN PRIVATE")[2]
    for data, error in (
        (b"", "it holds no certificate"),
        (chain, "it holds no private key"),
        (begin + key, "it holds no certificate"),
        (chain + begin + other, "the private key is of another certificate"),
        (good[:len(good) // 4], "it holds no certificate"),
        (chain + begin + key[:60], "it ends within a key or certificate"),
    ):
        with pytest.raises(LbdError, match=error) as found:
            Face([Pem("/etc/x.pem", data, b"")])
        assert str(found.value).startswith("certificates: /etc/x.pem: ")
        assert key[20:60].decode() not in str(found.value)


def test_keys_with_a_password_are_refused(tmp_path: Path) -> None:
    good = Authority(tmp_path).issue("good.pem", "a.example.com").read_bytes()
    secret = serialization.load_pem_private_key(good, None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x"))
    with pytest.raises(LbdError, match="its private key is encrypted"):
        Face([Pem("x.pem", good.partition(b"-----BEGIN PRIVATE")[0], secret)])


def test_other_mistakes(tmp_path: Path) -> None:
    good = pem(Authority(tmp_path).issue("good.pem", "a.example.com"))
    with pytest.raises(LbdError, match=r"^certificates: there is none"):
        Face([])
    with pytest.raises(LbdError, match='ciphers: "nonsense": OpenSSL knows no such cipher'):
        Face([good], ciphers="nonsense")
    with pytest.raises(LbdError, match="client_ca: the file holds no certificates"):
        Face([good], client_ca=b"nothing")


def test_old_versions_are_not_spoken(tmp_path: Path) -> None:
    face = Face([pem(Authority(tmp_path).issue("good.pem", "a.example.com"))], min_version="1.3")
    assert face.context.minimum_version == ssl.TLSVersion.TLSv1_3
    names = {cipher["name"] for cipher in Face([pem(tmp_path / "good.pem")]).context.get_ciphers()}
    assert all("GCM" in name or "CHACHA20" in name for name in names)
    assert not any(name.startswith(("AES", "DHE")) for name in names)


def test_what_is_asked_of_servers(tmp_path: Path) -> None:
    assert client_context().verify_mode == ssl.CERT_REQUIRED
    assert client_context().check_hostname
    assert client_context() is client_context()
    assert client_context(verify=False).verify_mode == ssl.CERT_NONE
    own = client_context(ca=Authority(tmp_path).file.read_bytes())
    assert own.cert_store_stats()["x509_ca"] == 1
