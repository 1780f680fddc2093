"""Processors that this process may keep busy: those of its affinity, as far as the CPU quotas of its control groups
go (cgroups(7))."""

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_ESCAPE = re.compile(r"\\([0-7]{3})")    # of white space and backslashes in mountinfo (proc(5))


class Mount(NamedTuple):
    """A mounted hierarchy of control groups: the group that is its root, where it is, and whether it is version 2."""

    root: PurePosixPath
    place: PurePosixPath
    unified: bool


def usable(proc: Path = Path("/proc/self")) -> int:
    """The number of usable processors, at least 1: the smallest of the affinity's size and all quotas, rounded up."""
    return max(1, min([len(os.sched_getaffinity(0)), *map(math.ceil, quotas(proc))]))


def quotas(proc: Path) -> Iterator[float]:
    """Every quota on the way from this process's group up to the root that can be seen, in processors. Files that are
    missing, unreadable or of another form say nothing."""
    try:
        groups = os.fsdecode((proc / "cgroup").read_bytes()).splitlines()
        mounts = list(_mounts(os.fsdecode((proc / "mountinfo").read_bytes())))
    except OSError:
        return
    for line in groups:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        unified = not controllers
        if not unified and "cpu" not in controllers.split(","):
            continue
        for mount in mounts:
            if mount.unified == unified:
                yield from _upwards(mount, PurePosixPath(path))


def _mounts(text: str) -> Iterator[Mount]:
    for line in text.splitlines():
        before, _, behind = line.partition(" - ")
        fields, kind = before.split(), behind.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        if kind[0] == "cgroup2" or (kind[0] == "cgroup" and "cpu" in kind[2].split(",")):
            root, place = (_ESCAPE.sub(lambda found: chr(int(found[1], 8)), field) for field in fields[3:5])
            yield Mount(PurePosixPath(root), PurePosixPath(place), kind[0] == "cgroup2")


def _upwards(mount: Mount, group: PurePosixPath) -> Iterator[float]:
    """Quotas of the group and of those above it. A group outside of what is mounted is that of a container, which sees
    its own at the top."""
    below = group.relative_to(mount.root) if group.is_relative_to(mount.root) else PurePosixPath()
    if ".." in below.parts:
        below = PurePosixPath()
    for directory in (below, *below.parents):
        quota = _quota(Path(mount.place / directory), mount.unified)
        if quota is not None:
            yield quota


def _quota(directory: Path, unified: bool) -> float | None:
    try:
        if unified:
            quota, period = (directory / "cpu.max").read_text().split()
        else:
            quota, period = ((directory / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        share = int(quota) / int(period)    # "max" and -1 are none
    except (OSError, ValueError, ZeroDivisionError):
        return None
    return share if share > 0 else None
