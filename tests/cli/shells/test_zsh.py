"""lbd.cli.shells.zsh, in a real zsh at a terminal of its own."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Shell = Callable[[str], tuple[str, str, dict[str, str]]]

DEADLINE = 30.0   # seconds


def typed(path: str, script: str, environment: dict[str, str], cwd: Path, words: str, wanted: str) -> str:
    """The terminal's output after the words and a tab, until `wanted` is there."""
    master, slave = pty.openpty()
    zsh = subprocess.Popen([path, "-f", "-i"], env=environment, cwd=cwd, stdin=slave, stdout=slave, stderr=slave,
                           start_new_session=True)
    os.close(slave)
    try:
        setup = f"autoload -Uz compinit && compinit -u -D && source {script} && setopt nobeep && print SE''T\n"
        os.write(master, setup.encode())
        shown(master, "SET")
        os.write(master, f"{words}\t".encode())
        return shown(master, wanted)
    finally:
        zsh.kill()
        zsh.wait()
        os.close(master)


def shown(master: int, wanted: str) -> str:
    """Read until `wanted` is there."""
    text, end = "", time.monotonic() + DEADLINE
    while not re.search(wanted, text) and time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            text += os.read(master, 65536).decode(errors="replace")
    return text


@pytest.mark.parametrize(("words", "wanted"), [
    ("lbd dra", "lbd dra?in "), ("lbd drain --wa", "--wait "), ("lbd drain app/t", "app/two "),
    ("lbd wait drai", "drained "), ("lbd --algorithm least-t", "least-time "), ("lbd check -c lbd.t", r"lbd\.toml "),
    ("lbd drain --", "return when nothing is in flight any more")])
def test_completed(shell: Shell, tmp_path: Path, words: str, wanted: str) -> None:
    path, script, environment = shell("zsh")
    (tmp_path / "lbd.toml").touch()
    text = typed(path, script, environment, tmp_path, words, wanted)
    assert re.search(wanted, text), text
