"""The standard descriptors: a daemon that was started without them must not get sockets or files in their place."""

import os


def fill() -> None:
    """Open /dev/null where 0, 1 or 2 is closed; to be called before anything else opens a file."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != fd:                     # the lowest free one is taken
                os.dup2(opened, fd)
                os.close(opened)
            os.set_inheritable(fd, True)
