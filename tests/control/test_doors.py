"""The doors: where they open, who may use them, what is refused."""

import os
import stat

import pytest

from lbd.config.schema import Admin, Config, Metrics
from lbd.config.units import Address
from lbd.control import doors
from lbd.errors import LbdError

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
    door = doors.metrics(Config(metrics=Metrics(bind=LOCAL)), Daemon())
    await door.open()
    await door.close()


def test_a_refusal_names_the_key():
    with pytest.raises(LbdError, match=r"\(metrics\.bind\)"):
        doors.metrics(Config(metrics=Metrics(bind=Address("192.0.2.1", 1))), Daemon())
