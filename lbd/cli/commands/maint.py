"""`lbd maint`: a server is taken out for maintenance: it takes no requests, those of sticky clients neither, and
finishes what it has, or is cut."""

import argparse

from lbd.cli import steering

HELP = "take a server out for maintenance"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add target, reason, and what becomes of what it has in hand."""
    steering.add_arguments(parser)
    steering.add_cut(parser)


def run(args: argparse.Namespace) -> int:
    """0 when it is so; raises `LbdError` (1) when the daemon refuses."""
    _, answer = steering.change(args, {"mode": "maint"})
    steering.report(args, answer, f"{args.target}: is in maintenance{steering.cutting(args)}")
    return 0
