"""`lbd maint`: take a server out for maintenance. It gets no new requests, not even from sticky clients, and finishes
those in flight unless they are cut."""

import argparse

from lbd.cli import runtime_changes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the target, the reason, and the cut of its requests in flight."""
    runtime_changes.add_arguments(parser)
    runtime_changes.add_cut(parser)


def run(args: argparse.Namespace) -> int:
    """Take the target out: 0; raises `LbdError` (1) when the daemon refuses."""
    _, answer = runtime_changes.request_change(args, {"mode": "maint"})
    runtime_changes.print_outcome(args, answer, f"{args.target}: is in maintenance{runtime_changes.cut_clause(args)}")
    return 0
