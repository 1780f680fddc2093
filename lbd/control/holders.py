"""Who holds a port or a Unix socket, as /proc tells, and whether that is only what a dead supervisor left behind."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

ORPHAN = "lbd-orphan"   # what a worker calls itself once its supervisor is dead; at most 15 characters
_LISTEN = "0A"          # TCP_LISTEN in /proc/net/tcp
_ACCEPTS = 0x10000      # of the flags in /proc/net/unix: the socket listens (__SO_ACCEPTCON)


@dataclass(frozen=True, slots=True)
class Holder:
    """A process with a listening socket."""

    pid: int
    name: str


def become_orphan() -> None:
    """Show everybody that this process has lost its supervisor."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(ORPHAN)


def of_port(port: int) -> list[Holder]:
    """The processes that listen on a TCP port, on whatever address; those of other users are not seen without root."""
    inodes: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                part = line.split()
                if part[3] == _LISTEN and int(part[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{part[9]}]")
    return _with(inodes)


def of_path(path: str) -> list[Holder]:
    """The processes that listen on a Unix socket that was bound to this path, or to `@NAME`."""
    inodes: set[str] = set()
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/unix").read_text(errors="surrogateescape").splitlines()[1:]:
            part = line.split(None, 7)
            if len(part) == 8 and part[7] == path and int(part[3], 16) & _ACCEPTS:
                inodes.add(f"socket:[{part[6]}]")
    return _with(inodes)


def left_behind(holders: list[Holder]) -> bool:
    """There are some, and they are nobody but workers of a dead supervisor."""
    return bool(holders) and all(holder.name == ORPHAN for holder in holders)


def orphans(ports: set[int], paths: set[str]) -> list[int]:
    """Process ids of the workers of a dead supervisor that listen on any of these."""
    found = [*(holder for port in ports for holder in of_port(port)),
             *(holder for path in paths for holder in of_path(path))]
    return sorted({holder.pid for holder in found if holder.name == ORPHAN})


def _with(inodes: set[str]) -> list[Holder]:
    """The processes that have one of these sockets open."""
    found = []
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        with contextlib.suppress(OSError):
            if any(_target(process / "fd" / fd) in inodes for fd in os.listdir(process / "fd")):
                found.append(Holder(int(process.name), (process / "comm").read_text().strip()))
    return found


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:   # closed since it was listed
        return ""
