"""The listening sockets: one per bind and worker slot, opened and kept open by the supervisor."""

import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from lbd.errors import LbdError, NotReady
from lbd.net.tcp_options import of_listener
from lbd.process import binding, socket_file
from lbd.process.socket_file import Permissions
from lbd.schema import ListenerConfig
from lbd.schema.units import Address

Bind = tuple[str, Address]   # a listener's name and one of its addresses


@dataclass(slots=True)
class Staged:
    """Sockets that a generation needs: all of them by bind, in the order of the slots, and those bound just now."""

    wanted: dict[Bind, list[socket.socket]]
    fresh: list[tuple[Bind, socket.socket]]
    listeners: dict[Bind, ListenerConfig]
    permissions: dict[str, Permissions]     # by path: wanted, of files that are lbd's own
    before: dict[str, Permissions]          # by path: former, of files that have others now
    leaving: int                            # port that another socket of lbd's own gives up for this generation

    def give_to(self, uid: int, gid: int) -> None:
        """Change the owner: only sockets of one user share a port, also those that are bound later."""
        for bind, sock in self.fresh:
            os.fchown(sock.fileno(), uid, gid)
            if (permissions := self.permissions.get(bind[1].path)) is not None:
                permissions.or_else(uid, gid).apply(bind[1].path, f"listeners.{bind[0]}")


class Sockets:
    """All listening sockets. Closing one resets the connections that wait in it, so none is closed while its bind
    exists; another worker accepts for a slot that has none."""

    def __init__(self) -> None:
        self.kept_elsewhere = False   # systemd holds them too, for a successor: a Unix socket's file stays
        self._closed = False
        self._held: dict[Bind, list[socket.socket]] = {}
        self._passed: set[int] = set()     # ids of those that came from outside: a bind has exactly these
        self._restored: set[int] = set()   # ids of lbd's own of an earlier life: more may be added
        self._permissions: dict[str, Permissions] = {}   # by path, as the listeners in force want them

    @property
    def slots(self) -> int:
        """The number of slots that the sockets are for; it never falls."""
        return max((len(socks) for socks in self._held.values()), default=0)

    def adopt(self, name: str, sock: socket.socket, own: bool, listeners: Mapping[str, ListenerConfig]) -> bool:
        """Take a listening socket that another process opened for the bind of its address, or for the only bind of the
        listener of that name; `own`: an earlier life of lbd opened it. False: no bind wants it."""
        address = address_of(sock)
        bind = next(((listener, bound) for listener, settings in listeners.items() for bound in settings.bind
                     if bound == address), None)
        if bind is None and not own and name in listeners and len(listeners[name].bind) == 1:
            bind = name, listeners[name].bind[0]
        if bind is None or (address.path and not address.abstract and not os.path.exists(address.path)):
            return False
        if own:
            binding.accept_new(sock)
        self._held.setdefault(bind, []).append(sock)
        (self._restored if own else self._passed).add(id(sock))
        return True

    def all(self) -> list[tuple[str, bool, socket.socket]]:
        """Every socket with the name of its listener, and whether lbd itself opened it."""
        return [(name, id(sock) not in self._passed, sock) for (name, _), socks in self._held.items() for sock in socks]

    def own(self) -> dict[Address, list[int]]:
        """Descriptors by address of the sockets that lbd itself opened, in this life or an earlier one."""
        found: dict[Address, list[int]] = {}
        for (_, address), socks in self._held.items():
            fds = [sock.fileno() for sock in socks if id(sock) not in self._passed]
            if fds and (address.path or address.port):
                found.setdefault(address, []).extend(fds)
        return found

    def ports(self) -> set[int]:
        """The TCP ports of the binds."""
        return {address.port for _, address in self._held if not address.path}

    def stage(self, listeners: Mapping[str, ListenerConfig], slots: int, leaving: int = 0) -> Staged:
        """Bind the missing sockets; nothing listens yet, and nothing is closed. `leaving` is a port that another socket
        of lbd's own gives up, so that it is taken beside that one; 0: none. Raises `LbdError`, after `close`
        always, and leaves no trace."""
        if self._closed:
            raise NotReady("lbd is stopping and takes no other configuration")
        slots = max(slots, self.slots)
        staged = Staged({}, [], {}, {}, {}, leaving)
        try:
            for name, listener in listeners.items():
                for address in listener.bind:
                    bind = name, address
                    staged.listeners[bind] = listener
                    staged.wanted[bind] = self._stage_bind(bind, slots, staged)
        except LbdError:
            self.discard(staged)
            raise
        return staged

    def discard(self, staged: Staged) -> None:
        """Close the sockets that were bound for a generation that will not be in force."""
        for (_, address), sock in staged.fresh:
            sock.close()
            if address.path:
                binding.unlink(address.path)
        for path, permissions in staged.before.items():
            with contextlib.suppress(OSError, LbdError):   # the file may be gone
                permissions.apply(path, path)

    def commit(self, staged: Staged) -> list[tuple[Bind, socket.socket]]:
        """Listen on everything; returns the sockets that no bind needs any more, for `release`. After `close`: on
        nothing."""
        if self._closed:
            self.discard(staged)
            return []
        for bind, socks in staged.wanted.items():
            for sock in socks:
                listener = staged.listeners[bind]
                binding.tune(sock, listener.fast_open, listener.defer_accept, of_listener(listener))
                sock.listen(listener.backlog)  # again on a listening socket: only the backlog changes
        moved = {id(sock) for socks in staged.wanted.values() for sock in socks}
        unused = [(bind, sock) for bind, socks in self._held.items() for sock in socks if id(sock) not in moved]
        self._held = staged.wanted
        self._permissions = staged.permissions
        return unused

    def release(self, unused: list[tuple[Bind, socket.socket]]) -> None:
        """Close sockets that `commit` returned; a worker's descriptors keep them alive until it has accepted what
        waits."""
        paths = {address.path for _, address in self._held}
        for (_, address), sock in unused:
            passed = id(sock) in self._passed
            self._passed.discard(id(sock))
            self._restored.discard(id(sock))
            if not passed and not self.kept_elsewhere:
                binding.refuse_new(sock)
            sock.close()
            if address.path and not passed and not self.kept_elsewhere and address.path not in paths:
                binding.unlink(address.path)

    def descriptors_of(self, listener: str, slots: list[int]) -> list[int]:
        """Descriptors of a listener's sockets for these slots (from 0); a socket shared by all slots comes always."""
        found: list[int] = []
        for (name, _), socks in self._held.items():
            if name == listener:
                if len(socks) == 1:
                    found.append(socks[0].fileno())
                elif id(socks[0]) in self._passed:   # there may be fewer than slots: then they are shared
                    found += dict.fromkeys(socks[slot % len(socks)].fileno() for slot in slots)
                else:
                    found += [socks[slot].fileno() for slot in slots if slot < len(socks)]
        return found

    def addresses(self) -> dict[str, list[Address]]:
        """The addresses of each listener, port 0 replaced by the one that the kernel gave."""
        found: dict[str, list[Address]] = {}
        for (name, address), socks in self._held.items():
            real = address if address.path else Address(address.host, socks[0].getsockname()[1])
            found.setdefault(name, []).append(real)
        return found

    def close(self) -> None:
        """Close everything for good."""
        self._closed = True
        held, self._held = self._held, {}
        self.release([(bind, sock) for bind, socks in held.items() for sock in socks])
        self._held = {}

    def _stage_bind(self, bind: Bind, slots: int, staged: Staged) -> list[socket.socket]:
        name, address = bind
        what = f"listeners.{name}.bind"
        held = self._find(bind)
        if held and id(held[0]) in self._passed:
            return held
        if address.path:
            return self._stage_unix(bind, what, held, staged)
        listener = staged.listeners[bind]
        socks = list(held)   # those of slots without a worker stay: closing one resets the connections that wait in it
        # A port that lbd holds already, on this address or a wildcard of it, is shared on purpose.
        shared = address.port in {staged.leaving, *self.ports(), *(other.port for (_, other), _ in staged.fresh)}
        while len(socks) < slots:
            if address.port == 0 and socks:
                address = Address(address.host, socks[0].getsockname()[1])
            try:
                sock = binding.bind_tcp(address, what, shared or bool(socks), listener.interface, listener.v6only,
                                        listener.freebind)
            except LbdError:
                if socks and id(socks[0]) in self._restored:
                    break   # bound by another user once: the sockets that are there serve
                raise
            socks.append(sock)
            staged.fresh.append((bind, sock))
        return socks

    def _stage_unix(self, bind: Bind, what: str, held: list[socket.socket], staged: Staged) -> list[socket.socket]:
        name, address = bind
        if address.abstract:
            if not held:
                held = [binding.bind_unix(address.path, what)]
                staged.fresh.append((bind, held[0]))
            return held
        wanted = staged.permissions[address.path] = socket_file.wanted_permissions(name, staged.listeners[bind])
        if not held:
            held = [binding.bind_unix(address.path, what, wanted.mode if wanted.own else 0o600)]
            staged.fresh.append((bind, held[0]))
            wanted.apply(address.path, f"listeners.{name}")
        elif wanted != (known := self._permissions.get(address.path)):
            # Other changes to the file since then stay: only what the listener says differently changes.
            with contextlib.suppress(OSError):   # the file is gone: no client can connect by it anyway
                staged.before[address.path] = socket_file.permissions_of(address.path)
                (wanted.or_else(*socket_file.default_owner(address.path)) if known else wanted).apply(
                    address.path, f"listeners.{name}")
        return held

    def _find(self, bind: Bind) -> list[socket.socket]:
        """Sockets held for this bind, or for the same address under a listener's former name."""
        if bind in self._held:
            return self._held[bind]
        same = [socks for (_, address), socks in self._held.items() if address == bind[1] and address.port != 0]
        same += [socks for (_, address), socks in self._held.items() if address.path and address.path == bind[1].path]
        return same[0] if same else []


def address_of(sock: socket.socket) -> Address:
    """The address to which a socket is bound."""
    name = sock.getsockname()
    if sock.family != socket.AF_UNIX:
        return Address(str(name[0]), int(name[1]))
    return Address(path="@" + name[1:].decode("utf-8", "surrogateescape") if isinstance(name, bytes) else str(name))
