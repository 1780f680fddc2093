"""`lbd drain`: a server takes nothing new and finishes what it has."""

import argparse

from lbd.cli import steering, waiting
from lbd.cli.commands.wait import TIMED_OUT
from lbd.cli.parser import kind
from lbd.schema import units as u

HELP = "let a server finish what it has and take nothing new"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add target, reason, how long at most, and whether to wait."""
    parser.add_argument("--wait", action="store_true", help="return when nothing is in flight any more")
    parser.add_argument("--timeout", metavar="TIME", type=kind(u.DURATION), default=60.0,
                        help='how long to wait at most (default "60s"); exit code 3 after it')
    steering.add_cut(parser)
    steering.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """0 when it drains (with --wait: when it is drained), 3 when it was not drained in time."""
    daemon, answer = steering.change(args, {"mode": "drain"})
    if not args.wait:
        steering.report(args, answer, f"{args.target}: drains{steering.cutting(args)}")
        return 0
    facts = waiting.wait(daemon, args.target, waiting.drained, args.timeout)
    text = "drained" if facts else f"not drained in time: {waiting.state(daemon, args.target, waiting.drained)}"
    steering.report(args, facts or answer, f"{args.target}: {text}")
    return 0 if facts else TIMED_OUT
