"""`lbd events`: the recent events of the running daemon: state changes, reloads, ends of workers."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from lbd.cli import daemon_client
from lbd.cli.terminal import TerminalConsole
from lbd.errors import LbdError
from lbd.log.logger import printable

WAIT = 30        # seconds that one question of --follow waits for an answer
STYLES = {"warning": "yellow", "error": "bold red"}
OWN = ("number", "timestamp", "level", "event")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the daemon and the events."""
    daemon_client.add_arguments(parser)
    parser.add_argument("--follow", "-f", action="store_true", help="go on with what happens from now on, until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="print each event as a line of JSON")


def run(args: argparse.Namespace) -> int:
    """Print the events, oldest first; 0 when the daemon returned them."""
    daemon = daemon_client.find_daemon(args)
    console = TerminalConsole(highlight=False, soft_wrap=True)
    last = 0
    while True:
        wait = f"&wait={WAIT}s" if args.follow and last else ""
        answer = daemon.send_request("GET", f"/v1/events?since={last}{wait}")
        if answer.status != 200 or not isinstance(answer.data, dict):
            raise LbdError(f"no events from {daemon.address}: {answer.error}")
        for event in answer.data.get("events", []):
            if args.json:
                print(json.dumps(event), flush=True)
            else:
                console.print(line(event))
        if not args.follow:
            return 0
        last = max(1, int(answer.data.get("last", 0)))


def line(event: Mapping[str, Any]) -> Text:
    """`2026-11-22 17:12:35  server down  backend=app server=a reason=…`."""
    moment = str(event.get("timestamp", ""))[:19].replace("T", " ")
    text = Text(f"{printable(moment)}  ", "dim")
    text.append(printable(event.get("event", "?")), STYLES.get(str(event.get("level")), "bold"))
    for name, value in event.items():
        if name not in OWN and value not in (None, "", [], {}):
            text.append(f"  {printable(name)}=", "dim").append(printable(_plain(value)), "none")
    return text


def _plain(value: Any) -> Any:
    """`a, b` for a list, `name: value; ...` for a table, else the value."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_plain(one)}" for name, one in value.items())
    return ", ".join(str(_plain(one)) for one in value) if isinstance(value, list) else value
