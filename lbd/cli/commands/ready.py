"""`lbd ready`: a server takes requests again."""

import argparse

from lbd.cli import steering

HELP = "let a server take requests"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What and why."""
    steering.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """0 when it is so; raises `LbdError` (1) when the daemon refuses."""
    _, answer = steering.change(args, {"mode": "ready"})
    steering.report(args, answer, f"{args.target}: takes requests")
    return 0
