"""`lbd overrides`: list, end or persist the runtime changes."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lbd.admin.columns import Columns, TableColumn
from lbd.cli import daemon_client, runtime_changes
from lbd.cli.daemon_client import DaemonClient
from lbd.cli.override_writer import KEYS, write_overrides
from lbd.cli.streams import print_error
from lbd.cli.terminal import console, table
from lbd.config.runtime import SETTINGS

COLUMNS: Columns = (
    TableColumn("backend", lambda row: row.get("backend")),
    TableColumn("server", lambda row: row.get("server") or "(all)"),
    TableColumn("override", lambda row: ", ".join(f"{name} {row[name]}" for name in SETTINGS if name in row)),
    TableColumn("who", lambda row: row.get("who")),
    TableColumn("since", lambda row: row.get("at")),
    TableColumn("until", lambda row: row.get("until")),
    TableColumn("reason", lambda row: row.get("reason")),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and whether they end."""
    parser.add_argument("target", metavar="BACKEND[/SERVER]", nargs="?", default="", help="only those of these")
    parser.add_argument("--clear", action="store_true", help="end them: what the files say is in force again")
    parser.add_argument("--persist", metavar="FILE", type=Path,
                        help="write them into this configuration file, reload it, and end them")
    daemon_client.add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """List, save or end overrides: 0."""
    daemon = daemon_client.find_daemon(args)
    if args.target:
        runtime_changes.target_path(args.target)   # raises for a word that is no target
    backend, _, server = args.target.partition("/")
    if args.clear:
        answer = end(daemon, backend, server)
        runtime_changes.print_outcome(args, answer, f"{answer['ended']} ended: what the files say is in force again")
        return 0
    found = runtime_changes.json_object(daemon.send_request("GET", "/v1/overrides"))["overrides"]
    found = [row for row in found if backend in ("", row["backend"]) and server in ("", row["server"])]
    if args.persist is not None:
        return keep(args, daemon, found)
    if args.json:
        print(json.dumps(found, indent=2))
    elif not found:
        print("none: everything is as the files say")
    else:
        out = console()
        out.print(table(COLUMNS, found, out.width))
    return 0


def end(daemon: DaemonClient, backend: str, server: str) -> dict[str, Any]:
    """End the overrides of a server, of a backend, or all; returns the response of the daemon."""
    query = urlencode({name: text for name, text in (("backend", backend), ("server", server)) if text})
    return runtime_changes.json_object(daemon.send_request("DELETE", "/v1/overrides" + (f"?{query}" if query else "")))


def keep(args: argparse.Namespace, daemon: DaemonClient, rows: Sequence[Mapping[str, Any]]) -> int:
    """Write the overrides into the file and reload it, then end those that are wholly in it. 1 when some are not."""
    done, left = write_overrides(args.persist, rows)
    if done:
        runtime_changes.json_object(daemon.send_request("POST", "/v1/reload"))
    kept = [row for row in rows if "health" not in row
            and all(_written(row, name, done) for name in KEYS if name in row)]
    for row in sorted(kept, key=lambda row: not row.get("server")):   # a backend's last: it ends its servers' too
        if row.get("server") or len(kept) == len(rows):
            end(daemon, str(row["backend"]), str(row.get("server") or ""))
    if args.json:
        print(json.dumps({"written": done, "left": left}, indent=2))
    else:
        print("\n".join(done) or "nothing to write")
        if left:
            print_error("\n".join(f"lbd: {line}" for line in left))
    return 1 if left else 0


def _written(row: Mapping[str, Any], name: str, done: Sequence[str]) -> bool:
    begin = f"backends.{row['backend']}.servers." + (f"{row['server']}." if row.get("server") else "")
    return any(line.startswith(begin) and line.endswith(f".{name} = {row[name]}") for line in done)
