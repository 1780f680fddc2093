"""The footprint of a process: descriptors, memory and processor time, as the kernel counts them (proc(5))."""

import os
from typing import NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE")      # bytes
_TICK = 1 / os.sysconf("SC_CLK_TCK")    # seconds


class Footprint(NamedTuple):
    """Open descriptors, resident bytes, and seconds of processor time since its start."""

    files: int
    memory: int
    cpu: float


def footprint(pid: int) -> Footprint | None:
    """The footprint of a process of the same user; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, in brackets, may have any character in it.
            fields = file.read().rpartition(b")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        return Footprint(_files(f"/proc/{pid}/fd"), int(fields[21]) * _PAGE, ticks * _TICK)
    except OSError:
        return None


def _files(directory: str) -> int:
    # Linux 6.2 and newer say how many there are; listing a hundred thousand of them, as psutil does, takes 0.1 seconds.
    return os.stat(directory).st_size or len(os.listdir(directory))
