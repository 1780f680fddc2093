"""`lbd wait`: return when a server or a backend meets a condition, for deployment scripts."""

import argparse
from typing import Any

from lbd.cli import daemon_client, runtime_changes, wait_conditions
from lbd.cli.argument_types import kind
from lbd.schema import units as u

TIMED_OUT = 3   # exit code


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the condition, the target and the timeout."""
    parser.add_argument("condition", metavar="CONDITION", type=_condition, help="drained, up, down, or usable=N")
    parser.add_argument("target", metavar="BACKEND/SERVER", help=runtime_changes.TARGET)
    parser.add_argument("--timeout", metavar="TIME", type=kind(u.DURATION), default=60.0,
                        help='how long at most (default "60s"); exit code 3 after it')
    daemon_client.add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Wait for the condition: 0 when it holds, 3 when it did not in time; raises `LbdError` (1) without an answer."""
    word, done = args.condition
    daemon = daemon_client.find_daemon(args)
    met = wait_conditions.wait_for(daemon, args.target, done, args.timeout) is not None
    text = word if met else f"not {word} in time: {wait_conditions.unmet(daemon, args.target, done)}"
    outcome = {"condition": word, "target": args.target, "met": met}
    runtime_changes.print_outcome(args, outcome, f"{args.target}: {text}")
    return 0 if met else TIMED_OUT


def _condition(text: str) -> tuple[str, Any]:
    try:
        return text, wait_conditions.parse_condition(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
