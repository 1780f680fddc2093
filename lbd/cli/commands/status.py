"""`lbd status`: how the running daemon, its listeners, servers and workers are, now."""

import argparse
import json
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from lbd.admin import columns
from lbd.cli import daemon_client
from lbd.cli.terminal import console, table
from lbd.errors import LbdError
from lbd.log.logger import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the daemon, and the format of its answer."""
    daemon_client.add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the status; 0 when the daemon gave it."""
    daemon = daemon_client.find_daemon(args)
    answer = daemon.send_request("GET", "/v1/status")
    if answer.status != 200 or not isinstance(answer.data, dict):
        raise LbdError(f"no status from {daemon.address}: {answer.error}")
    if args.json:
        print(json.dumps(answer.data, indent=2))
        return 0
    out = console()
    try:
        out.print(page(answer.data, out.width))
    except (AttributeError, KeyError, TypeError):
        raise LbdError(f"the lbd at {daemon.address} is of another version; --json prints what it says") from None
    return 0


def page(status: Mapping[str, Any], width: int) -> RenderableType:
    """The whole status: problems first, servers before the rest."""
    tables = [(columns.SERVERS, columns.servers(status)), (columns.DRAINING, status.get("draining", [])),
              (columns.LISTENERS, columns.listeners(status)), (columns.WORKERS, status["workers"])]
    parts: list[RenderableType] = []
    for kind, rows in tables:
        if rows or kind is columns.SERVERS:
            parts += ["", table(kind, rows, width)]
    return Group(*heading(status), *parts)


def heading(status: Mapping[str, Any]) -> Iterable[Text]:
    """The daemon in one line, and its problems."""
    yield Text(printable(", ".join(columns.headline(status))), "bold")
    for trouble, details in columns.troubles(status):
        yield Text(printable(trouble), "bold red")
        yield from (Text(f"  {printable(line)}", "red") for line in details)
