"""`lbd ready`: a server takes requests again."""

import argparse

from lbd.cli import runtime_changes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a change."""
    runtime_changes.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Put the target back in service: 0; raises `LbdError` (1) when the daemon refuses."""
    _, answer = runtime_changes.request_change(args, {"mode": "ready"})
    runtime_changes.print_outcome(args, answer, f"{args.target}: takes requests")
    return 0
