"""A pager for long texts: on a terminal `$PAGER`, else less, else none; elsewhere nothing but the text."""

import contextlib
import os
import shlex
import subprocess

from lbd.cli import emphasis

PAGER = "less"
LESS = "FRX"     # quit if it fits on one screen, show colours, leave the text on the screen; git sets the same


def show(text: str) -> None:
    """Print the text, through the pager where standard output is a terminal."""
    command = shlex.split(os.environ.get("PAGER", PAGER))
    if not command or not emphasis.on_terminal():
        print(text, end="")
        return
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env={"LESS": LESS, **os.environ})
    except OSError:
        print(text, end="")
        return
    with contextlib.suppress(BrokenPipeError):    # the reader has seen enough
        process.stdin.write(text.encode(errors="replace"))      # type: ignore[union-attr]
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()      # type: ignore[union-attr]
    while True:
        with contextlib.suppress(KeyboardInterrupt):      # Ctrl-C is for the pager, which has a use for it
            process.wait()
            return
