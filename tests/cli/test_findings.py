"""Tests of lbd.cli.findings: source lines, the place in them, and files of any name."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from lbd.cli import findings
from lbd.errors import Problem


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shown(*problems: Problem, terminal: bool = True) -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, color_system=None, highlight=False, soft_wrap=True,
                      width=200)
    findings.show(problems, console)
    return written.getvalue()


def test_a_terminal_shows_the_line_and_the_place() -> None:
    Path("a.toml").write_text("x = 1\nbackend = [\t'[red]ap[/red]' ]\n")
    problem = Problem("a.toml", 2, 13, "listeners.web.backend", "[bold]message")
    assert shown(problem) == (
        "a.toml:2:13: listeners.web.backend: [bold]message\n"
        "  2 | backend = [ '[red]ap[/red]' ]\n"
        "    |             ^\n")
    assert shown(problem, terminal=False) == "a.toml:2:13: listeners.web.backend: [bold]message\n"


def test_a_long_line_is_cut_to_the_place() -> None:
    Path("a.toml").write_text("x" * 500 + "HERE" + "y" * 500)
    lines = shown(Problem("a.toml", 1, 501, "", "message")).splitlines()
    assert len(lines[1]) < 130
    assert lines[1][lines[2].index("^"):].startswith("HERE")


@pytest.mark.parametrize("problem", [
    Problem("a.toml", 0, 0, "", "message"), Problem("a.toml", 9, 1, "", "message"),
    Problem("gone.toml", 1, 1, "", "message")])
def test_places_that_cannot_be_shown(problem: Problem) -> None:
    Path("a.toml").write_text("x = 1\n")
    assert shown(problem) == f"{problem}\n"


def test_names_of_files_give_a_terminal_no_orders() -> None:
    found = Problem("a\x1b[31m.toml", 1, 1, "listeners.web.tls.certificates", "/c/\x1b]0;x\x07\n.pem: it is damaged")
    assert findings.headline(found).plain.isprintable()
