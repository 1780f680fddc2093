"""A pager for long texts: on a terminal `$PAGER`, else less, else none; elsewhere nothing but the text."""

import contextlib
import os
import shlex
import subprocess
import sys

from lbd.cli import emphasis

PAGER = "less"
LESS = "FRX"     # quit if it fits on one screen, show colours, leave the text on the screen; git sets the same


def show(text: str) -> None:
    """Print the text, through the pager where standard output is a terminal. Letters that its encoding lacks become
    question marks."""
    data = text.encode(encoding := sys.stdout.encoding or "utf-8", "replace")
    command = _words(os.environ.get("PAGER", PAGER)) if emphasis.on_terminal() else []
    if not command or not _page(command, data):
        print(data.decode(encoding), end="")


def _words(command: str) -> list[str]:
    """The words of a command line; none where a quotation has no end."""
    try:
        return shlex.split(command)
    except ValueError:
        return []


def _page(command: list[str], data: bytes) -> bool:
    """Run the pager to its end; false when it cannot be started."""
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env={"LESS": LESS, **os.environ})
    except OSError:
        return False
    with contextlib.suppress(BrokenPipeError):    # the reader has seen enough
        process.stdin.write(data)      # type: ignore[union-attr]
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()      # type: ignore[union-attr]
    while True:
        with contextlib.suppress(KeyboardInterrupt):      # Ctrl-C is for the pager, which has a use for it
            process.wait()
            return True
