"""lbd.cli.pager: a pager for a terminal, and nothing but the text elsewhere."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from lbd.cli import pager

TEXT = "\x1b[1mone\x1b[0m\ntwo ü\n"
ROOT = Path(__file__).parents[2]


def shown(text: str, **environment: str) -> str:
    """Bytes that a terminal gets of it, as text."""
    leader, follower = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", f"from lbd.cli import pager; pager.show({text!r})"], stdout=follower,
                          stdin=follower, env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **environment}):
        os.close(follower)
        chunks = []
        try:
            while chunk := os.read(leader, 65536):
                chunks.append(chunk)
        except OSError:      # the end of a terminal
            pass
    os.close(leader)
    return b"".join(chunks).decode().replace("\r\n", "\n")


def test_a_pipe_gets_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    pager.show(TEXT)
    assert capsys.readouterr().out == TEXT


def test_the_pager_gets_it_on_a_terminal() -> None:
    assert shown(TEXT, PAGER="sed s/two/three/") == TEXT.replace("two", "three")


@pytest.mark.parametrize("environment", [
    {"PAGER": ""}, {"PAGER": "/nonexistent/pager"}, {"PAGER": "less 'one"}, {"TERM": "dumb"}])
def test_the_terminal_gets_it_where_there_is_no_pager(environment: dict[str, str]) -> None:
    assert shown(TEXT, **environment) == TEXT


@pytest.mark.parametrize("environment", [{"PAGER": "cat"}, {"PAGER": ""}])
def test_letters_that_the_terminal_lacks_are_replaced(environment: dict[str, str]) -> None:
    assert shown("a \u2192 \u00fc\n", PYTHONIOENCODING="ascii", **environment) == "a ? ?\n"


def test_a_pager_that_leaves_early_is_no_fault() -> None:
    assert shown("line\n" * 20_000, PAGER="head -n 1") == "line\n"


def test_less_is_told_to_show_colours_and_not_to_wait_for_nothing(tmp_path: Path) -> None:
    less = tmp_path / "less"
    less.write_text("#!/bin/sh\ncat\necho $LESS\n")
    less.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name not in ("PAGER", "LESS")}
    assert shown(TEXT, **{**environment, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PAGER": "less"}) == TEXT + "FRX\n"
