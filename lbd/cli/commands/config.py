"""`lbd config`: the configuration in force, or that a file would give, and where each value is from."""

import argparse
import json
from typing import Any

from lbd.admin.columns import Columns, TableColumn
from lbd.balance import ALGORITHMS
from lbd.cli import daemon_client, runtime_changes
from lbd.cli.terminal import console, table
from lbd.config.origins import settings
from lbd.config.reader import read_file
from lbd.config.reference import written
from lbd.errors import UsageError
from lbd.health import CHECKS

DEFAULT = "default"

COLUMNS: Columns = (
    TableColumn("key", lambda row: row["key"]),
    TableColumn("value", lambda row: "not set" if row["value"] is None else written(row["value"])),
    TableColumn("from", lambda row: row["origin"]),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that select keys and the output format."""
    parser.add_argument("prefix", metavar="KEY", nargs="?", default="", help='only keys that begin so: "backends.app"')
    parser.add_argument("--all", action="store_true", help="those with their default too")
    parser.add_argument("--offline", action="store_true", help="ask no daemon: only what the file of -c says")
    parser.add_argument("--no-redact", dest="secrets", action="store_true",
                        help="show secrets too; of a daemon only over its Unix socket")
    daemon_client.add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Show the configuration: 0. Raises `LbdError`, `ConfigError` and `UsageError`."""
    if args.offline:
        answer = of_file(args)
    else:
        path = f"/v1/config{'?secrets=yes' if args.secrets else ''}"
        answer = runtime_changes.json_object(daemon_client.find_daemon(args).send_request("GET", path))
    rows = [row for row in answer["settings"]
            if row["key"].startswith(args.prefix) and (args.all or row["origin"] != DEFAULT)]
    if args.json:
        print(json.dumps({**answer, "settings": rows}, indent=2))
        return 0
    out = console()
    out.print(table(COLUMNS, rows, out.width))
    return 0


def of_file(args: argparse.Namespace) -> dict[str, Any]:
    """The settings of a daemon just started with the file, without runtime changes."""
    if not args.config:
        raise UsageError("--offline needs the file: -c FILE")
    loaded = read_file(args.config, ALGORITHMS, CHECKS)
    found = [{"key": setting.key, "value": setting.value, "origin": setting.origin}
             for setting in settings(loaded.config, loaded.places, args.secrets)]
    return {"generation": 0, "settings": found}
