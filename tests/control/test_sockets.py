"""The listening sockets: what a generation opens, keeps and lets go."""

import os
import socket

import pytest

from lbd.config.schema import Listener
from lbd.config.units import Address
from lbd.control.sockets import Sockets
from lbd.errors import LbdError


@pytest.fixture
def sockets():
    owner = Sockets()
    yield owner
    owner.close()


def listener(*addresses):
    return Listener(bind=addresses)


def local(port=0):
    return Address("127.0.0.1", port)


def answers(address):
    with socket.socket() as client:
        return client.connect_ex((address.host, address.port)) == 0


def test_one_socket_per_bind_and_slot(sockets):
    sockets.commit(sockets.stage({"web": listener(local(), Address("::1", 0)), "api": listener(local())}, 3))
    assert len(sockets.of("web", [0, 1, 2])) == 6
    assert len(sockets.of("web", [1])) == 2
    assert len(sockets.of("api", [0, 2])) == 2
    assert sockets.of("other", [0]) == []
    for fd in sockets.of("api", [0, 1, 2]):
        with socket.socket(fileno=os.dup(fd)) as copy:
            assert copy.getsockname()[1] == sockets.addresses()["api"][0].port


def test_nothing_listens_before_the_commit(sockets):
    staged = sockets.stage({"web": listener(local())}, 2)
    port = staged.fresh[0][1].getsockname()[1]
    assert not answers(local(port))
    sockets.commit(staged)
    assert answers(local(port))


def test_an_unchanged_bind_keeps_its_sockets(sockets):
    sockets.commit(sockets.stage({"web": listener(local())}, 2))
    address = sockets.addresses()["web"][0]
    first = sockets.of("web", [0, 1])
    sockets.commit(sockets.stage({"web": listener(local()), "more": listener(local())}, 2))
    assert sockets.of("web", [0, 1]) == first
    assert sockets.addresses()["web"] == [address]


def test_a_bind_moves_between_listeners_without_closing(sockets):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sockets.commit(sockets.stage({"old": listener(local(port))}, 2))
    first = sockets.of("old", [0, 1])
    assert sockets.commit(sockets.stage({"new": listener(local(port))}, 2)) == []
    assert sockets.of("new", [0, 1]) == first
    assert sockets.of("old", [0, 1]) == []


def test_removed_binds_are_handed_back_and_then_closed(sockets):
    sockets.commit(sockets.stage({"web": listener(local()), "api": listener(local())}, 3))
    api = sockets.addresses()["api"][0]
    unused = sockets.commit(sockets.stage({"web": listener(local())}, 2))
    assert len(unused) == 3
    assert sockets.slots == 3
    assert answers(api)
    sockets.release(unused)
    assert not answers(api)
    assert all(sock.fileno() == -1 for _, sock in unused)


def test_more_slots_open_more_sockets_on_the_same_port(sockets):
    sockets.commit(sockets.stage({"web": listener(local())}, 1))
    address = sockets.addresses()["web"][0]
    sockets.commit(sockets.stage({"web": listener(local())}, 4))
    assert len(sockets.of("web", [0, 1, 2, 3])) == 4
    assert sockets.addresses()["web"] == [address]


def test_a_failure_changes_nothing(sockets, tmp_path):
    sockets.commit(sockets.stage({"web": listener(local())}, 2))
    held = sockets.of("web", [0, 1])
    path = str(tmp_path / "s")
    with pytest.raises(LbdError, match=r"listeners\.bad\.bind"):
        sockets.stage({"web": listener(local()), "unix": listener(Address(path=path)),
                       "bad": listener(Address("192.0.2.1", 80))}, 2)
    assert sockets.of("web", [0, 1]) == held
    assert not os.path.exists(path)
    assert answers(sockets.addresses()["web"][0])


def test_a_unix_bind_has_one_socket_for_all(sockets, tmp_path):
    path = str(tmp_path / "s")
    sockets.commit(sockets.stage({"web": listener(Address(path=path))}, 3))
    assert sockets.of("web", [0]) == sockets.of("web", [2])
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    sockets.release(sockets.commit(sockets.stage({}, 3)))
    assert not os.path.exists(path)


def test_a_backlog_can_change(sockets):
    sockets.commit(sockets.stage({"web": listener(local())}, 1))
    before = sockets.of("web", [0])
    sockets.commit(sockets.stage({"web": Listener(bind=(local(),), backlog=1)}, 1))
    assert sockets.of("web", [0]) == before
