"""`lbd config`: the configuration that the running daemon has in force, and where each value is from."""

import argparse
import json

from lbd.admin.columns import Column, Columns
from lbd.cli import asking, steering
from lbd.cli.terminal import console, table
from lbd.config.reference import written

HELP = "show the configuration in force, and where each value is from"
DEFAULT = "default"

COLUMNS: Columns = (
    Column("key", lambda row: row["key"]),
    Column("value", lambda row: "not set" if row["value"] is None else written(row["value"])),
    Column("from", lambda row: row["origin"]),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which keys, and how they are printed."""
    parser.add_argument("prefix", metavar="KEY", nargs="?", default="", help='only keys that begin so: "backends.app"')
    parser.add_argument("--all", action="store_true", help="those with their default too")
    steering.output(parser)


def run(args: argparse.Namespace) -> int:
    """0 when the daemon gave it; secrets are hidden."""
    answer = steering.data(asking.find(args).ask("GET", "/v1/config"))
    rows = [row for row in answer["settings"]
            if row["key"].startswith(args.prefix) and (args.all or row["origin"] != DEFAULT)]
    if args.json:
        print(json.dumps({**answer, "settings": rows}, indent=2))
        return 0
    out = console()
    out.print(table(COLUMNS, rows, out.width))
    return 0
