"""lbd.cli.daemon_tls: whom a command trusts."""

import ssl
from pathlib import Path

import pytest

from lbd.cli.daemon_tls import daemon_context
from lbd.errors import LbdError
from tests.admin.certificates import Authority


def test_only_the_one_certificate_is_believed(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    chain = tmp_path / "chain.pem"
    chain.write_text(Path(authority.certificate("lbd")).read_text() + Path(authority.ca).read_text())
    made = daemon_context(own=str(chain))
    assert made.verify_mode == ssl.CERT_REQUIRED
    assert not made.check_hostname
    assert [dict(part[0] for part in one["subject"]) for one in made.get_ca_certs()] == []
    assert made.cert_store_stats()["x509"] == 1


def test_an_authority_is_believed_for_names(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    made = daemon_context(ca=authority.ca, cert=authority.certificate("me"), own="/not/looked/at")
    assert made.check_hostname
    assert made.cert_store_stats()["x509_ca"] == 1


@pytest.mark.parametrize(("given", "words"), [
    ({"ca": "/nope"}, "--admin-ca: cannot read /nope: No such file"),
    ({"cert": "/nope"}, "--admin-cert: cannot read /nope: No such file"),
    ({"own": "/nope"}, r"admin\.tls\.cert: cannot read /nope"),
    ({"ca": "text"}, "--admin-ca: .* holds no certificate in PEM form"),
    ({"cert": "text"}, "--admin-cert: .* holds no certificate and key in PEM form"),
    ({"own": "text"}, r"admin\.tls\.cert: .* holds no certificate in PEM form")])
def test_files_of_no_use(tmp_path: Path, given: dict[str, str], words: str) -> None:
    (tmp_path / "text").write_text("nothing")
    with pytest.raises(LbdError, match=words):
        daemon_context(**{name: str(tmp_path / file) if file == "text" else file for name, file in given.items()})
