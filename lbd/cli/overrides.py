"""`lbd overrides`: what was changed while lbd runs, and the end of it."""

import argparse
import json
from urllib.parse import urlencode

from rich.console import Console

from lbd.cli import asking, steering
from lbd.cli.status import PIPE_WIDTH, Columns, table
from lbd.config.runtime import SETTINGS

HELP = "list what was changed while lbd runs, or go back to what the files say"

COLUMNS: Columns = (
    ("backend", lambda row: row.get("backend"), False),
    ("server", lambda row: row.get("server") or "(all)", False),
    ("override", lambda row: ", ".join(f"{name} {row[name]}" for name in SETTINGS if name in row), False),
    ("who", lambda row: row.get("who"), False),
    ("since", lambda row: row.get("at"), False),
    ("until", lambda row: row.get("until"), False),
    ("reason", lambda row: row.get("reason"), False),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and whether they end."""
    parser.add_argument("target", metavar="BACKEND[/SERVER]", nargs="?", default="", help="only those of these")
    parser.add_argument("--clear", action="store_true", help="end them: what the files say is in force again")
    steering.output(parser)


def run(args: argparse.Namespace) -> int:
    """0 when they were listed or ended."""
    daemon = asking.find(args)
    if args.target:
        steering.place(args.target)   # raises for what cannot be one
    backend, _, server = args.target.partition("/")
    if args.clear:
        query = urlencode({name: text for name, text in (("backend", backend), ("server", server)) if text})
        answer = steering.data(daemon.ask("DELETE", "/v1/overrides" + (f"?{query}" if query else "")))
        steering.report(args, answer, f"{answer['ended']} ended: what the files say is in force again")
        return 0
    found = steering.data(daemon.ask("GET", "/v1/overrides"))["overrides"]
    found = [row for row in found if backend in ("", row["backend"]) and server in ("", row["server"])]
    if args.json:
        print(json.dumps(found, indent=2))
    elif not found:
        print("none: everything is as the files say")
    else:
        console = Console(highlight=False)
        console = console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)
        console.print(table(COLUMNS, found))
    return 0
