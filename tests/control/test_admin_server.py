"""The admin server: where it binds, who may use it, what is refused."""

import grp
import os
import socket
import stat

import pytest

from lbd.control.admin_server import bind_admin_server
from lbd.errors import LbdError
from lbd.schema import Admin, Config
from lbd.schema.units import Address
from tests.control.daemon import LOCAL, Daemon


async def test_the_admin_socket_is_its_owners_and_goes_with_the_server(tmp_path):
    path = str(tmp_path / "run" / "s")
    server = bind_admin_server(Config(admin=Admin(bind=Address(path=path))), Daemon(), None)
    await server.open()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    await server.close()
    assert not os.path.exists(path)


async def test_a_group_gets_in_when_it_is_named(tmp_path):
    group = grp.getgrgid(os.getgroups()[0] if os.getgroups() else os.getgid())
    path = tmp_path / "run" / "s"
    settings = Admin(bind=Address(path=str(path)), mode=0o660, group=group.gr_name)
    server = bind_admin_server(Config(admin=settings), Daemon(), None)
    assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_gid) == (0o660, group.gr_gid)
    assert (stat.S_IMODE(path.parent.stat().st_mode), path.parent.stat().st_gid) == (0o710, group.gr_gid)
    await server.open()
    await server.close()


async def test_a_directory_that_was_there_stays_as_it_was(tmp_path):
    (tmp_path / "run").mkdir(0o700)
    settings = Admin(bind=Address(path=str(tmp_path / "run" / "s")), mode=0o666)
    server = bind_admin_server(Config(admin=settings), Daemon(), None)
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
    await server.open()
    await server.close()


def test_a_group_that_is_none(tmp_path):
    settings = Admin(bind=Address(path=str(tmp_path / "s")), mode=0o660, group="no such group")
    with pytest.raises(LbdError, match=r"^admin\.group: this machine has no group 'no such group'$"):
        bind_admin_server(Config(admin=settings), Daemon(), None)


async def test_a_tcp_address_needs_a_token(tmp_path):
    with pytest.raises(LbdError, match=r"admin\.token_file"):
        bind_admin_server(Config(admin=Admin(bind=LOCAL)), Daemon(), None)
    (tmp_path / "token").write_text("0123456789abcdef")
    server = bind_admin_server(Config(admin=Admin(bind=LOCAL, token_file=str(tmp_path / "token"))), Daemon(), None)
    await server.open()
    assert server.address.port != 0
    await server.close()


def test_no_admin_interface_where_it_is_off():
    left = socket.socket()
    assert bind_admin_server(Config(admin=Admin(bind=Address())), Daemon(), None, left) is None
    assert left.fileno() == -1
