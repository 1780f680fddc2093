"""Tests of lbd.tls.contexts: which certificate a client is shown, and what is said of files that are no good."""

import ssl
import weakref
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from lbd.errors import LbdError
from lbd.tls.certificate import load_pem
from lbd.tls.contexts import ServerTls, client_context, new_client_context
from lbd.tls.pem import Pem
from tests.authority import Authority, shake


def pem(path: Path, key: bytes = b"") -> Pem:
    return load_pem(str(path), path.read_bytes(), key)


def der(path: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(path.read_text().partition("-----BEGIN PRIVATE")[0])


@pytest.mark.parametrize(("name", "file"), [
    ("a.example.com", 0), ("A.Example.com", 0), ("b.example.com", 1), ("x.b.example.com", 0), ("c.example.com", 1),
    ("example.com", 0), ("", 0), ("10.0.0.1", 0),
])
def test_the_certificate_follows_the_name(tmp_path: Path, name: str, file: int) -> None:
    authority = Authority(tmp_path)
    files = [authority.issue("one.pem", "a.example.com", "other.org"), authority.issue("two.pem", "*.example.com")]
    near, far = shake(client_context(verify=False), ServerTls([pem(path) for path in files]).context, name or None)
    assert near.getpeercert(binary_form=True) == der(files[file])
    assert near.selected_alpn_protocol() == "http/1.1"
    assert getattr(far, "requested_name", None) == (name if name and name != "10.0.0.1" else None)


@pytest.mark.parametrize("name", ["a.example.com", ""])
def test_keys_of_two_kinds_for_one_name(tmp_path: Path, name: str) -> None:
    authority = Authority(tmp_path)
    names = "a.example.com", "b.example.com"
    files = [authority.issue("new.pem", *names), authority.issue("old.pem", *reversed(names), old=True),
             authority.issue("more.pem", *names, old=True), authority.issue("c.pem", "c.example.com", old=True)]
    server_tls = ServerTls([pem(path) for path in files])
    for ciphers, file in (("ECDHE-ECDSA-AES128-GCM-SHA256", 0), ("ECDHE-RSA-AES128-GCM-SHA256", 1), ("DEFAULT", 0)):
        client = new_client_context(ca=authority.file.read_bytes())
        client.maximum_version = ssl.TLSVersion.TLSv1_2
        client.set_ciphers(ciphers)
        client.check_hostname = bool(name)
        assert shake(client, server_tls.context, name or None)[0].getpeercert(binary_form=True) == der(files[file])


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
            ServerTls([load_pem("/etc/x.pem", data, b"")])
        assert str(found.value).startswith("certificates: /etc/x.pem: ")
        assert key[20:60].decode() not in str(found.value)


def test_keys_with_a_password_are_refused(tmp_path: Path) -> None:
    good = Authority(tmp_path).issue("good.pem", "a.example.com").read_bytes()
    secret = serialization.load_pem_private_key(good, None).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x"))
    with pytest.raises(LbdError, match="its private key is encrypted"):
        ServerTls([load_pem("x.pem", good.partition(b"-----BEGIN PRIVATE")[0], secret)])


def test_other_mistakes(tmp_path: Path) -> None:
    good = pem(Authority(tmp_path).issue("good.pem", "a.example.com"))
    with pytest.raises(LbdError, match=r"^certificates: there is none"):
        ServerTls([])
    with pytest.raises(LbdError, match='ciphers: "nonsense": OpenSSL knows no such cipher'):
        ServerTls([good], ciphers="nonsense")
    with pytest.raises(LbdError, match="client_ca: the file holds no certificates"):
        ServerTls([good], client_ca=b"nothing")


def test_old_versions_are_not_spoken(tmp_path: Path) -> None:
    server_tls = ServerTls([pem(Authority(tmp_path).issue("good.pem", "a.example.com"))], min_version="1.3")
    assert server_tls.context.minimum_version == ssl.TLSVersion.TLSv1_3
    names = {cipher["name"] for cipher in ServerTls([pem(tmp_path / "good.pem")]).context.get_ciphers()}
    assert all("GCM" in name or "CHACHA20" in name for name in names)
    assert not any(name.startswith(("AES", "DHE")) for name in names)


def test_contexts_are_shared_while_anybody_has_them() -> None:
    made = {number: client_context(verify=False, alpn=(f"protocol-{number}",)) for number in range(100)}
    for number, context in made.items():
        assert client_context(verify=False, alpn=(f"protocol-{number}",)) is context
    gone = weakref.ref(made.pop(7))
    del context
    assert gone() is None


def test_what_is_asked_of_servers(tmp_path: Path) -> None:
    assert client_context().verify_mode == ssl.CERT_REQUIRED
    assert client_context().check_hostname
    assert client_context(verify=False).verify_mode == ssl.CERT_NONE
    own = client_context(ca=Authority(tmp_path).file.read_bytes())
    assert own.cert_store_stats()["x509_ca"] == 1


@pytest.mark.parametrize("name", ["a.example.com.", "A.Example.com.", "x.example.com."])
def test_a_dot_at_the_end_is_none_of_the_name(tmp_path: Path, name: str) -> None:
    authority = Authority(tmp_path)
    files = [authority.issue(f"{number}.pem", host) for number, host in enumerate(("z.org", "a.example.com",
                                                                                   "*.example.com"))]
    server_tls = ServerTls([pem(path) for path in files], strict=True)
    near, _ = shake(client_context(verify=False), server_tls.context, name)
    assert near.getpeercert(binary_form=True) == der(files[1 if name[0] in "aA" else 2])


def refused(client: ssl.SSLContext, server: ssl.SSLContext, name: str | None) -> tuple[str | None, str | None]:
    """The reasons for which server and client end a handshake."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(back, there, server_hostname=name)
    far = server.wrap_bio(there, back, server_side=True)
    reasons: list[str | None] = []
    for step in (near, far, near):
        try:
            step.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLError as error:
            reasons.append(error.reason)
    ours, theirs = reasons
    return ours, theirs


@pytest.mark.parametrize("name", ["b.example.com", "x.a.example.com", "10.0.0.1", None])
def test_strict_faces_refuse_names_that_no_certificate_has(tmp_path: Path, name: str | None) -> None:
    files = [Authority(tmp_path).issue("one.pem", "a.example.com", "*.w.example.com")]
    server_tls, client = ServerTls([pem(path) for path in files], strict=True), client_context(verify=False)
    assert refused(client, server_tls.context, name) == ("CALLBACK_FAILED", "TLSV1_UNRECOGNIZED_NAME")
    for known in ("a.example.com", "A.example.com", "x.w.example.com"):
        assert shake(client, server_tls.context, known)[0].getpeercert(binary_form=True) == der(files[0])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("ours", "theirs", "chosen"), [
    (("http/1.1",), ["h2", "http/1.1"], "http/1.1"), (("http/1.1",), [], None), (("http/1.1",), ["h2"], ""),
    (("b", "a"), ["a", "b"], "b"), ((), ["h2"], None),
])
@pytest.mark.parametrize("name", ["a.example.com", "b.example.com"])
def test_who_offers_no_common_protocol_is_refused(tmp_path: Path, version: ssl.TLSVersion, ours: tuple[str, ...],
                                                  theirs: list[str], chosen: str | None, name: str) -> None:
    authority = Authority(tmp_path)
    hosts = ("a.example.com", "b.example.com")
    server_tls = ServerTls([pem(authority.issue(f"{host[0]}.pem", host)) for host in hosts], alpn=ours)
    client = new_client_context(verify=False, alpn=tuple(theirs))
    client.minimum_version = client.maximum_version = version
    if chosen == "":
        assert refused(client, server_tls.context, name)[0] == "NO_APPLICATION_PROTOCOL"
    else:
        assert [end.selected_alpn_protocol() for end in shake(client, server_tls.context, name)] == [chosen] * 2


@pytest.mark.parametrize("partial", [False, True])
def test_an_intermediate_alone_is_believed_only_where_that_is_wanted(tmp_path: Path, partial: bool) -> None:
    root = Authority(tmp_path, "root")
    between = root.authority("between")
    shown = pem(between.issue("client.pem", "c", common="Ann"))
    server_tls = ServerTls([pem(root.issue("a.pem", "a.example.com"))], client_ca=between.file.read_bytes(),
                           partial=partial)
    client = new_client_context(verify=False, pem=shown)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    if partial:
        assert shake(client, server_tls.context, None)[1].getpeercert()
    else:
        with pytest.raises(ssl.SSLCertVerificationError, match="unable to get issuer"):
            shake(client, server_tls.context, None)
    own = client_context(ca=between.file.read_bytes(), partial=partial)
    server = ServerTls([pem(between.issue("b.pem", "b.example.com"))])
    if partial:
        assert shake(own, server.context, "b.example.com")[0].getpeercert()
    else:
        with pytest.raises(ssl.SSLCertVerificationError, match="unable to get issuer"):
            shake(own, server.context, "b.example.com")
