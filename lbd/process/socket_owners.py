"""The owners of a listening port or Unix socket, read from /proc, and the orphans of a dead supervisor among them."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

ORPHAN = "lbd-orphan"   # name of the process of a worker whose supervisor is dead; at most 15 characters
_LISTEN = "0A"          # TCP_LISTEN in /proc/net/tcp
_ACCEPTS = 0x10000      # of the flags in /proc/net/unix: the socket listens (__SO_ACCEPTCON)


@dataclass(frozen=True, slots=True)
class SocketOwner:
    """A process, maybe one with a listening socket."""

    pid: int
    name: str


def become_orphan() -> None:
    """Show in the name of this process that it has lost its supervisor."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(ORPHAN)


def owners_of_port(port: int) -> list[SocketOwner]:
    """The processes that listen on a TCP port, on whatever address; those of other users are not seen without root."""
    return _with(_of_ports({port}), _processes())


def owners_of_path(path: str) -> list[SocketOwner]:
    """The processes that listen on a Unix socket that was bound to this path, or to `@NAME`."""
    return _with(_of_paths({path}), _processes())


def are_left_behind(owners: list[SocketOwner]) -> bool:
    """Whether there are owners, all of them workers of a dead supervisor."""
    return bool(owners) and all(owner.name == ORPHAN for owner in owners)


def find_orphans(ports: set[int], paths: set[str]) -> list[int]:
    """Process ids of the workers of a dead supervisor that listen on any of these."""
    # The kernel's tables last: behind a busy proxy it takes a second to write them.
    candidates = [process for process in _processes() if process.name == ORPHAN]
    return sorted(owner.pid for owner in _with(_of_ports(ports) | _of_paths(paths), candidates)) if candidates else []


def _of_ports(ports: set[int]) -> set[str]:
    """The sockets that listen on these ports, as links to them read."""
    found: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                part = line.split()
                if part[3] == _LISTEN and int(part[1].rpartition(":")[2], 16) in ports:
                    found.add(f"socket:[{part[9]}]")
    return found


def _of_paths(paths: set[str]) -> set[str]:
    """The Unix sockets that listen on these paths, as links to them read."""
    found: set[str] = set()
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/unix").read_text(errors="surrogateescape").splitlines()[1:]:
            part = line.split(None, 7)
            if len(part) == 8 and part[7] in paths and int(part[3], 16) & _ACCEPTS:
                found.add(f"socket:[{part[6]}]")
    return found


def _processes() -> list[SocketOwner]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found.append(SocketOwner(int(process.name), (process / "comm").read_text().strip()))
    return found


def _with(inodes: set[str], processes: list[SocketOwner]) -> list[SocketOwner]:
    """The processes that have one of these sockets open."""
    found = []
    for process in processes if inodes else ():
        place = Path(f"/proc/{process.pid}/fd")
        with contextlib.suppress(OSError):
            if any(_target(place / fd) in inodes for fd in os.listdir(place)):
                found.append(process)
    return found


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:   # closed since it was listed
        return ""
