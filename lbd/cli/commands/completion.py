"""`lbd completion`: a script that makes a shell complete lbd's commands, options, servers and files."""

import argparse

from lbd.cli import daemon_client, grammar, runtime_changes
from lbd.cli.shells import SHELLS
from lbd.errors import LbdError

TARGETS = "targets"     # the word by which the scripts request targets
PATIENCE = 2.0          # seconds for the daemon's response, which delays the prompt


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which shell."""
    parser.add_argument("shell", metavar="SHELL", choices=[*SHELLS, TARGETS], help=", ".join(SHELLS))
    daemon_client.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the script, or the targets for it: 0."""
    if args.shell == TARGETS:
        print("\n".join(targets(args)))
    else:
        print(SHELLS[args.shell](grammar.commands()), end="")
    return 0


def targets(args: argparse.Namespace) -> list[str]:
    """Every BACKEND and BACKEND/SERVER of the running daemon; none where there is no daemon."""
    try:
        answer = daemon_client.find_daemon(args).send_request("GET", "/v1/backends", timeout=PATIENCE)
        found = runtime_changes.json_object(answer)["backends"]
        return [name for backend, facts in found.items()
                for name in (backend, *(f"{backend}/{server}" for server in facts["servers"]))]
    except (LbdError, KeyError, TypeError, AttributeError):
        return []
