"""`lbd weight`: give a server another share of the traffic."""

import argparse

from lbd.cli import runtime_changes
from lbd.cli.argument_types import number
from lbd.config.runtime import WEIGHT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a change, and the weight."""
    runtime_changes.add_arguments(parser)
    parser.add_argument("weight", metavar="WEIGHT", type=number(WEIGHT), help="0 to 1000; 0: no new clients")


def run(args: argparse.Namespace) -> int:
    """Set the weight: 0; raises `LbdError` (1) when the daemon refuses."""
    _, answer = runtime_changes.request_change(args, {"weight": args.weight})
    runtime_changes.print_outcome(args, answer, f"{args.target}: weight {args.weight}")
    return 0
