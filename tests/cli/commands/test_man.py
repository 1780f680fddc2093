"""lbd.cli.commands.man: a page with every command and option, that the formatters have nothing against."""

import shutil
import subprocess
from pathlib import Path

import pytest

from lbd.cli import grammar
from lbd.cli.commands.man import page

# The page is of no day: what has one is the installation.
ALLOWED = "missing date"
INSTALLED = Path(__file__).parents[3] / "lbd/cli/lbd.1"


def test_every_command_and_option_is_there() -> None:
    text = page().replace("\\-", "-")
    for command in grammar.commands():
        assert not command.name or f".B lbd {command.name}" in text
        assert all(flag in text for word in command.options for flag in word.flags if flag not in ("-h", "--help"))
    assert all(part in text for part in ("SIGHUP", "LBD_ADMIN", "EXIT STATUS", "/run/lbd/admin.sock"))


def test_the_page_that_is_installed_is_current() -> None:
    assert INSTALLED.read_text() == page(), "the command line changed: lbd man > lbd/cli/lbd.1"


@pytest.mark.parametrize("command", [("mandoc", "-Tlint", "-Wwarning"), ("groff", "-man", "-ww", "-Tutf8", "-z")])
def test_formatters_accept_it(tmp_path: Path, command: tuple[str, ...]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is missing")
    (tmp_path / "lbd.1").write_text(page())
    done = subprocess.run([*command, str(tmp_path / "lbd.1")], capture_output=True, text=True, check=False)
    assert [line for line in (done.stdout + done.stderr).splitlines() if ALLOWED not in line] == []
