"""Servers of the API: TLS, and sockets of the version before."""

import socket
import ssl

from aiohttp import ClientSession

from lbd.control.admin_server import bind_admin_server
from lbd.control.metrics_server import bind_metrics_server
from lbd.schema import Admin, AdminTls, Config, MetricsConfig
from lbd.schema.units import Address
from tests.admin.certificates import Authority
from tests.control.daemon import LOCAL, Daemon


async def test_tls_on_a_tcp_address(tmp_path):
    authority = Authority(tmp_path)
    (tmp_path / "token").write_text("0123456789abcdef")
    settings = Admin(bind=LOCAL, token_file=str(tmp_path / "token"),
                     tls=AdminTls(authority.certificate("lbd", "IP:127.0.0.1")))
    server = bind_admin_server(Config(admin=settings), Daemon(), None)
    await server.open()
    await server.renew()
    context = ssl.create_default_context(cafile=authority.ca)
    async with ClientSession() as session, session.get(f"https://{server.address}/healthz", ssl=context) as answer:
        assert await answer.text() == "ok\n"
    await server.close()


async def test_sockets_of_the_version_before_serve_on(tmp_path):
    path = str(tmp_path / "s")
    before, after = Config(admin=Admin(bind=Address(path=path))), Config(admin=Admin(bind=Address(path=path + "2")))
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)
        one.listen()
        tmp_path.chmod(0o500)   # what is bound already needs no right to the directory
        server = bind_admin_server(before, Daemon(), None, one)
        assert (server.sock, server.address.path) == (one, path)
        tmp_path.chmod(0o700)
        other = bind_admin_server(after, Daemon(), None, one)
        assert one.fileno() == -1
        other.sock.close()
    with socket.create_server(("127.0.0.1", 0)) as one:
        address = Address(*one.getsockname())
        assert bind_metrics_server(Config(metrics=MetricsConfig(bind=address)), Daemon(), None, one).sock is one
        assert bind_metrics_server(Config(), Daemon(), None, one) is None
        assert one.fileno() == -1
