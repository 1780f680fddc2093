"""Binding one socket: what works, and what the operator reads when it does not."""

import os
import socket
import stat

import pytest

from lbd.errors import LbdError
from lbd.process import binding
from lbd.process.binding import bind_tcp, bind_unix, unlink
from lbd.process.socket_owners import ORPHAN, SocketOwner
from lbd.schema.units import Address


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "::", "*"])
def test_two_sockets_share_a_port(host):
    with bind_tcp(Address(host, 0), "listeners.web.bind", False) as first:
        port = first.getsockname()[1]
        first.listen()
        with bind_tcp(Address(host, port), "listeners.web.bind", True) as second:
            assert second.getsockname()[1] == port
            assert not second.getblocking()


def test_ipv4_and_ipv6_wildcards_live_side_by_side():
    with bind_tcp(Address("::", 0), "x", False) as six:
        six.listen()
        with bind_tcp(Address("0.0.0.0", six.getsockname()[1]), "x", False) as four:
            four.listen()


@pytest.mark.parametrize("reuse", [False, True])
def test_an_address_in_use_names_the_holder(reuse, monkeypatch):
    with socket.socket() as holder:
        if reuse:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        text = f"cannot listen on 127.0.0.1:{port} (listeners.web.bind): "
        with pytest.raises(LbdError) as own:
            bind_tcp(Address("127.0.0.1", port), "listeners.web.bind", False)
        monkeypatch.setattr(binding.socket_owners, "owners_of_port", lambda port: [SocketOwner(1, "nginx")])
        with pytest.raises(LbdError) as other:
            bind_tcp(Address("127.0.0.1", port), "listeners.web.bind", False)
    assert str(own.value) == text + ("lbd itself listens there; give that up first: in two reloads, by way of another "
                                     "port (an address of [admin] by a restart)")
    assert str(other.value) == text + "the address is in use by nginx (pid 1); stop that process or choose another port"


def test_an_address_of_another_machine():
    with pytest.raises(LbdError, match="no interface of this machine has that address"):
        bind_tcp(Address("192.0.2.1", 0), "listeners.web.bind", False)


def test_an_unknown_interface():
    with pytest.raises(LbdError, match="no network interface is called 'nope0'"):
        bind_tcp(Address("fe80::1%nope0", 0), "listeners.web.bind", False)


def test_a_stale_unix_socket_is_replaced_and_a_live_one_is_not(tmp_path, monkeypatch):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    with bind_unix(path, "admin.bind", 0o600) as sock:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        sock.listen()
        with pytest.raises(LbdError, match=r"lbd itself listens there; .* in two reloads, by way of another path"):
            bind_unix(path, "metrics.bind")
        monkeypatch.setattr(binding.socket_owners, "owners_of_path", lambda path: [SocketOwner(1, "nginx")])
        with pytest.raises(LbdError, match=r"nginx \(pid 1\) listens there; stop it or choose another path"):
            bind_unix(path, "admin.bind")
    unlink(path)
    assert not os.path.exists(path)
    unlink(path)


def test_what_a_dead_supervisor_left_is_replaced_and_listens_at_once(tmp_path, monkeypatch):
    path = str(tmp_path / "s")
    with bind_unix(path, "listeners.web.bind") as orphaned:
        orphaned.listen()
        monkeypatch.setattr(binding.socket_owners, "owners_of_path", lambda path: [SocketOwner(1, ORPHAN)])
        with bind_unix(path, "listeners.web.bind") as sock, socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            sock.accept()[0].close()


def test_an_abstract_name_that_is_taken(monkeypatch):
    name = f"@lbd-test-{os.getpid()}"
    with bind_unix(name, "listeners.web.bind") as sock:
        sock.listen()
        with pytest.raises(LbdError, match=f"unix:{name} .*lbd itself listens there; .* by way of another name"):
            bind_unix(name, "listeners.web.bind")
        monkeypatch.setattr(binding.socket_owners, "owners_of_path", lambda path: [SocketOwner(1, "nginx")])
        with pytest.raises(LbdError, match=rf"unix:{name} .*nginx \(pid 1\) listens there; stop it"):
            bind_unix(name, "listeners.web.bind")


def test_a_file_that_may_not_be_removed_is_named(monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")
    said = []
    monkeypatch.setattr(binding.os, "unlink", refuse)
    monkeypatch.setattr(binding.logger, "warning", lambda event, **about: said.append(about))
    unlink("/run/x")
    assert said == [{"path": "/run/x", "reason": "Permission denied: its directory belongs to another user"}]


def test_other_files_are_left_alone(tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(LbdError, match="a file that is not a socket is there"):
        bind_unix(str(path), "admin.bind")
    assert path.read_text() == "data"


def test_a_missing_directory(tmp_path):
    with pytest.raises(LbdError, match=r"cannot listen on unix:.*/no/s \(admin.bind\): the directory does not exist"):
        bind_unix(str(tmp_path / "no" / "s"), "admin.bind")


def test_a_path_that_is_too_long(tmp_path):
    with pytest.raises(LbdError, match="cannot listen on unix:"):
        bind_unix(str(tmp_path / ("x" * 200)), "admin.bind")


def test_an_ipv6_wildcard_that_takes_ipv4_too():
    with bind_tcp(Address("::", 0), "x", False, v6only=False) as both:
        both.listen()
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, both.getsockname()[1]), 5):
                pass


def test_only_what_comes_in_by_the_interface():
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        except PermissionError:
            pytest.skip("this user may not tie sockets to interfaces")
    with bind_tcp(Address("127.0.0.1", 0), "x", False, "lo") as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"


def test_an_interface_that_is_not_there():
    with pytest.raises(LbdError, match="cannot listen by the interface 'nowhere0': no network interface has that name"):
        bind_tcp(Address("127.0.0.1", 0), "x", True, "nowhere0")


def test_what_changes_while_a_socket_listens(tmp_path):
    with bind_tcp(Address("127.0.0.1", 0), "x", False) as sock:
        sock.listen()
        for wanted in ((True, True), (False, False), (True, False)):
            binding.tune(sock, *wanted)
            options = socket.TCP_FASTOPEN, socket.TCP_DEFER_ACCEPT
            assert tuple(bool(sock.getsockopt(socket.IPPROTO_TCP, option)) for option in options) == wanted
        for idle in (0, 60):
            options = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(idle > 0)),
                       (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle or 7200),
                       (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * idle))
            binding.tune(sock, False, False, options)
            sock.setblocking(True)
            with socket.create_connection(sock.getsockname()), sock.accept()[0] as accepted:
                assert [accepted.getsockopt(*option[:2]) for option in options] == [option[2] for option in options]
    with bind_unix(str(tmp_path / "s"), "x") as sock:
        binding.tune(sock, True, True, ((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 5),))


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_an_address_that_is_not_there_yet(host):
    with bind_tcp(Address(host, 0), "x", False, freebind=True) as sock:
        sock.listen()
        assert sock.getsockname()[0] == host
