"""The doors: where they open, who may use them, what is refused."""

import grp
import os
import socket
import ssl
import stat

import pytest
from aiohttp import ClientSession

from lbd.control import doors
from lbd.errors import LbdError
from lbd.schema import Admin, AdminTls, Config, MetricsConfig
from lbd.schema.units import Address
from tests.admin.certificates import Authority

LOCAL = Address("127.0.0.1", 0)


class Daemon:
    """Nothing is asked of it here."""

    ready = ""
    steering = None


async def test_the_admin_socket_is_its_owners_and_goes_with_the_door(tmp_path):
    path = str(tmp_path / "run" / "s")
    door = doors.admin(Config(admin=Admin(bind=Address(path=path))), Daemon(), None)
    await door.open()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    await door.close()
    assert not os.path.exists(path)


async def test_a_group_gets_in_when_it_is_named(tmp_path):
    group = grp.getgrgid(os.getgroups()[0] if os.getgroups() else os.getgid())
    path = tmp_path / "run" / "s"
    settings = Admin(bind=Address(path=str(path)), mode=0o660, group=group.gr_name)
    door = doors.admin(Config(admin=settings), Daemon(), None)
    assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_gid) == (0o660, group.gr_gid)
    assert (stat.S_IMODE(path.parent.stat().st_mode), path.parent.stat().st_gid) == (0o710, group.gr_gid)
    await door.open()
    await door.close()


async def test_a_directory_that_was_there_stays_as_it_was(tmp_path):
    (tmp_path / "run").mkdir(0o700)
    settings = Admin(bind=Address(path=str(tmp_path / "run" / "s")), mode=0o666)
    door = doors.admin(Config(admin=settings), Daemon(), None)
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
    await door.open()
    await door.close()


def test_a_group_that_is_none(tmp_path):
    settings = Admin(bind=Address(path=str(tmp_path / "s")), mode=0o660, group="no such group")
    with pytest.raises(LbdError, match=r"^admin\.group: this machine has no group 'no such group'$"):
        doors.admin(Config(admin=settings), Daemon(), None)


async def test_tls_on_a_tcp_address(tmp_path):
    authority = Authority(tmp_path)
    (tmp_path / "token").write_text("0123456789abcdef")
    settings = Admin(bind=LOCAL, token_file=str(tmp_path / "token"),
                     tls=AdminTls(authority.certificate("lbd", "IP:127.0.0.1")))
    door = doors.admin(Config(admin=settings), Daemon(), None)
    await door.open()
    await door.renew()
    context = ssl.create_default_context(cafile=authority.ca)
    async with ClientSession() as session, session.get(f"https://{door.address}/healthz", ssl=context) as answer:
        assert await answer.text() == "ok\n"
    await door.close()


async def test_a_tcp_address_needs_a_token(tmp_path):
    with pytest.raises(LbdError, match=r"admin\.token_file"):
        doors.admin(Config(admin=Admin(bind=LOCAL)), Daemon(), None)
    (tmp_path / "token").write_text("0123456789abcdef")
    door = doors.admin(Config(admin=Admin(bind=LOCAL, token_file=str(tmp_path / "token"))), Daemon(), None)
    await door.open()
    assert door.address.port != 0
    await door.close()


async def test_metrics_only_where_they_are_wanted():
    assert doors.metrics(Config(), Daemon()) is None
    door = doors.metrics(Config(metrics=MetricsConfig(bind=LOCAL)), Daemon())
    await door.open()
    await door.close()


@pytest.mark.parametrize(("before", "after"), [("127.0.0.1", "0.0.0.0"), ("0.0.0.0", "127.0.0.1"),
                                               ("127.0.0.1", "127.0.0.1"), ("::1", "::"), ("127.0.0.1", "::")])
async def test_metrics_take_a_port_beside_what_gives_it_up(before, after):
    door = doors.metrics(Config(metrics=MetricsConfig(bind=Address(before, 0))), Daemon())
    await door.open()
    wanted = Config(metrics=MetricsConfig(bind=Address(after, door.address.port)))
    if after != "::" or before == "::1":
        with pytest.raises(LbdError, match="lbd itself listens there"):
            doors.metrics(wanted, Daemon())
    other = doors.metrics(wanted, Daemon(), shared={door.address.port})
    await other.open()
    await door.close()
    place = Address("::1" if ":" in after else "127.0.0.1", door.address.port)
    async with ClientSession() as session, session.get(f"http://{place}/healthz") as answer:
        assert await answer.text() == "ok\n"
    await other.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives sockets away")
def test_a_port_that_root_bound_is_shared_with_the_user_that_lbd_becomes():
    door = doors.metrics(Config(metrics=MetricsConfig(bind=LOCAL)), Daemon(), (65534, 65534))
    about = os.fstat(door.sock.fileno())
    door.sock.close()
    assert (about.st_uid, about.st_gid) == (65534, 65534)


def test_a_refusal_names_the_key():
    with pytest.raises(LbdError, match=r"\(metrics\.bind\)"):
        doors.metrics(Config(metrics=MetricsConfig(bind=Address("192.0.2.1", 1))), Daemon())


async def test_sockets_of_the_version_before_serve_on(tmp_path):
    path = str(tmp_path / "s")
    before, after = Config(admin=Admin(bind=Address(path=path))), Config(admin=Admin(bind=Address(path=path + "2")))
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)
        one.listen()
        tmp_path.chmod(0o500)   # what is bound already needs no right to the directory
        door = doors.admin(before, Daemon(), None, one)
        assert (door.sock, door.address.path) == (one, path)
        tmp_path.chmod(0o700)
        other = doors.admin(after, Daemon(), None, one)
        assert one.fileno() == -1
        other.sock.close()
    with socket.create_server(("127.0.0.1", 0)) as one:
        address = Address(*one.getsockname())
        assert doors.metrics(Config(metrics=MetricsConfig(bind=address)), Daemon(), None, one).sock is one
        assert doors.metrics(Config(), Daemon(), None, one) is None
        assert one.fileno() == -1


def test_no_admin_interface_where_it_is_off():
    left = socket.socket()
    assert doors.admin(Config(admin=Admin(bind=Address())), Daemon(), None, left) is None
    assert left.fileno() == -1
