"""`lbd status`: how the running daemon, its listeners, servers and workers are, now."""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lbd.cli import asking
from lbd.errors import LbdError

HELP = "show how the running daemon and its servers are"

PIPE_WIDTH = 1000  # columns where the output is no terminal: nothing is cut

STYLES = {"up": "green", "down": "bold red", "ejected": "red", "unknown": "yellow", "drain": "yellow",
          "maint": "yellow", "ready": "green", "serving": "green", "starting": "yellow", "stopping": "yellow",
          "draining": "yellow"}

UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))

Row = Mapping[str, Any]
# Title of a column, what stands in it, and whether it is a number.
Columns = tuple[tuple[str, Callable[[Row], object], bool], ...]

SERVERS: Columns = (
    ("backend", lambda row: row["backend"], False),
    ("server", lambda row: row["name"] + (" (backup)" if row.get("backup") else ""), False),
    ("address", lambda row: row.get("address"), False),
    ("health", lambda row: row.get("health"), False),
    ("mode", lambda row: row.get("mode"), False),
    ("weight", lambda row: row.get("weight"), True),
    ("in flight", lambda row: row.get("in_flight"), True),
    ("requests", lambda row: row.get("requests"), True),
    ("5xx", lambda row: row.get("codes", {}).get("5xx", 0), True),
    ("latency", lambda row: milliseconds(row.get("latency_seconds")), True),
    ("last check", lambda row: row.get("reason"), False),
)

LISTENERS: Columns = (
    ("listener", lambda row: row["name"], False),
    ("mode", lambda row: row.get("mode"), False),
    ("address", lambda row: ", ".join(row.get("bind", [])), False),
    ("connections", lambda row: row.get("connections"), True),
    ("accepted", lambda row: row.get("accepted"), True),
)

WORKERS: Columns = (
    ("worker", lambda row: row.get("slot"), False),
    ("pid", lambda row: row.get("pid"), True),
    ("state", lambda row: row.get("state"), False),
    ("generation", lambda row: row.get("generation"), True),
    ("connections", lambda row: row.get("connections"), True),
    ("requests", lambda row: row.get("requests"), True),
    ("up", lambda row: span(row.get("uptime_seconds", 0)), True),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the daemon is, and how the answer is printed."""
    asking.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the daemon's answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the status; 0 when the daemon gave it."""
    daemon = asking.find(args)
    answer = daemon.ask("GET", "/v1/status")
    if answer.status != 200 or not isinstance(answer.data, dict):
        raise LbdError(f"no status from {daemon.address}: {answer.error}")
    if args.json:
        print(json.dumps(answer.data, indent=2))
        return 0
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PIPE_WIDTH)
    try:
        console.print(page(answer.data))
    except (AttributeError, KeyError, TypeError):
        raise LbdError(f"the lbd at {daemon.address} is of another version; --json prints what it says") from None
    return 0


def page(status: Mapping[str, Any]) -> RenderableType:
    """All of it: what is wrong first, servers before the rest."""
    servers = [{"backend": backend, "name": name, **server}
               for backend, facts in status["backends"].items() for name, server in facts["servers"].items()]
    listeners = [{"name": name, **facts} for name, facts in status["listeners"].items()]
    return Group(*headline(status), "", table(SERVERS, servers), "", table(LISTENERS, listeners), "",
                 table(WORKERS, status["workers"]))


def headline(status: Mapping[str, Any]) -> list[Text]:
    """The daemon in one line, and one more when the last reload failed."""
    restarts = status.get("worker_restarts", 0)
    parts = [f"lbd {status.get('version', '?')}", f"pid {status.get('pid', '?')}", str(status.get("state", "?")),
             f"generation {status['generation']}", f"up {span(status.get('uptime_seconds', 0))}",
             *([f"{restarts} worker restart{'s' * (restarts != 1)}"] if restarts else [])]
    lines = [Text(printable(", ".join(parts)), "bold")]
    if degraded := status.get("degraded"):
        lines += [Text("degraded: the last good version of these files stays in force", "bold red"),
                  *(Text(f"  {printable(line)}", "red") for line in degraded)]
    last = status.get("last_reload", {})
    if not last.get("success", True):
        lines += [Text(printable(f"the reload of {last.get('time', '?')} was refused; generation "
                                 f"{status['generation']} serves on:"), "bold red"),
                  *(Text(f"  {printable(line)}", "red") for line in str(last.get("error", "")).splitlines())]
    return lines


def table(columns: Columns, rows: Iterable[Row]) -> Table:
    """The rows, with words of state in colour."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for title, _, is_number in columns:
        made.add_column(title, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        cells = ["-" if (value := show(row)) is None else printable(value) for _, show, _ in columns]
        made.add_row(*(Text(cell, STYLES.get(cell, "")) for cell in cells))
    return made


def printable(value: object) -> str:
    """The text without control characters: parts of it come from servers, and a terminal obeys them."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(value))


def milliseconds(seconds: float | None) -> str | None:
    """`12.3 ms`; None where nothing was measured."""
    return None if seconds is None else f"{seconds * 1000:.1f} ms"


def span(seconds: float) -> str:
    """A time in its two largest units: `2 h 5 min`."""
    left = int(seconds)
    parts: list[str] = []
    for length, unit in UNITS:
        count, left = divmod(left, length)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
