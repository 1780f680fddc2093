"""Tests of lbd.tls.pem: the blocks of a file, and the comparison of distinguished names."""

import ssl
from pathlib import Path

from lbd.tls.pem import COMMON_NAME, CertificateFacts, Pem, blocks, certificates, common_name, same_name
from tests.authority import Authority


def test_blocks_leave_words_out(tmp_path: Path) -> None:
    data = Authority(tmp_path).file.read_bytes()
    assert blocks("Größe\n".encode() + data + b"# end\n").encode() == data.rstrip()


def test_the_certificates_of_a_file_in_order(tmp_path: Path) -> None:
    parts = [Authority(tmp_path, name).file.read_bytes() for name in ("One", "Two")]
    assert certificates(b"words\n".join(parts)) == [ssl.PEM_cert_to_DER_cert(part.decode()) for part in parts]
    assert certificates(b"") == []


def test_names_that_are_the_same() -> None:
    assert same_name(((COMMON_NAME, "An Authority"),), ((COMMON_NAME, "an  AUTHORITY"),))
    assert not same_name(((COMMON_NAME, "An Authority"),), ((COMMON_NAME, "Another"),))
    assert not same_name(((COMMON_NAME, "Unit"),), (("2.5.4.10", "Unit"),))


def test_the_common_name_else_the_last_value() -> None:
    assert common_name((("2.5.4.6", "DE"), (COMMON_NAME, "a"), ("2.5.4.10", "Unit"))) == "a"
    assert common_name((("2.5.4.6", "DE"), ("2.5.4.10", "Unit"))) == "Unit"
    assert common_name(()) == ""


def test_keys_are_not_shown() -> None:
    assert "secret" not in repr(Pem("a.pem", b"chain", b"secret", CertificateFacts((), 0, 0, "", (), ())))
