"""Tests of lbd.cli.certificate_findings: chains, and files that are missing or no good, as `lbd check` shows them."""

from pathlib import Path

import pytest

from tests.authority import Authority
from tests.cli.commands.test_check import GOOD, here, run

__all__ = ["here"]      # a fixture of every test


def test_chains_are_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = Authority(tmp_path, "Root")
    between = root.authority("Between")
    leaf = between.issue("leaf.pem", "a.test").read_bytes()
    tls = 'tls = { certificates = "a.pem", client_ca = "c.pem" }\n'
    text = (GOOD.replace('backend = "app"\n', 'backend = "app"\n' + tls)
            + '[admin]\nbind = "127.0.0.1:81"\ntoken_file = "token"\ntls = { cert = "a.pem", client_ca = "c.pem" }\n')
    (tmp_path / "token").write_text("x" * 40)
    (tmp_path / "c.pem").write_bytes(Authority(tmp_path, "Old").authority("Other", days=(-9, -2)).file.read_bytes())
    (tmp_path / "a.pem").write_bytes(leaf + root.file.read_bytes() + between.file.read_bytes())
    assert run(text) == 0
    said = capsys.readouterr().err
    order = 'has its chain in the wrong order: certificate 2, "Root", stands where "Between" must'
    assert f"lbd.toml:4:9: warning: listeners.web.tls.certificates: {tmp_path}/a.pem {order}" in said
    assert f"warning: admin.tls.cert: {tmp_path}/a.pem {order}" in said
    for key in ("listeners.web.tls", "admin.tls"):
        assert f'{key}.client_ca: the file holds a certificate (number 1, "Other") that expired on ' in said
    (tmp_path / "a.pem").write_bytes(leaf)
    assert run(text) == 0
    assert capsys.readouterr().err.count('a.pem ends with a certificate of "Between", which is no root') == 2
    (tmp_path / "c.pem").write_bytes(root.file.read_bytes())
    (tmp_path / "a.pem").write_bytes(leaf + between.file.read_bytes())
    assert run(text) == 0
    assert capsys.readouterr().err == ""
    (tmp_path / "a.pem").write_bytes(between.file.read_bytes())
    assert run(text) == 1
    assert "admin.tls.cert: " in capsys.readouterr().err


def test_certificates_are_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace('backend = "app"\n', 'backend = "app"\ntls.certificates = "a.pem"\n')
    assert run(text) == 1
    said = capsys.readouterr().err.replace("\n", " ")
    assert f"lbd.toml:4:5: listeners.web.tls.certificates: cannot read {tmp_path}/a.pem: No such file" in said
    assert run(text + '[backends.app.tls]\nca = "b.pem"\n[backends.app.servers.c]\naddress = "https://c:1"\n') == 1
    said = capsys.readouterr().err
    assert "listeners.web.tls.certificates: cannot read" in said
    assert "lbd.toml:8:1: backends.app.tls.ca: cannot read" in said
    Authority(tmp_path).issue("a.pem", "a.example.com")
    assert run(text) == 0
