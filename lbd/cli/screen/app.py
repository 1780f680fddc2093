"""The screen of `lbd top`: all servers in a table that follows the daemon."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Input, Static

from lbd.admin import columns
from lbd.cli.daemon_client import DaemonClient
from lbd.cli.screen.confirm import ConfirmScreen
from lbd.cli.screen.detail import MODE_KEYS, DetailScreen, Facts
from lbd.cli.screen.poller import DaemonPoller
from lbd.cli.screen.server_table import SORTS, ServerTable, identity, ordered
from lbd.errors import LbdError
from lbd.log.logger import printable

MAX_ROWS = 200        # drawing a table of a thousand rows takes longer than the time between two polls


class TopApp(App[None]):
    """Polls the daemon every `interval` seconds; a failed poll leaves the last figures on the screen."""

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
        *MODE_KEYS,
        Binding("escape", "unfilter", "All", show=False),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, daemon: DaemonClient, interval: float) -> None:
        super().__init__()
        self.interval = interval
        self.poller = DaemonPoller(self, daemon, self.refresh_all, self.show_failure)
        self.table = ServerTable()
        self.sort = 0                     # index into SORTS
        self.filter_words = ""

    def compose(self) -> ComposeResult:
        """The head, the troubles, the table, the filter, the keys."""
        yield Static(id="head")
        yield Static(id="trouble")
        yield self.table
        yield Input(id="filter", placeholder="part of a backend, server, address, health or mode")
        yield Footer()

    def on_mount(self) -> None:
        """Poll at once, and then at each interval."""
        self.table.focus()
        self.poller.poll()
        self.set_interval(self.interval, self.poller.poll)

    def is_composed(self) -> bool:
        """Whether the table is on the screen: an answer may come when everything is taken down already."""
        return bool(self.screen_stack and self.screen_stack[0].query("#servers"))

    def refresh_all(self) -> None:
        """Show the last status, filtered and sorted; the cursor stays with its server."""
        status = self.poller.status
        if not status or not self.is_composed():
            return
        selected = self.selected()
        servers = columns.servers(status)
        rows = ordered(columns.matching(servers, self.filter_words), SORTS[self.sort])
        self._update("#head", self._head(servers, max(len(rows) - MAX_ROWS, 0)))
        troubles = [trouble for trouble, _ in columns.troubles(status)]
        self._update("#trouble", Text(printable("\n".join(troubles)), "bold red"))
        self.table.fill(rows[:MAX_ROWS], self.size.width - 2, selected)
        if isinstance(self.screen, DetailScreen):
            for row in servers:
                if identity(row) == identity(self.screen.row):
                    self.screen.show(row, self.poller.events)

    def show_failure(self, reason: str) -> None:
        """Say above the table why the last poll failed."""
        if self.is_composed():
            self._update("#trouble", Text(printable(reason), "bold red"))

    def _update(self, selector: str, text: Text) -> None:
        self.screen_stack[0].query_one(selector, Static).update(text)

    def _head(self, servers: Sequence[Facts], hidden: int) -> Text:
        usable = sum(row.get("health") == "up" and row.get("mode") == "ready" for row in servers)
        backends = self.poller.status["backends"].values()
        total = columns.rate(sum(backend.get("requests_per_second", 0.0) for backend in backends))
        errors = columns.rate(sum(backend.get("errors_per_second", 0.0) for backend in backends))
        waiting = sum(backend.get("requests_waiting", 0) for backend in backends)
        parts = [f"{usable} of {len(servers)} servers usable", f"{total} req/s", f"{errors} errors/s",
                 *([f"{waiting} waiting"] if waiting else []), f"by {SORTS[self.sort]}",
                 *([f"filter: {self.filter_words}"] if self.filter_words else []),
                 *([f"{hidden} more, / finds them"] if hidden else [])]
        return Text.assemble((printable(", ".join(columns.headline(self.poller.status))), "bold"), "\n",
                             printable(" · ".join(parts)))

    def selected(self) -> Facts | None:
        """The server whose details are open, else the one under the cursor."""
        return self.screen.row if isinstance(self.screen, DetailScreen) else self.table.selected()

    def on_resize(self) -> None:
        """Show the columns that fit into the new width."""
        self.refresh_all()

    def on_data_table_row_selected(self, _event: DataTable.RowSelected) -> None:
        """Open the details of the server at Enter or a click."""
        if (row := self.selected()) is not None:
            self.push_screen(DetailScreen(row, self.poller.events))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the actions on the table only where the table is on top."""
        return action not in ("sort", "filter", "unfilter") or len(self.screen_stack) == 1

    def action_sort(self) -> None:
        """Sort by the next of `SORTS`."""
        self.sort = (self.sort + 1) % len(SORTS)
        self.refresh_all()

    def action_filter(self) -> None:
        """Open the input of the filter."""
        field = self.query_one("#filter", Input)
        field.add_class("wanted")
        field.focus()

    def action_unfilter(self) -> None:
        """Show all rows again."""
        self.query_one("#filter", Input).value = ""
        self._close_filter()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while the words are typed."""
        if event.input.id == "filter":
            self.filter_words = event.value
            self.refresh_all()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close the input; the filter stays."""
        if event.input.id == "filter":
            self._close_filter()

    def _close_filter(self) -> None:
        self.query_one("#filter", Input).remove_class("wanted")
        self.table.focus()

    def action_change_mode(self, mode: str) -> None:
        """Give the selected server this mode, after a question."""
        row = self.selected()
        if row is None:
            return

        def confirmed(reason: str | None) -> None:
            if reason is not None:
                self.run_worker(lambda: self._change_mode(target, mode, reason), thread=True, group="change")

        target = f"{row['backend']}/{row['name']}"
        self.push_screen(ConfirmScreen(mode, target, row.get("in_flight", 0)), confirmed)

    def _change_mode(self, target: str, mode: str, reason: str) -> None:
        try:
            self.poller.change_mode(target, mode, reason)
        except LbdError as error:
            self.call_from_thread(self.notify, printable(error), severity="error", markup=False)
        else:
            self.call_from_thread(self.notify, f"{target}: {mode}", markup=False)
        self.call_from_thread(self.poller.poll)
