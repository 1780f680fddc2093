"""The details of a server: its figures, its last events, and plots of the last two minutes."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from lbd.admin.columns import EVENTS, SERVERS, TONES
from lbd.cli.screen.plot import plot
from lbd.cli.terminal import STYLES
from lbd.log.logger import printable

HEIGHT = 5       # lines of a plot: two of them, and the facts, fit on 24 lines
ALONE = ("last check", "note", "address")   # facts that may be long
LAST = 8         # events
MODE_KEYS: list[BindingType] = [
    Binding("d", "app.change_mode('drain')", "Drain"),
    Binding("r", "app.change_mode('ready')", "Ready"),
    Binding("m", "app.change_mode('maint')", "Maint"),
]

Facts = Mapping[str, Any]


class DetailScreen(Screen[None]):
    """A screen on one server; `show` updates it after each poll."""

    CSS = "DetailScreen Static { padding: 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "app.pop_screen", "Back"), *MODE_KEYS, Binding("q", "app.quit", "Quit")]

    def __init__(self, row: Facts, events: Sequence[Facts]) -> None:
        super().__init__()
        self.row = row
        self.events = events

    def compose(self) -> ComposeResult:
        """A text that scrolls."""
        with VerticalScroll():
            yield Static(id="facts")
        yield Footer()

    def on_mount(self) -> None:
        """Show the figures that the screen was opened with."""
        self.show(self.row, self.events)

    def on_resize(self) -> None:
        """Draw the plots as wide as the terminal."""
        self.show(self.row, self.events)

    def show(self, row: Facts, events: Sequence[Facts]) -> None:
        """Show new figures."""
        self.row, self.events = row, events
        for facts in self.query("#facts").results(Static):      # none before it is composed
            facts.update(Text("\n").join(lines(row, events, self.size.width - 4)))


def lines(row: Facts, events: Sequence[Facts], width: int) -> list[Text]:
    """The lines about a server."""
    facts = [(column.title, printable(value)) for column in SERVERS[2:] if (value := column.show(row)) is not None]
    short = [fact(title, value) for title, value in facts if title not in ALONE]
    half = (len(short) + 1) // 2
    found = [Text(printable(f"{row['backend']}/{row['name']}"), "bold")]
    for left, right in zip(short[:half], [*short[half:], Text()], strict=False):
        left.pad_right(max(width // 2 - left.cell_len, 2))
        found.append(left + right)
    found += [fact(title, value) for title, value in facts if title in ALONE]
    history = row.get("history", {})
    span = f"the last {len(history.get('latency_seconds', [])) * history.get('step_seconds', 0):.0f} s"
    for title, key, name in (
        ("latency", "latency_seconds", lambda value: f"{value * 1000:.1f} ms"),
        ("requests per second", "requests_per_second", lambda value: f"{value:.1f}"),
    ):
        found += [Text(f"{title}, {span}", "bold"),
                  *(Text(line, "cyan") for line in plot(history.get(key, []), width, HEIGHT, name))]
    return found + happened(row, events)


def fact(title: str, value: str) -> Text:
    """A figure with its title; words of state are coloured."""
    return Text.assemble((f"{title:>10}  ", "dim"), (value, STYLES.get(TONES.get(value, ""), "")))


def happened(row: Facts, events: Sequence[Facts]) -> list[Text]:
    """The last events that name the server, or all of its backend; newest first."""
    own = [event for event in events if event.get("backend") == row["backend"]
           and event.get("server") in (row["name"], "(all)")][-LAST:]
    if not own:
        return []
    return [Text("what happened", "bold"),
            *(Text(printable("  ".join(str(column.show(event)) for column in EVENTS if column.title != "level")))
              for event in reversed(own))]
