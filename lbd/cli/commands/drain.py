"""`lbd drain`: a server takes nothing new and finishes what it has."""

import argparse

from lbd.cli import runtime_changes, wait_conditions
from lbd.cli.argument_types import kind
from lbd.cli.commands.wait import TIMED_OUT
from lbd.schema import units as u


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add target, reason, how long at most, and whether to wait."""
    parser.add_argument("--wait", action="store_true", help="return when nothing is in flight any more")
    parser.add_argument("--timeout", metavar="TIME", type=kind(u.DURATION), default=60.0,
                        help='how long to wait at most (default "60s"); exit code 3 after it')
    runtime_changes.add_cut(parser)
    runtime_changes.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Drain the target: 0 when it drains (with --wait: when it is drained), 3 when it was not drained in time."""
    daemon, answer = runtime_changes.request_change(args, {"mode": "drain"})
    if not args.wait:
        runtime_changes.print_outcome(args, answer, f"{args.target}: drains{runtime_changes.cut_clause(args)}")
        return 0
    facts = wait_conditions.wait_for(daemon, args.target, wait_conditions.drained, args.timeout)
    text = "drained" if facts else \
        f"not drained in time: {wait_conditions.unmet(daemon, args.target, wait_conditions.drained)}"
    runtime_changes.print_outcome(args, facts or answer, f"{args.target}: {text}")
    return 0 if facts else TIMED_OUT
