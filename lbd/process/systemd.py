"""The interface to systemd: sd_notify(3), sd_listen_fds(3) and sd_pid_notify_with_fds(3)."""

import contextlib
import os
import socket
import stat
import time
from array import array
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass

FIRST = 3            # descriptor with which those of LISTEN_FDS begin
MOST_FDS = 253       # of the kernel, for one sendmsg (SCM_MAX_FD)
STORED = "lbd."      # prefix of the names of sockets in the descriptor store, to tell them from socket units

# Variables that are meant for one process only: no worker may take itself for it.
VARIABLES = ("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID")


@dataclass(frozen=True, slots=True)
class InheritedSocket:
    """A listening socket that was passed, with the name it has in its unit or in the store."""

    name: str
    sock: socket.socket

    @property
    def stored(self) -> bool:
        """Whether lbd itself has put it into the store."""
        return self.name.startswith(STORED)


def inherited(environment: MutableMapping[str, str], pid: int, first: int = FIRST) -> list[InheritedSocket]:
    """The listening sockets that systemd passed, each once; the variables go, since the next image has the same pid.

    Descriptors of anything else than a listening stream socket are closed.
    """
    count = environment.pop("LISTEN_FDS", "")
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    if environment.pop("LISTEN_PID", "") != str(pid) or not count.isdecimal():
        return []
    found: list[InheritedSocket] = []
    for at in range(min(int(count), 1 << 16)):
        fd = first + at
        try:
            os.set_inheritable(fd, False)
            if not stat.S_ISSOCK(os.fstat(fd).st_mode):
                os.close(fd)
                continue
        except OSError:
            continue
        sock = socket.socket(fileno=fd)
        if not listening(sock):
            sock.close()
            continue
        sock.setblocking(False)
        found.append(InheritedSocket(names[at] if at < len(names) else "unknown", sock))
    return found


def listening(sock: socket.socket) -> bool:
    """Whether this is a stream socket that listens."""
    try:
        return sock.type == socket.SOCK_STREAM and bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False


def stored_name(address: str) -> str:
    """The name of a bind's sockets in the store: printable, without a colon, at most 255 characters."""
    return (STORED + "".join(letter if (letter.isascii() and letter.isalnum()) or letter in "._-/" else "_"
                             for letter in address))[:255]


class SystemdNotifier:
    """Sends the daemon's state to systemd; does nothing where lbd does not run under it, and never blocks."""

    def __init__(self, environment: MutableMapping[str, str], pid: int,
                 clock: Callable[[], int] = time.monotonic_ns) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._clock = clock
        self._status = ""
        mine = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        self.watched = bool(address) and mine and environment.get("WATCHDOG_USEC", "").isdecimal()

    @property
    def active(self) -> bool:
        """Whether lbd runs under systemd."""
        return bool(self._address)

    def ready(self, status: str) -> None:
        """Send that the daemon is started, or done with a reload."""
        self._status = status
        self._send(f"READY=1\nSTATUS={_line(status)}")

    def reloading(self) -> None:
        """Send that a reload begins; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={self._clock() // 1000}")

    def stopping(self, seconds: float) -> None:
        """Send that the shutdown begins, and may take so many seconds."""
        self._send(f"STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC={int((seconds + 10) * 1e6)}")

    def status(self, text: str) -> None:
        """Send the text that `systemctl status` shows, when it is another."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={_line(text)}")

    def alive(self) -> None:
        """Feed the watchdog, if there is one."""
        if self.watched:
            self._send("WATCHDOG=1")

    def store(self, name: str, fds: Sequence[int]) -> None:
        """Put descriptors into the store, in place of those that have this name there."""
        self.forget(name)
        for start in range(0, len(fds), MOST_FDS):
            self._send(f"FDSTORE=1\nFDNAME={name}\nFDPOLL=0", fds[start:start + MOST_FDS])

    def forget(self, name: str) -> None:
        """Take all descriptors of this name out of the store."""
        self._send(f"FDSTOREREMOVE=1\nFDNAME={name}")

    def _send(self, text: str, fds: Sequence[int] = ()) -> None:
        if not self._address:
            return
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", fds))] if fds else []
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendmsg([text.encode()], ancillary, 0, self._address)


def _line(text: str) -> str:
    return text.replace("\n", " ")


class DescriptorStore:
    """lbd's own listening sockets in systemd's descriptor store, so that no connection is refused by a restart."""

    def __init__(self, notify: SystemdNotifier) -> None:
        self._notify = notify
        self._kept: dict[str, tuple[tuple[int, int], ...]] = {}   # by name: descriptors with their inodes

    def keep_exactly(self, sockets: Mapping[str, Sequence[int]]) -> None:
        """Make the store hold exactly these descriptors, by address."""
        wanted = {stored_name(address): tuple((fd, os.fstat(fd).st_ino) for fd in fds)
                  for address, fds in sockets.items()}
        for name in self._kept.keys() - wanted.keys():
            self._notify.forget(name)
        for name, fds in wanted.items():
            if self._kept.get(name) != fds:
                self._notify.store(name, [fd for fd, _ in fds])
        self._kept = wanted
