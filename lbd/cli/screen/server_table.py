"""The table of servers in `lbd top`: its columns, its order, and a cursor that stays with its server."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from lbd.admin.columns import SERVERS, TONES
from lbd.cli.screen.detail import Facts
from lbd.cli.terminal import GAP, STYLES, fitting_columns
from lbd.log.logger import printable

TROUBLE = "trouble"
# The sort orders as the key goes through them: by trouble, then by columns, the greatest number first.
SORTS = (TROUBLE, "in flight", "req/s", "5xx", "latency", "server", "health")


class ServerTable(DataTable[Text]):
    """A table whose `rows_shown` are rows of the status; Enter is among the keys of the footer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "Detail")]

    def __init__(self) -> None:
        super().__init__(id="servers", cursor_type="row", zebra_stripes=True, cell_padding=GAP // 2)
        self.rows_shown: Sequence[Facts] = ()
        self._columns: list[tuple[int, int]] = []     # index and width
        self._lines: list[list[str]] = []

    def fill(self, rows: Sequence[Facts], width: int, selected: Facts | None) -> None:
        """Show the rows and the columns that fit into the width; the cursor goes to the selected server."""
        self.rows_shown = rows
        lines = [["-" if (value := column.show(row)) is None else printable(value) for column in SERVERS]
                 for row in rows]
        shown = [(index, max(cell_len(text) for text in (SERVERS[index].title, *(line[index] for line in lines))))
                 for index in fitting_columns(SERVERS, lines, width)]
        top = self.scroll_offset
        if shown == self._columns and len(lines) == len(self._lines):
            self._change(lines)
        else:
            self._build(lines, shown)
        self._lines = lines
        if selected is not None:
            self._select(selected, top.x, top.y)

    def _change(self, lines: list[list[str]]) -> None:
        """Draw only the cells that differ from those shown: most of a fleet stays as it is from poll to poll."""
        for row, (new, old) in enumerate(zip(lines, self._lines, strict=True)):
            if new != old:
                for column, (index, _) in enumerate(self._columns):
                    if new[index] != old[index]:
                        self.update_cell_at(Coordinate(row, column), _cell(new, index))

    def _build(self, lines: list[list[str]], shown: list[tuple[int, int]]) -> None:
        """Draw all. The widths are given, as a table that measures its cells may be drawn before it has done so."""
        self.clear(columns=shown != self._columns)
        if shown != self._columns:
            for index, width in shown:
                self.add_column(Text(SERVERS[index].title, justify=_justified(index)), width=width)
            self._columns = shown
        for line in lines:
            self.add_row(*(_cell(line, index) for index, _ in shown))

    def _select(self, selected: Facts, left: int, top: int) -> None:
        identities = [identity(row) for row in self.rows_shown]
        if identity(selected) in identities:
            self.move_cursor(row=identities.index(identity(selected)), animate=False)
            self.scroll_to(left, top, animate=False)

    def selected(self) -> Facts | None:
        """The server under the cursor; None in an empty table."""
        return self.rows_shown[self.cursor_row] if 0 <= self.cursor_row < len(self.rows_shown) else None


def _cell(line: Sequence[str], index: int) -> Text:
    return Text(line[index], STYLES.get(TONES.get(line[index], ""), ""), justify=_justified(index))


def _justified(index: int) -> Literal["left", "right"]:
    return "right" if SERVERS[index].number else "left"


def identity(row: Facts) -> tuple[str, str]:
    """Backend and name, which stay the same from one status to the next."""
    return row["backend"], row["name"]


def ordered(rows: Sequence[Facts], by: str) -> list[Facts]:
    """The rows in one of the orders of `SORTS`; equal ones by backend and name."""
    rows = sorted(rows, key=identity)
    if by == TROUBLE:
        return sorted(rows, key=severity)
    column = next(column for column in SERVERS if column.title == by)
    if column.number:
        return sorted(rows, key=lambda row: -(column.get(row) or 0))
    return sorted(rows, key=lambda row: str(column.get(row)))


def severity(row: Facts) -> int:
    """0 for a server that should serve and is not healthy, 1 for one that an operator took out, 2 for the others."""
    if row.get("mode") != "ready":
        return 1
    return 2 if row.get("health") == "up" else 0
