"""The listening sockets: what a generation opens, keeps and lets go."""

import grp
import os
import pwd
import socket
import stat

import pytest

from lbd.errors import LbdError, NotReady
from lbd.process.sockets import Sockets, address_of
from lbd.schema import ListenerConfig
from lbd.schema.units import Address


@pytest.fixture
def sockets():
    owner = Sockets()
    yield owner
    owner.close()


def listener(*addresses):
    return ListenerConfig(bind=addresses)


def local(port=0):
    return Address("127.0.0.1", port)


def answers(address):
    with socket.socket() as client:
        return client.connect_ex((address.host, address.port)) == 0


def test_one_socket_per_bind_and_slot(sockets):
    sockets.commit(sockets.stage({"web": listener(local(), Address("::1", 0)), "api": listener(local())}, 3))
    assert len(sockets.descriptors_of("web", [0, 1, 2])) == 6
    assert len(sockets.descriptors_of("web", [1])) == 2
    assert len(sockets.descriptors_of("api", [0, 2])) == 2
    assert sockets.descriptors_of("other", [0]) == []
    for fd in sockets.descriptors_of("api", [0, 1, 2]):
        with socket.socket(fileno=os.dup(fd)) as copy:
            assert copy.getsockname()[1] == sockets.addresses()["api"][0].port


def test_nothing_listens_before_the_commit(sockets):
    staged = sockets.stage({"web": listener(local())}, 2)
    port = staged.fresh[0][1].getsockname()[1]
    assert not answers(local(port))
    sockets.commit(staged)
    assert answers(local(port))


def test_a_released_socket_takes_no_connection_that_its_last_holder_could_miss(sockets):
    sockets.commit(sockets.stage({"web": listener(local())}, 1))
    address = sockets.addresses()["web"][0]
    with socket.socket(fileno=os.dup(sockets.descriptors_of("web", [0])[0])) as of_worker, socket.socket() as late:
        assert answers(address)
        sockets.close()
        late.settimeout(0.05)
        with pytest.raises(TimeoutError):
            late.connect((address.host, address.port))
        of_worker.accept()[0].close()       # the one that came before
        with pytest.raises(BlockingIOError):
            of_worker.accept()


def test_a_socket_of_a_life_that_died_while_it_closed_takes_connections_again(sockets):
    sockets.commit(sockets.stage({"web": listener(local())}, 1))
    address = sockets.addresses()["web"][0]
    left = socket.socket(fileno=os.dup(sockets.descriptors_of("web", [0])[0]))
    sockets.close()
    successor = Sockets()
    assert successor.adopt("web", left, True, {"web": listener(address)})
    assert answers(address)
    successor.close()


def test_a_socket_that_others_keep_takes_connections_after_the_end(sockets):
    sockets.kept_elsewhere = True
    sockets.commit(sockets.stage({"web": listener(local())}, 1))
    address = sockets.addresses()["web"][0]
    with socket.socket(fileno=os.dup(sockets.descriptors_of("web", [0])[0])):
        sockets.close()
        assert answers(address)


def test_an_unchanged_bind_keeps_its_sockets(sockets):
    sockets.commit(sockets.stage({"web": listener(local())}, 2))
    address = sockets.addresses()["web"][0]
    first = sockets.descriptors_of("web", [0, 1])
    sockets.commit(sockets.stage({"web": listener(local()), "more": listener(local())}, 2))
    assert sockets.descriptors_of("web", [0, 1]) == first
    assert sockets.addresses()["web"] == [address]


def test_a_bind_moves_between_listeners_without_closing(sockets):
    number = os.getpid()
    bind = Address(f"127.93.{number >> 8 & 255}.{number & 255}", 10_093)    # nobody else is there
    sockets.commit(sockets.stage({"old": listener(bind)}, 2))
    first = sockets.descriptors_of("old", [0, 1])
    assert sockets.commit(sockets.stage({"new": listener(bind)}, 2)) == []
    assert sockets.descriptors_of("new", [0, 1]) == first
    assert sockets.descriptors_of("old", [0, 1]) == []


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
    assert len(sockets.descriptors_of("web", [0, 1, 2, 3])) == 4
    assert sockets.addresses()["web"] == [address]


def test_a_failure_changes_nothing(sockets, tmp_path):
    sockets.commit(sockets.stage({"web": listener(local())}, 2))
    held = sockets.descriptors_of("web", [0, 1])
    path = str(tmp_path / "s")
    with pytest.raises(LbdError, match=r"listeners\.bad\.bind"):
        sockets.stage({"web": listener(local()), "unix": listener(Address(path=path)),
                       "bad": listener(Address("192.0.2.1", 80))}, 2)
    assert sockets.descriptors_of("web", [0, 1]) == held
    assert not os.path.exists(path)
    assert answers(sockets.addresses()["web"][0])


def test_a_unix_bind_has_one_socket_for_all(sockets, tmp_path):
    path = str(tmp_path / "s")
    sockets.commit(sockets.stage({"web": listener(Address(path=path))}, 3))
    assert sockets.descriptors_of("web", [0]) == sockets.descriptors_of("web", [2])
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    sockets.release(sockets.commit(sockets.stage({}, 3)))
    assert not os.path.exists(path)


def test_after_the_close_nothing_listens_any_more(sockets):
    wanted = {"web": listener(local())}
    sockets.commit(sockets.stage(wanted, 2))
    address = sockets.addresses()["web"][0]
    staged = sockets.stage({**wanted, "other": listener(local())}, 2)
    sockets.close()
    assert sockets.commit(staged) == []
    assert sockets.addresses() == {}
    assert not answers(address)
    with pytest.raises(NotReady, match="stopping"):
        sockets.stage(wanted, 2)


@pytest.mark.parametrize("name", [b"lbd-test", b"\xff\xfe", b"a\0b"])
def test_the_address_of_an_abstract_socket(name):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(b"\0" + name + str(os.getpid()).encode())
        address = address_of(sock)
        assert address.abstract
        assert os.fsencode(address.sun_path) == sock.getsockname()


def test_a_backlog_can_change(sockets):
    sockets.commit(sockets.stage({"web": listener(local())}, 1))
    before = sockets.descriptors_of("web", [0])
    sockets.commit(sockets.stage({"web": ListenerConfig(bind=(local(),), backlog=1)}, 1))
    assert sockets.descriptors_of("web", [0]) == before


def open_sockets(count, port=0):
    found = []
    for _ in range(count):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen()
        port = sock.getsockname()[1]
        found.append(sock)
    return found, local(port)


def test_a_bind_has_exactly_the_sockets_that_were_passed(sockets):
    passed, address = open_sockets(2)
    web = {"web": listener(address)}
    assert all(sockets.adopt("any", sock, False, web) for sock in passed)
    assert sockets.commit(sockets.stage(web, 3)) == []
    fds = [sock.fileno() for sock in passed]
    assert sockets.descriptors_of("web", [0]) == [fds[0]]
    assert sockets.descriptors_of("web", [2]) == [fds[0]]
    assert sockets.descriptors_of("web", [0, 1, 2]) == fds
    assert sockets.own() == {}
    (unused,) = {bind for bind, _ in sockets.commit(sockets.stage({}, 3))}
    assert unused == ("web", address)
    for sock in passed:
        sock.close()


def test_a_passed_socket_is_found_by_the_name_of_a_listener_with_one_bind(sockets):
    (sock,), _ = open_sockets(1)
    one, two = {"web": listener(local(8))}, {"web": listener(local(8), local(9))}
    assert not sockets.adopt("other", sock, False, one)
    assert not sockets.adopt("web", sock, False, two)
    assert not sockets.adopt("web", sock, True, one)
    assert sockets.adopt("web", sock, False, one)
    assert sockets.descriptors_of("web", [0]) == [sock.fileno()]


def test_restored_sockets_are_added_to(sockets):
    restored, address = open_sockets(1)
    web = {"web": listener(address)}
    assert sockets.adopt("lbd.x", restored[0], True, web)
    sockets.commit(sockets.stage(web, 2))
    assert len(sockets.descriptors_of("web", [0, 1])) == 2
    assert len(sockets.own()[address]) == 2


def test_the_file_of_a_unix_socket_that_a_successor_gets_stays(tmp_path):
    for kept in (True, False):
        path = tmp_path / f"{kept}.sock"
        sockets = Sockets()
        sockets.kept_elsewhere = kept
        sockets.commit(sockets.stage({"web": listener(Address(path=str(path)))}, 1))
        sockets.close()
        assert path.exists() is kept


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def narrow():
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_everybody_may_use_a_unix_socket_whatever_the_umask(sockets, tmp_path, narrow):
    path = str(tmp_path / "s")
    sockets.commit(sockets.stage({"web": listener(Address(path=path))}, 1))
    assert mode_of(path) == 0o666


def test_a_reload_changes_the_mode_of_a_socket_that_stays(sockets, tmp_path, narrow):
    path = str(tmp_path / "s")
    bind = Address(path=path),
    sockets.commit(sockets.stage({"web": ListenerConfig(bind=bind, unix_mode=0o660)}, 1))
    before = os.stat(path).st_ino
    assert mode_of(path) == 0o660
    refused = sockets.stage({"web": ListenerConfig(bind=bind, unix_mode=0o600)}, 1)
    sockets.discard(refused)
    assert mode_of(path) == 0o660
    sockets.commit(sockets.stage({"other": ListenerConfig(bind=bind, unix_mode=0o600)}, 1))
    assert mode_of(path) == 0o600
    assert os.stat(path).st_ino == before


def test_a_mode_that_somebody_gave_it_stays_while_the_listener_says_the_same(sockets, tmp_path):
    path = str(tmp_path / "s")
    for _ in range(2):
        sockets.commit(sockets.stage({"web": listener(Address(path=path))}, 1))
        os.chmod(path, 0o640)
    sockets.commit(sockets.stage({"web": listener(Address(path=path))}, 1))
    assert mode_of(path) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owner_and_group_come_and_go(sockets, tmp_path):
    path = str(tmp_path / "s")
    bind = Address(path=path),
    user, group = pwd.getpwuid(65534).pw_name, grp.getgrgid(4).gr_name
    staged = sockets.stage({"web": ListenerConfig(bind=bind, unix_group=group)}, 1)
    staged.give_to(65534, 65534)
    assert (os.stat(path).st_uid, os.stat(path).st_gid) == (65534, 4)
    sockets.commit(staged)
    sockets.commit(sockets.stage({"web": ListenerConfig(bind=bind, unix_user=user)}, 1))
    assert (os.stat(path).st_uid, os.stat(path).st_gid) == (65534, os.getegid())
    sockets.commit(sockets.stage({"web": ListenerConfig(bind=bind)}, 1))
    assert (os.stat(path).st_uid, os.stat(path).st_gid) == (os.geteuid(), os.getegid())


def test_an_unknown_group_leaves_no_socket_behind(sockets, tmp_path):
    path = str(tmp_path / "s")
    with pytest.raises(LbdError, match="unix_group: this machine has no group"):
        sockets.stage({"web": ListenerConfig(bind=(Address(path=path),), unix_group="no-such-one")}, 1)
    assert not os.path.exists(path)


def test_a_port_is_taken_beside_what_gives_it_up(sockets):
    with socket.socket() as metrics:
        metrics.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        metrics.bind(("127.0.0.1", 0))
        metrics.listen()
        port = metrics.getsockname()[1]
        wanted = {"web": listener(Address("0.0.0.0", port))}
        with pytest.raises(LbdError, match="lbd itself listens there"):
            sockets.stage(wanted, 2)
        sockets.commit(sockets.stage(wanted, 2, port))
    assert answers(local(port))
