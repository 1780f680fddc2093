"""The file of a Unix socket: mode, owner and group."""

import grp
import os
import pwd
import socket

import pytest

from lbd.errors import LbdError
from lbd.process.socket_file import Permissions, default_owner, permissions_of, wanted_permissions
from lbd.schema import ListenerConfig
from lbd.schema.units import Address

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def listener(**keys):
    return ListenerConfig(bind=(Address(path="/s"),), **keys)


def test_names_become_numbers():
    me, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    assert wanted_permissions("web", listener()) == Permissions(0o666, -1, -1)
    assert wanted_permissions("web", listener(unix_mode=0o660, unix_user=me, unix_group=group)) == Permissions(
        0o660, os.geteuid(), os.getegid())


@pytest.mark.parametrize("kind", ["user", "group"])
def test_nobody_of_that_name(kind):
    with pytest.raises(LbdError, match=f"listeners.web.unix_{kind}: this machine has no {kind} 'no-such-one'"):
        wanted_permissions("web", listener(**{f"unix_{kind}": "no-such-one"}))


@root
def test_they_are_put_and_what_is_not_wanted_stays(tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
    Permissions(0o640, 65534, 4).apply(path, "listeners.web")
    assert permissions_of(path) == Permissions(0o640, 65534, 4)
    Permissions(0o666).apply(path, "listeners.web")
    assert permissions_of(path) == Permissions(0o666, 65534, 4)


def test_a_failure_says_where_and_what_to_do(tmp_path):
    with pytest.raises(LbdError, match=r"listeners\.web: /.*/none cannot be given to that user or group: No such file"):
        Permissions(0o600).apply(str(tmp_path / "none"), "listeners.web")


@root
def test_a_directory_with_set_group_id_gives_its_group(tmp_path):
    assert default_owner(str(tmp_path / "s")) == (os.geteuid(), os.getegid())
    os.chown(tmp_path, -1, 4)
    tmp_path.chmod(0o2755)
    assert default_owner(str(tmp_path / "s")) == (os.geteuid(), 4)
