"""`lbd maint`: a server is taken out for maintenance: it takes no requests, those of sticky clients neither."""

import argparse

from lbd.cli import steering

HELP = "take a server out for maintenance"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What and why."""
    steering.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """0 when it is so; raises `LbdError` (1) when the daemon refuses."""
    _, answer = steering.change(args, {"mode": "maint"})
    steering.report(args, answer, f"{args.target}: is in maintenance")
    return 0
