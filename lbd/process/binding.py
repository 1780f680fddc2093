"""The binding of one socket: TCP over IPv4 and IPv6, and Unix sockets, with errors that say what to do."""

import contextlib
import errno
import os
import socket
import stat
import struct
from array import array

from lbd.errors import LbdError
from lbd.log.logger import logger
from lbd.net.tcp_options import Options
from lbd.process import socket_owners
from lbd.schema.units import Address

_HINTS = {
    errno.EACCES: "permission denied; run with CAP_NET_BIND_SERVICE or choose a port above 1023",
    errno.EPERM: "permission denied; run with CAP_NET_BIND_SERVICE or choose a port above 1023",
    errno.EADDRNOTAVAIL: "no interface of this machine has that address",
    errno.EAFNOSUPPORT: "this machine has no such address family (is IPv6 off?)",
    errno.EMFILE: "the limit of open files is reached; raise it (ulimit -n, LimitNOFILE=)",
}
_UNIX_HINTS = {
    errno.EACCES: "permission denied for that directory",
    errno.ENOENT: "the directory does not exist",
    errno.ENOTDIR: "its parent is not a directory",
    errno.EROFS: "the file system is read-only",
    errno.EMFILE: _HINTS[errno.EMFILE],
}

_IP_FREEBIND = 15       # of linux/in.h: the socket module has no names for these
FAST_OPEN = 256         # connections whose SYN brought data and whose handshake is not complete yet, per worker
DEFERRED = 3            # seconds for which the kernel keeps a connection that sends nothing to itself
_SO_ATTACH_FILTER = 26  # of asm/socket.h
_SO_DETACH_FILTER = 27

# Classic BPF (linux/filter.h: code, jump if true, jump if false, operand) on a TCP header that drops a SYN alone.
_DROP_SYN = ((0x30, 0, 0, 13),             # load the byte of the flags
             (0x54, 0, 0, 0x12),           # keep SYN and ACK of them
             (0x15, 0, 1, 0x02),           # SYN alone?
             (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))


def bind_tcp(address: Address, what: str, shared: bool, interface: str | None = None, v6only: bool = True,
             freebind: bool = False) -> socket.socket:
    """A bound TCP socket that does not listen yet, with SO_REUSEPORT.

    `what` names the key for the operator. `shared`: lbd itself holds sockets on this port, so that another holder
    is not looked for. `interface`: it takes only what comes in there. `v6only`: an IPv6 address takes no IPv4.
    `freebind`: no interface needs to have the address yet. Raises `LbdError`.
    """
    family, target = _target(address)
    try:
        if not shared:
            # SO_REUSEPORT would let a second lbd of the same user share the port without a word.
            with _new(family, v6only, freebind) as probe:
                _tie(probe, interface)
                _probe(probe, target, address.port)
        sock = _new(family, v6only, freebind)
    except OSError as error:
        raise LbdError(_refusal(address, what, error)) from None
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _tie(sock, interface)
        sock.bind(target)
    except OSError as error:
        sock.close()
        raise LbdError(_refusal(address, what, error)) from None
    except LbdError:
        sock.close()
        raise
    return sock


def _tie(sock: socket.socket, interface: str | None) -> None:
    """Let the socket take only traffic of the interface."""
    if interface is None:
        return
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    except OSError as error:
        why = "no network interface has that name" if error.errno == errno.ENODEV else (
            "permission denied; run with CAP_NET_RAW" if error.errno == errno.EPERM else error.strerror)
        raise LbdError(f"cannot listen by the interface {interface!r}: {why}") from None


def tune(sock: socket.socket, fast_open: bool, defer_accept: bool, options: Options = ()) -> None:
    """Set the options that may change while a socket listens. Kernels and Unix sockets without these do without."""
    if sock.family == socket.AF_UNIX:
        return
    for option, wanted in ((socket.TCP_FASTOPEN, FAST_OPEN if fast_open else 0),
                           (socket.TCP_DEFER_ACCEPT, DEFERRED if defer_accept else 0)):
        with contextlib.suppress(OSError):
            if bool(sock.getsockopt(socket.IPPROTO_TCP, option)) != bool(wanted):
                sock.setsockopt(socket.IPPROTO_TCP, option, wanted)
    for level, option, wanted in options:
        with contextlib.suppress(OSError):
            sock.setsockopt(level, option, wanted)


def refuse_new(sock: socket.socket) -> None:
    """Let a listening TCP socket complete the handshakes under way and begin no other.

    Closing it resets the connections that wait in it, one that came after the last look included: with this before,
    none comes. Clients send a dropped SYN again after a second, and are refused or find the next socket then.
    """
    if sock.family == socket.AF_UNIX:
        return
    program = array("B", b"".join(struct.pack("HBBI", *step) for step in _DROP_SYN))
    with contextlib.suppress(OSError):      # a kernel or a sandbox without filters
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER,
                        struct.pack("HP", len(_DROP_SYN), program.buffer_info()[0]))


def accept_new(sock: socket.socket) -> None:
    """Take back `refuse_new`: the one that did it may have died before it closed the socket."""
    with contextlib.suppress(OSError):      # there is no filter, as nearly always
        sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)


def bind_unix(path: str, what: str, mode: int | None = None) -> socket.socket:
    """A bound Unix socket; one left by a dead process is replaced, a live one is an error.

    `mode` are the permission bits of the file (default: by the umask). Raises `LbdError`.
    """
    name = Address(path=path).sun_path
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        taken_over = name == path and _remove_stale(path)
        if mode is None:
            sock.bind(name)
        else:
            before = os.umask(0o777 & ~mode)  # no moment in which the file has more permissions
            try:
                sock.bind(name)
            finally:
                os.umask(before)
        if taken_over:
            sock.listen()   # at once: clients that connect from here on wait for the workers
    except OSError as error:
        sock.close()
        hint = _UNIX_HINTS.get(error.errno or 0) or error.strerror or str(error)
        if name != path and (found := socket_owners.owners_of_path(path)):
            hint = _own(found, "name") or f"{_named(found)} listens there; stop it or choose another name"
        raise LbdError(f"cannot listen on unix:{path} ({what}): {hint}") from None
    return sock


def unlink(path: str) -> None:
    """Remove the file of a Unix socket that is closed for good; one that is gone already is fine."""
    if not path.startswith("@"):
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        except OSError as error:
            logger.warning("the file of a closed socket stays; the next start replaces it", path=path,
                           reason=f"{error.strerror}: its directory belongs to another user")


def _probe(probe: socket.socket, target: tuple[str | int, ...], port: int) -> None:
    """Raise `OSError` unless the address is free, or held only by what a dead supervisor has left behind."""
    try:
        probe.bind(target)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not socket_owners.are_left_behind(socket_owners.owners_of_port(port)):
            raise


def _new(family: int, v6only: bool, freebind: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(v6only))
    if freebind:
        sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)   # it counts for IPv6 too (inet_can_nonlocal_bind)
    return sock


def _target(address: Address) -> tuple[int, tuple[str | int, ...]]:
    if ":" in address.host:
        host, _, scope = address.host.partition("%")
        number = 0
        if scope:
            try:
                number = int(scope) if scope.isdigit() else socket.if_nametoindex(scope)
            except OSError:
                raise LbdError(f"cannot listen on {address}: no network interface is called {scope!r}") from None
        return socket.AF_INET6, (host, address.port, 0, number)
    return socket.AF_INET, ("0.0.0.0" if address.host in ("", "*") else address.host, address.port)


def _refusal(address: Address, what: str, error: OSError) -> str:
    hint = _HINTS.get(error.errno or 0) or error.strerror or str(error)
    if error.errno == errno.EADDRINUSE:
        found = socket_owners.owners_of_port(address.port)
        by = f" by {_named(found)}" if found else ""
        hint = _own(found, "port") or f"the address is in use{by}; stop that process or choose another port"
    return f"cannot listen on {address} ({what}): {hint}"


def _own(found: list[socket_owners.SocketOwner], what: str) -> str:
    """Advice where this very process is among those that listen there, "" where it is not; `what` is the key that can
    name another address."""
    if all(holder.pid != os.getpid() for holder in found):
        return ""
    return (f"lbd itself listens there; give that up first: in two reloads, by way of another {what} (an address of "
            "[admin] by a restart)")


def _named(found: list[socket_owners.SocketOwner]) -> str:
    return f"{found[0].name} (pid {found[0].pid})" if found else ""


def _remove_stale(path: str) -> bool:
    """Make room at the path, unless a process other than the leftover of a dead supervisor listens there; returns
    whether there is room."""
    try:
        about = os.stat(path)
    except FileNotFoundError:
        return False
    if not stat.S_ISSOCK(about.st_mode):
        raise OSError(errno.EEXIST, "a file that is not a socket is there")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return False
        except FileNotFoundError:
            return False
        except BlockingIOError:
            pass  # its backlog is full: alive and busy
    found = socket_owners.owners_of_path(path)
    if socket_owners.are_left_behind(found):
        os.unlink(path)
        return True
    raise OSError(errno.EADDRINUSE, _own(found, "path")
                  or f"{_named(found) or 'another process'} listens there; stop it or choose another path")
