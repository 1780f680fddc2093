"""Files named by the operator: opened without blocking, and only if they are regular files of bounded size."""

import errno
import os
import stat
from typing import BinaryIO


def fetch(path: str, largest: int) -> bytes:
    """The bytes of a regular file; raises `OSError` with a `strerror` for the operator, also for a file that is
    larger than `largest` bytes, or is a FIFO, a socket or a device."""
    # O_NONBLOCK: opening a FIFO without a writer would block.
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _refuse_special(os.fstat(fd))
        file = os.fdopen(fd, "rb")
    except OSError:
        os.close(fd)
        raise
    with file:
        return bounded(file, largest)


def bounded(file: BinaryIO, largest: int) -> bytes:
    """Everything that can be read from the file; raises `OSError` for more than `largest` bytes."""
    content = file.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"it is larger than {_size(largest)}")
    return content


def regular(path: str) -> None:
    """Raise `OSError` unless it is a regular file, for libraries that open their files themselves."""
    _refuse_special(os.stat(path))


def _refuse_special(about: os.stat_result) -> None:
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a directory")
    if not stat.S_ISREG(about.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")


def _size(count: int) -> str:
    size, unit = next(((size, unit) for size, unit in ((2**20, "MiB"), (2**10, "KiB")) if count >= size), (1, "bytes"))
    return f"{count // size} {unit}"
