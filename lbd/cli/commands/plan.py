"""`lbd plan`: the changes that a reload would make, without making them."""

import argparse
import json
import os
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from lbd.cli import daemon_client, options
from lbd.cli.config_loader import loader
from lbd.cli.streams import fixed_exit_code, print_error
from lbd.cli.terminal import TerminalConsole
from lbd.config.document import INPUT
from lbd.config.plan import compare
from lbd.errors import LbdError, UsageError
from lbd.log.logger import printable

NOTHING, CHANGES, ERRORS = 0, 2, 1

# How each kind of change is marked and coloured.
MARKS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}
CLASSES = {"restart": "bold red", "rebind": "magenta", "drain": "red", "add": "green", "live": "cyan"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two configurations, and how the plan is printed."""
    parser.add_argument("--against", metavar="FILE", help="compare with this file instead of the running daemon")
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    group = parser.add_argument_group("what is compared")
    group.add_argument("-c", "--config", metavar="FILE", help="the new configuration; default: the daemon's own files")
    for flags, settings in options.ADMIN:
        if "-c" not in flags:
            group.add_argument(*flags, **settings)


def run(args: argparse.Namespace) -> int:
    """Print the plan: 0 if nothing would change, 2 if something would. Raises `LbdError` (1)."""
    data = compared(args) if args.against else requested_plan(args)
    with fixed_exit_code(CHANGES if data.get("changes") else NOTHING) as code:
        if args.json:
            print(json.dumps(data, indent=2))
        else:
            console = TerminalConsole(highlight=False, soft_wrap=True)
            show(data, console)
            console.print(data.get("summary", ""), markup=False)
    return code


def compared(args: argparse.Namespace) -> dict[str, Any]:
    """The plan from one file to the other, without a daemon."""
    if not args.config:
        raise LbdError("--against needs -c FILE, the new configuration")
    if args.config == args.against == INPUT:
        raise UsageError("standard input can be one of the two configurations only")
    load = loader(argparse.Namespace(config=args.config, listen=[], server=[], workers=None, algorithm=None,
                                     health_interval=None, health_path=None))
    old, new = load(args.against), load()
    return compare(old.config, new.config).data()


def requested_plan(args: argparse.Namespace) -> dict[str, Any]:
    """The plan that the running daemon makes."""
    if args.config == INPUT:
        raise UsageError("the daemon reads the file itself: give its path; or compare with --against FILE")
    daemon = daemon_client.find_daemon(args)
    answer = daemon.send_request("POST", "/v1/plan", {"file": os.path.abspath(args.config)} if args.config else None)
    if answer.status == 200 and isinstance(answer.data, dict):
        return answer.data
    problems = answer.data.get("problems", []) if isinstance(answer.data, dict) else []
    if args.json:
        with fixed_exit_code(ERRORS):
            print(json.dumps(answer.data, indent=2))
    if problems:
        print_error("\n".join(map(daemon_client.problem_line, problems)))
    raise LbdError(answer.error)


def show(data: Mapping[str, Any], console: Console) -> None:
    """Each change in a line, its keys below it; in colour on a terminal."""
    for change in data.get("changes", []):
        mark, style = MARKS.get(change["what"], ("?", ""))
        line = Text.assemble((f"{mark} {printable(change['path'])}", style), "  ",
                             (change["reload"], CLASSES.get(change["reload"], "")))
        if change.get("about"):
            line.append(f"  {printable(change['about'])}", "dim")
        if now := figures(change):
            line.append(f"  ({now})", "bold")
        console.print(line)
        for edit in change["edits"]:
            console.print(Text.assemble("    ", printable(edit["key"]), ": ", (printable(edit["old"]), "red"), " -> ",
                                        (printable(edit["new"]), "green"),
                                        *([(f"  {edit['reload']}", CLASSES[edit["reload"]])]
                                          if edit["reload"] not in (change["reload"], "live") else [])))
        if change.get("state"):
            console.print(Text(f"    {change['state']}", "dim"))
    if data.get("restart"):
        console.print(Text(f"! only after a restart: {', '.join(map(printable, data['restart']))}", "bold red"))


def figures(change: Mapping[str, Any]) -> str:
    """`3 requests in flight, 5 connections`; "" where nothing is known."""
    parts = [f"{change[name]} {noun}" for name, noun in (("requests", "in flight"), ("connections", "connections"))
             if change.get(name) is not None]
    return ", ".join(parts)
