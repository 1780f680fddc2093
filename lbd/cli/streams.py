"""Standard output and standard error of a command, whose readers may leave early (head, less)."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO


def say(text: str) -> None:
    """Print it on standard error. That nobody reads it changes no outcome."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


class ReaderLeft(BrokenPipeError):
    """The reader has left, of a command whose exit code is `code` all the same."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


@contextlib.contextmanager
def decided(code: int) -> Iterator[int]:
    """Print within it, where the exit code is known before. Raises `ReaderLeft`."""
    try:
        yield code
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderLeft(code) from None


def dismiss(stream: TextIO) -> None:
    """Send what is still to be written there nowhere, so that nothing complains when Python flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
