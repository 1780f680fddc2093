"""`lbd top`: the servers of the running daemon, live, with sorting, filters, details and runtime changes."""

import argparse
import importlib
import sys

from lbd.cli import daemon_client
from lbd.cli.argument_types import kind
from lbd.errors import LbdError
from lbd.schema import units as u

# Loaded when it is needed: it takes longer to load than most commands to run.
APP = "lbd.cli.screen.app"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the daemon, and the interval of the screen."""
    daemon_client.add_arguments(parser)
    parser.add_argument("--every", metavar="TIME", type=kind(u.duration(0.1, 60.0)), default=1.0,
                        help='time between two looks (default "1s")')


def run(args: argparse.Namespace) -> int:
    """Show the screen until q: 0. Raises `LbdError` where there is no terminal or no daemon."""
    daemon = daemon_client.find_daemon(args)
    answer = daemon.send_request("GET", "/v1/status")
    if answer.status != 200 or not isinstance(answer.data, dict):
        raise LbdError(f"no status from {daemon.address}: {answer.error}")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise LbdError("lbd top needs a terminal; lbd status prints the same once")
    importlib.import_module(APP).TopApp(daemon, args.every).run()
    return 0
