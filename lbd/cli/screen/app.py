"""The screen of `lbd top`: all servers in a table that follows the daemon."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Input, Static

from lbd.admin import columns
from lbd.admin.columns import SERVERS, TONES
from lbd.cli import runtime_changes
from lbd.cli.daemon_client import DaemonClient
from lbd.cli.screen.confirm import ConfirmScreen
from lbd.cli.screen.detail import STEERING, DetailScreen, Facts
from lbd.cli.terminal import GAP, STYLES, fitting
from lbd.errors import LbdError
from lbd.log.logger import printable

MOST = 200            # rows that are drawn: a table of a thousand takes longer than there is between two looks
PATIENCE = 10.0       # seconds that the daemon has for an answer
TROUBLE = "trouble"
# By what rows are sorted, in the order of the key: what is bad first, then by columns, the greatest number first.
SORTS = (TROUBLE, "in flight", "req/s", "5xx", "latency", "server", "health")


class ServerTable(DataTable[Text]):
    """The table, whose Enter stands among the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "DetailScreen")]


class TopApp(App[None]):
    """Asks the daemon every so many seconds; what it does not answer leaves the last figures there."""

    TITLE = "lbd top"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #head, #trouble { padding: 0 1; height: auto; }
    #filter { display: none; height: 3; }
    #filter.wanted { display: block; }
    DataTable { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort"),
        Binding("slash", "filter", "Filter", key_display="/"),
        *STEERING,
        Binding("escape", "unfilter", "All", show=False),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, daemon: DaemonClient, every: float) -> None:
        super().__init__()
        self.daemon = daemon
        self.every = every
        self.status: Facts = {}
        self.events: list[Facts] = []
        self.rows: list[Facts] = []       # as they are shown
        self.sort = 0
        self.wanted = ""
        self._asking = False
        self._shown: list[int] = []       # columns

    def compose(self) -> ComposeResult:
        """Head, what is wrong, the table, the filter, the keys."""
        yield Static(id="head")
        yield Static(id="trouble")
        yield ServerTable(id="servers", cursor_type="row", zebra_stripes=True, cell_padding=GAP // 2)
        yield Input(id="filter", placeholder="part of a backend, server, address, health or mode")
        yield Footer()

    def on_mount(self) -> None:
        """Look at once, and then again and again."""
        self.query_one("#servers", ServerTable).focus()
        self.look()
        self.set_interval(self.every, self.look)

    def look(self) -> None:
        """Ask the daemon, unless it still owes an answer."""
        if not self._asking:
            self._asking = True
            self.run_worker(self._ask, thread=True, group="look")

    def _ask(self) -> None:
        last = self.events[-1]["number"] if self.events else 0
        try:
            status = runtime_changes.data(self.daemon.ask("GET", "/v1/status?history=true", timeout=PATIENCE))
            events = runtime_changes.data(self.daemon.ask("GET", f"/v1/events?since={last}", timeout=PATIENCE))
            self.call_from_thread(self.take, status, events["events"])
        except LbdError as error:
            self.call_from_thread(self.miss, str(error))
        except (AttributeError, KeyError, TypeError):
            self.call_from_thread(self.miss, "the daemon is of another version")

    def take(self, status: Facts, events: Sequence[Facts]) -> None:
        """The daemon answered."""
        self._asking = False
        if not self.shown_at_all():
            return
        self.status = status
        self.events = [*self.events, *events][-1000:]
        self.show()

    def miss(self, reason: str) -> None:
        """It did not."""
        self._asking = False
        if self.shown_at_all():
            self.screen_stack[0].query_one("#trouble", Static).update(Text(printable(reason), "bold red"))

    def shown_at_all(self) -> bool:
        """Whether there is something to show it in: an answer may come when all is taken down already."""
        return bool(self.screen_stack and self.screen_stack[0].query("#servers"))

    def show(self) -> None:
        """Everything as it is now; the cursor stays with its server."""
        chosen = self.chosen()
        everything = columns.servers(self.status)
        found = ordered(columns.matching(everything, self.wanted), SORTS[self.sort])
        self.rows = found[:MOST]
        self._head(everything, len(found) - len(self.rows))
        self._fill(chosen)
        if isinstance(self.screen, DetailScreen) and chosen is not None:
            now = [row for row in everything if identity(row) == identity(self.screen.row)]
            if now:
                self.screen.show(now[0], self.events)

    def _head(self, rows: Sequence[Facts], hidden: int) -> None:
        usable = sum(row.get("health") == "up" and row.get("mode") == "ready" for row in rows)
        backends = self.status["backends"].values()
        total = columns.rate(sum(backend.get("requests_per_second", 0.0) for backend in backends))
        errors = columns.rate(sum(backend.get("errors_per_second", 0.0) for backend in backends))
        waiting = sum(backend.get("requests_waiting", 0) for backend in backends)
        parts = [f"{usable} of {len(rows)} servers usable", f"{total} req/s", f"{errors} errors/s",
                 *([f"{waiting} waiting"] if waiting else []), f"by {SORTS[self.sort]}",
                 *([f"filter: {self.wanted}"] if self.wanted else []),
                 *([f"{hidden} more, / finds them"] if hidden else [])]
        head = Text.assemble((printable(", ".join(columns.headline(self.status))), "bold"), "\n",
                             printable(" · ".join(parts)))
        self.screen_stack[0].query_one("#head", Static).update(head)
        wrong = [trouble for trouble, _ in columns.troubles(self.status)]
        self.screen_stack[0].query_one("#trouble", Static).update(Text(printable("\n".join(wrong)), "bold red"))

    def _fill(self, chosen: Facts | None) -> None:
        table = self.screen_stack[0].query_one("#servers", ServerTable)
        lines = [["-" if (value := column.show(row)) is None else printable(value) for column in SERVERS]
                 for row in self.rows]
        shown = fitting(SERVERS, lines, self.size.width - 2)
        top = table.scroll_offset
        table.clear(columns=shown != self._shown)
        if shown != self._shown:
            for place in shown:
                table.add_column(Text(SERVERS[place].title, justify="right" if SERVERS[place].number else "left"))
            self._shown = shown
        for line in lines:
            table.add_row(*(Text(line[place], STYLES.get(TONES.get(line[place], ""), ""),
                                 justify="right" if SERVERS[place].number else "left") for place in shown))
        places = [place for place, row in enumerate(self.rows)
                  if chosen is not None and identity(row) == identity(chosen)]
        if places:
            table.move_cursor(row=places[0], animate=False)
            table.scroll_to(top.x, top.y, animate=False)

    def chosen(self) -> Facts | None:
        """The server under the cursor, or the one that is looked into."""
        if isinstance(self.screen, DetailScreen):
            return self.screen.row
        place = self.screen_stack[0].query_one("#servers", ServerTable).cursor_row
        return self.rows[place] if 0 <= place < len(self.rows) else None

    def on_resize(self) -> None:
        """Another size has room for other columns."""
        if self.status and self.shown_at_all():
            self.show()

    def on_data_table_row_selected(self, _event: DataTable.RowSelected) -> None:
        """Enter, or a click: look into the server."""
        if (row := self.chosen()) is not None:
            self.push_screen(DetailScreen(row, self.events))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What concerns the table is there where the table is."""
        return action not in ("sort", "filter", "unfilter") or len(self.screen_stack) == 1

    def action_sort(self) -> None:
        """Sort by the next of `SORTS`."""
        self.sort = (self.sort + 1) % len(SORTS)
        self.show()

    def action_filter(self) -> None:
        """Ask what rows have to hold."""
        field = self.query_one("#filter", Input)
        field.add_class("wanted")
        field.focus()

    def action_unfilter(self) -> None:
        """All rows again."""
        self.query_one("#filter", Input).value = ""
        self._close_filter()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The filter is typed."""
        if event.input.id == "filter":
            self.wanted = event.value
            if self.status and self.shown_at_all():
                self.show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The filter stays."""
        if event.input.id == "filter":
            self._close_filter()

    def _close_filter(self) -> None:
        self.query_one("#filter", Input).remove_class("wanted")
        self.query_one("#servers", ServerTable).focus()

    def action_steer(self, mode: str) -> None:
        """Ask, and then give the chosen server this mode."""
        row = self.chosen()
        if row is None:
            return

        def answered(reason: str | None) -> None:
            if reason is not None:
                self.run_worker(lambda: self._steer(target, mode, reason), thread=True, group="steer")

        target = f"{row['backend']}/{row['name']}"
        self.push_screen(ConfirmScreen(mode, target, row.get("in_flight", 0)), answered)

    def _steer(self, target: str, mode: str, reason: str) -> None:
        try:
            change = {"mode": mode, "reason": reason}
            runtime_changes.data(self.daemon.ask("PATCH", runtime_changes.place(target), change, timeout=PATIENCE))
        except LbdError as error:
            self.call_from_thread(self.notify, printable(error), severity="error", markup=False)
        else:
            self.call_from_thread(self.notify, f"{target}: {mode}", markup=False)
        self.call_from_thread(self.look)


def identity(row: Facts) -> tuple[str, str]:
    """By what a row is known over many looks."""
    return row["backend"], row["name"]


def ordered(rows: Sequence[Facts], by: str) -> list[Facts]:
    """The rows sorted; equals by backend and name."""
    rows = sorted(rows, key=identity)
    if by == TROUBLE:
        return sorted(rows, key=severity)
    column = next(column for column in SERVERS if column.title == by)
    if column.number:
        return sorted(rows, key=lambda row: -(column.get(row) or 0))
    return sorted(rows, key=lambda row: str(column.get(row)))


def severity(row: Facts) -> Any:
    """What is wanted and not well comes first, then what is not wanted."""
    if row.get("mode") != "ready":
        return 1
    return 2 if row.get("health") == "up" else 0
