"""The standard descriptors: a daemon that is started without them must not get sockets or files in their place."""

import os
import sys

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def fill() -> None:
    """Open /dev/null where 0, 1 or 2 is closed, for the streams of Python too, which are None there; to be called
    before anything else opens a file."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != fd:                     # the lowest free one is taken
                os.dup2(opened, fd)
                os.close(opened)
            os.set_inheritable(fd, True)
    for fd, (name, mode) in enumerate(STREAMS):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(fd, mode, closefd=False))
