"""Findings about a configuration as a terminal shows them: in colour, with the source line and the place in it."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from lbd.cli.terminal import TerminalConsole
from lbd.errors import Problem
from lbd.log.logger import printable

SHOWN = 110  # characters of a source line that are shown
LEAD = 20    # characters shown before the place when a line is longer


def print_findings(problems: Sequence[Problem]) -> None:
    """Print them on standard error."""
    show(problems, TerminalConsole(stderr=True, highlight=False, soft_wrap=True))


def show(problems: Sequence[Problem], console: Console) -> None:
    """Print a line per problem; on a terminal in colour, with the source line and the place in it."""
    lines: dict[str, list[str]] = {}
    for problem in problems:
        console.print(headline(problem))
        if not console.is_terminal or not problem.line:
            continue
        if problem.file not in lines:
            lines[problem.file] = _lines(problem.file)
        if problem.line <= len(lines[problem.file]):
            console.print(excerpt(lines[problem.file][problem.line - 1], problem))


def headline(problem: Problem) -> Text:
    """`FILE:LINE:COLUMN: KEY: message`; warnings say that they are."""
    where = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
    text = Text.assemble((printable(where), "bold"), ": ")
    if problem.warning:
        text.append("warning: ", "yellow")
    if problem.key:
        text.append(problem.key, "yellow" if problem.warning else "red").append(": ")
    return text.append(printable(problem.message))


def excerpt(line: str, problem: Problem) -> Text:
    """The source line, cut around the place, and a caret under the place."""
    start = max(0, problem.column - 1 - LEAD) if len(line) > SHOWN else 0
    piece = "".join(letter if letter.isprintable() else " " for letter in line[start:start + SHOWN])
    number = str(problem.line)
    caret = " " * (problem.column - 1 - start) + "^"
    return Text.assemble((f"  {number} | ", "dim"), piece, "\n", (f"  {' ' * len(number)} | ", "dim"),
                         (caret, "bold yellow" if problem.warning else "bold red"))


def _lines(file: str) -> list[str]:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read().split("\n")
    except OSError:
        return []
