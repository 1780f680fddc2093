"""The output of commands: tables that fit the terminal, without control characters from the data."""

import sys
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lbd.admin.columns import TONES, Columns, Row
from lbd.cli.streams import discard_output
from lbd.log.logger import printable

PIPE_WIDTH = 1000  # columns of an output that is no terminal: nothing is cut
GAP = 2            # columns between two cells
FOLDED = 32        # columns that a longer text may be folded into

STYLES = {"good": "green", "bad": "bold red", "odd": "yellow"}


class TerminalConsole(Console):
    """A rich console on standard output or standard error, whose readers may close it early (head, less)."""

    def on_broken_pipe(self) -> None:
        """Raise `BrokenPipeError`, as printing without rich does; on standard error be silent from now on, since unread
        findings change no outcome."""
        if not self.stderr:
            raise BrokenPipeError
        self.quiet = True
        discard_output(sys.stderr)


def console(width: int = PIPE_WIDTH) -> Console:
    """A console on standard output: as wide as the terminal, or of this width elsewhere."""
    made = TerminalConsole(highlight=False)
    return made if made.is_terminal else TerminalConsole(highlight=False, width=width)


def table(columns: Columns, rows: Iterable[Row], width: int = PIPE_WIDTH) -> Table:
    """A table of the rows, with words of state in colour; columns that do not fit into the width are left out, the
    greatest rank first."""
    rows = list(rows)
    lines = [["-" if (value := column.show(row)) is None else printable(value) for column in columns] for row in rows]
    kept = fitting_columns(columns, lines, width)
    made = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="dim")
    for place in kept:
        made.add_column(columns[place].title, justify="right" if columns[place].number else "left", overflow="fold",
                        no_wrap=columns[place].number)
    for line in lines:
        made.add_row(*(Text(line[place], STYLES.get(TONES.get(line[place], ""), "")) for place in kept))
    return made


def fitting_columns(columns: Columns, lines: list[list[str]], width: int) -> list[int]:
    """The indexes of the columns that fit; optional ones that are empty in every row are always left out."""
    wide = [min(max([len(column.title), *(len(line[place]) for line in lines)]), max(FOLDED, len(column.title))) + GAP
            for place, column in enumerate(columns)]
    kept = [place for place, column in enumerate(columns)
            if not (column.rank and lines and all(line[place] == "-" for line in lines))]
    while sum(wide[place] for place in kept) > width + GAP and any(columns[place].rank for place in kept):
        kept.remove(max(kept, key=lambda place: columns[place].rank))
    return kept
