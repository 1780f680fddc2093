"""TLS of the admin interface: what is refused, what clients must show, and certificates that are renewed."""

import asyncio
import os
import shutil
import ssl

import pytest

from lbd.admin.tls import AdminTlsContext, subject
from lbd.errors import LbdError
from lbd.schema import AdminTls
from tests.admin.certificates import Authority
from tests.authority import asked


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


def renew(tls):
    """Tick, as its server does once a second."""
    if tls.has_new_certificate():
        tls.renew()


async def seen(tls, client):
    """The common names of the client's and of the server's certificate in a handshake."""
    names = []

    async def greet(_reader, writer):
        names.append(subject(writer.get_extra_info("peercert")))
        writer.write(b"x")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=tls.context) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        assert await reader.read() == b"x"
        names.append(subject(writer.get_extra_info("peercert")))
        writer.close()
    return names


async def test_a_client_needs_a_certificate_of_the_right_authority(authority, tmp_path):
    server, operator = authority.certificate("lbd", "IP:127.0.0.1"), authority.certificate("operator")
    stranger = Authority(tmp_path, "elsewhere").certificate("operator")
    tls = AdminTlsContext(AdminTls(server, client_ca=authority.ca))
    client = ssl.create_default_context(cafile=authority.ca)
    with pytest.raises((OSError, AssertionError)):
        await seen(tls, client)
    client.load_cert_chain(stranger)
    with pytest.raises((OSError, AssertionError)):
        await seen(tls, client)
    client.load_cert_chain(operator)
    assert await seen(tls, client) == ["operator", "lbd"]


async def test_a_renewed_certificate_is_used_and_a_broken_one_is_not(authority, tmp_path):
    file = tmp_path / "admin.pem"
    shutil.copy(authority.certificate("old", "IP:127.0.0.1"), file)
    tls = AdminTlsContext(AdminTls(str(file)))
    client = ssl.create_default_context(cafile=authority.ca)
    assert await seen(tls, client) == ["", "old"]
    file.write_text("half")
    os.utime(file, (1, 1))
    renew(tls)
    assert await seen(tls, client) == ["", "old"]
    shutil.copy(authority.certificate("new", "IP:127.0.0.1"), file)
    renew(tls)
    assert await seen(tls, client) == ["", "new"]


def test_other_authorities_need_a_restart_and_that_is_said_once(authority, tmp_path, monkeypatch):
    trusted, said = tmp_path / "ca.pem", []
    shutil.copy(authority.ca, trusted)
    tls = AdminTlsContext(AdminTls(authority.certificate("own", "IP:127.0.0.1"), client_ca=str(trusted)))
    monkeypatch.setattr("lbd.admin.tls.logger.warning", lambda text, **facts: said.append((text, facts)))
    renew(tls)
    assert said == []
    os.utime(trusted, (1, 1))
    renew(tls)
    renew(tls)
    assert said == [("change takes effect only after a restart", {"key": "admin.tls.client_ca", "file": str(trusted)})]


def test_files_of_no_use(authority, tmp_path):
    good, other = authority.certificate("a"), authority.certificate("b")
    (tmp_path / "text").write_text("no certificate")
    for settings, words in ((AdminTls("/nope"), r"admin\.tls\.cert: /nope: No such file"),
                            (AdminTls(str(tmp_path / "text")), "in PEM form"),
                            (AdminTls(good, other), "the private key belongs to another certificate"),
                            (AdminTls(good, client_ca=str(tmp_path / "text")), r"admin\.tls\.client_ca: .*: ")):
        with pytest.raises(LbdError, match=words):
            AdminTlsContext(settings)


def test_clients_are_told_whose_certificate_they_need(authority):
    tls = AdminTlsContext(AdminTls(authority.certificate("lbd", "IP:127.0.0.1"), client_ca=authority.ca))
    assert "Acceptable client certificate CA names\nCN = authority\n" in asked(tls.context)
    assert "alert number 120" in asked(tls.context, "-alpn", "h2")
