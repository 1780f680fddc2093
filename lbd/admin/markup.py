"""The pages as HTML, made of templates in `page/` that escape every value from elsewhere."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lbd.admin import columns, sparkline
from lbd.admin.columns import TONES, Columns, Row, TableColumn
from lbd.admin.selection import MOST, Selection

MOST_AILING = 12     # servers that are named at the top
SEARCHED = 8         # servers from which on there is a field to search them
ALL = Selection()

# Columns that stand below another one, in small.
BELOW: Mapping[str, str] = {"server": "address", "health": "for", "mode": "note", "req/s": "requests",
                            "last check": "checked"}
WORDS: Mapping[str, str] = {"health": "for {}", "req/s": "{} in all"}
SMALL = {title: next(column for column in columns.SERVERS if column.title == below) for title, below in BELOW.items()}
SHOWN = tuple(column for column in columns.SERVERS if column.title not in {"backend", *BELOW.values()})

# The actions on a server: the mode that it has then, and the word on the button.
ACTIONS = (("ready", "Ready"), ("drain", "Drain"), ("maint", "Maint"), ("weight", "Weight"))


class Cell(NamedTuple):
    """A value below the title of its column, in the colour of its tone."""

    title: str
    number: bool
    value: object
    tone: str | None


class ServerCell(NamedTuple):
    """A cell with a picture beside its value, and a second value below it, in small; None for neither."""

    title: str
    number: bool
    value: object
    tone: str | None
    picture: Markup | None
    small: str | None


class ServerRow(NamedTuple):
    """A server with the actions on it: pairs of a mode, or "weight", and the word on the button."""

    target: str
    in_flight: object
    weight: object
    cells: list[ServerCell]
    actions: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class BackendPart:
    """A backend as the page shows it: `rows` are its servers, None where it is closed; `ill` of all `size` are wanted
    and not well."""

    name: str
    facts: list[str]
    size: int
    ill: int
    rows: Iterator[ServerRow] | None

    @property
    def label(self) -> str:
        """The heading."""
        return f"Backend {self.name}"


def login_page() -> str:
    """The page that asks for a token."""
    return LOGIN.render(title="lbd")


def status_page(status: Row, events: Iterable[Row], operates: bool, selection: Selection = ALL) -> Iterator[str]:
    """The status in small pieces; with the buttons that change servers for a visitor who `operates`."""
    ailing = columns.ailing(status)
    groups: dict[str, list[Row]] = {name: [] for name in status.get("backends", {})}
    for row in columns.servers(status):
        groups[row["backend"]].append(row)
    state = status.get("state")
    return STATUS.generate(
        title=f"{len(ailing)} not up - lbd" if ailing else "lbd", state=known(state), tone=tone(state),
        headline=[part for part in columns.headline(status) if part != state],
        troubles=list(columns.troubles(status)), ailing=ailing, operates=operates,
        searched=sum(map(len, groups.values())) > SEARCHED, find=selection.find, hits=hits(groups, selection),
        backends=[backend_part(name, status["backends"][name], groups[name], rows)
                  for name, rows in selection.select(groups).items()],
        draining=table(columns.DRAINING, status.get("draining", [])),
        listeners=table(columns.LISTENERS, columns.listeners(status)),
        workers=table(columns.WORKERS, status.get("workers", [])), events=table(columns.EVENTS, events),
        last_reload=status.get("last_reload"), change=status.get("last_change"))


def hits(groups: Mapping[str, list[Row]], selection: Selection) -> int | None:
    """The number of servers that a search finds; None where there is no search."""
    if not selection.find.strip() or sum(map(len, groups.values())) <= SEARCHED:
        return None
    return sum(len(columns.matching(rows, selection.find)) for rows in groups.values())


def backend_part(name: str, backend: Row, rows: list[Row], opened: list[Row] | None) -> BackendPart:
    """A backend, with those of its servers that are `opened`."""
    usable = sum(row.get("health") == "up" and row.get("mode") == "ready" for row in rows)
    facts = [str(backend.get("algorithm")), f"{usable} of {len(rows)} usable",
             f"{columns.rate(backend.get('requests_per_second', 0.0))} req/s"]
    if errors := backend.get("errors_per_second"):
        facts.append(f"{columns.rate(errors)} errors/s")
    if waiting := backend.get("requests_waiting"):
        facts.append(f"{waiting} waiting")
    return BackendPart(name, facts, len(rows), sum(map(columns.ill, rows)),
                       None if opened is None else server_rows(name, opened))


def server_rows(backend: str, rows: list[Row]) -> Iterator[ServerRow]:
    """The servers of the backend, made one by one as the page is sent; their latencies share one scale."""
    top = sparkline.highest([row.get("history", {}).get("latency_seconds", []) for row in rows])
    for row in rows:
        yield ServerRow(f"{backend}/{row['name']}", known(row.get("in_flight")), known(row.get("weight")),
                        [server_cell(column, row, top) for column in SHOWN],
                        [(mode, word) for mode, word in ACTIONS if mode != row.get("mode")])


def server_cell(column: TableColumn, row: Row, top: float) -> ServerCell:
    """The cell, and in the column of latencies their picture: that is markup made of numbers alone."""
    picture, small = None, None
    if column.title == "latency" and (history := row.get("history")):
        picture = Markup(sparkline.draw(history["latency_seconds"], history["errors_per_second"], top))
    elif column.title in BELOW and (value := SMALL[column.title].show(row)) is not None:
        small = WORDS.get(column.title, "{}").format(value)
    return ServerCell(*cell(column, row), picture, small)


def cell(column: TableColumn, row: Row) -> Cell:
    """The cell, with words of state in colour."""
    value = column.show(row)
    return Cell(column.title, column.number, known(value), tone(value))


def known(value: object) -> object:
    """The value, a dash for None."""
    return "-" if value is None else value


def tone(value: object) -> str | None:
    """The tone of a word of state."""
    return TONES.get(value) if isinstance(value, str) else None


def table(shown: Columns, rows: Iterable[Row]) -> list[list[Cell]]:
    """The rows of a table."""
    return [[cell(column, row) for column in shown] for row in rows]


# All templates are read at the start: an upgrade may exchange the files below a daemon that runs.
_TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "page"), autoescape=True, auto_reload=False,
                         undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_TEMPLATES.globals.update(
    tables=columns, servers=SHOWN, most_ailing=MOST_AILING, most_hits=MOST)
LOGIN = _TEMPLATES.get_template("login.html")
STATUS = _TEMPLATES.get_template("status.html")
