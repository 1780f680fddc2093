"""sd_notify, LISTEN_FDS and the descriptor store, against sockets of the test's own."""

import array
import os
import socket

import pytest

from lbd.process.systemd import DescriptorStore, SystemdNotifier, inherited, stored_name


@pytest.fixture
def manager(tmp_path):
    """A socket in systemd's place: `heard()` gives the next message and how many descriptors came with it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(20)

        def heard():
            data, ancillary, _, _ = sock.recvmsg(4096, socket.CMSG_SPACE(1024))
            fds = array.array("i")
            for _, _, payload in ancillary:
                fds.frombytes(payload)
            for fd in fds:
                os.close(fd)
            return data.decode(), len(fds)
        yield {"NOTIFY_SOCKET": str(tmp_path / "notify")}, heard


def test_what_is_told(manager):
    environment, heard = manager
    notify = SystemdNotifier({**environment, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "7"}, 7, lambda: 5_000_000)
    notify.reloading()
    notify.ready("1 listener")
    notify.status("1 listener")
    notify.status("2\nlisteners")
    notify.alive()
    notify.stopping(30.0)
    assert [heard()[0] for _ in range(5)] == [
        "RELOADING=1\nMONOTONIC_USEC=5000", "READY=1\nSTATUS=1 listener", "STATUS=2 listeners", "WATCHDOG=1",
        "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=40000000"]


def test_a_watchdog_of_somebody_else_and_no_systemd_at_all(manager, tmp_path):
    environment, _ = manager
    assert not SystemdNotifier({**environment, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "8"}, 7).watched
    assert not SystemdNotifier({"WATCHDOG_USEC": "1000"}, 7).watched
    SystemdNotifier({}, 7).ready("nobody listens")
    SystemdNotifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}, 7).ready("nobody listens")


def test_the_store_follows(manager):
    environment, heard = manager
    store = DescriptorStore(SystemdNotifier(environment, 7))
    with socket.socket() as one, socket.socket() as two:
        store.keep_exactly({"0.0.0.0:80": [one.fileno(), two.fileno()]})
        assert heard() == ("FDSTOREREMOVE=1\nFDNAME=lbd.0.0.0.0_80", 0)
        assert heard() == ("FDSTORE=1\nFDNAME=lbd.0.0.0.0_80\nFDPOLL=0", 2)
        store.keep_exactly({"0.0.0.0:80": [one.fileno(), two.fileno()]})
        store.keep_exactly({})
        assert heard() == ("FDSTOREREMOVE=1\nFDNAME=lbd.0.0.0.0_80", 0)


def test_names_in_the_store():
    assert stored_name("[::1]:80") == "lbd.___1__80"
    assert len(stored_name("unix:/" + "x" * 400)) == 255


def test_only_listening_sockets_are_taken(tmp_path):
    with socket.socket() as listening, socket.socket() as other:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        # A row of descriptors as systemd makes it: a listening socket, one that does not listen, a file.
        first = 200
        directory = os.open(tmp_path, os.O_RDONLY)
        for at, fd in enumerate((listening.fileno(), other.fileno(), directory)):
            os.dup2(fd, first + at)
        os.close(directory)
        environment = {"LISTEN_PID": "7", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "lbd.x:web:log", "KEPT": "1"}
        found = inherited(environment, 7, first)
        assert [(entry.name, entry.stored, entry.sock.getsockname()) for entry in found] == [
            ("lbd.x", True, listening.getsockname())]
        assert environment == {"KEPT": "1"}
        for fd in (first + 1, first + 2):
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(fd)
        found[0].sock.close()


@pytest.mark.parametrize("environment", [{}, {"LISTEN_PID": "8", "LISTEN_FDS": "1"}, {"LISTEN_PID": "7"},
                                         {"LISTEN_PID": "7", "LISTEN_FDS": "x"}])
def test_nothing_is_passed(environment):
    assert inherited(environment, 7, 900) == []
