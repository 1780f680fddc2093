"""Standard output and standard error of a command, whose readers may close them early (head, less)."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO


def print_error(text: str) -> None:
    """Print the text on standard error; a closed stream changes no outcome."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


class ReaderLeft(BrokenPipeError):
    """The reader has closed standard output; the exit code of the command is `code` all the same."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


@contextlib.contextmanager
def fixed_exit_code(code: int) -> Iterator[int]:
    """A context for output after the exit code is known; a closed stream does not change it. Raises `ReaderLeft`."""
    try:
        yield code
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderLeft(code) from None


def discard_output(stream: TextIO) -> None:
    """Redirect the stream to /dev/null, so that the flush at the end of Python cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
