"""`lbd rollback`: back to the generation before the one in force."""

import argparse
import json

from lbd.cli import daemon_client
from lbd.cli.commands import plan
from lbd.cli.terminal import TerminalConsole
from lbd.errors import LbdError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the daemon, and the format of its answer."""
    daemon_client.add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Roll back: 0 when the generation before is in force; raises `LbdError` (1), and then nothing has changed."""
    answer = daemon_client.find_daemon(args).send_request("POST", "/v1/rollback")
    if answer.status != 200:
        raise LbdError(f"nothing was changed: {answer.error}")
    if args.json:
        print(json.dumps(answer.data, indent=2))
        return 0
    plan.show(answer.data.get("plan", {}), TerminalConsole(highlight=False, soft_wrap=True))
    print(f"rolled back: generation {answer.data['generation']} is in force; the files say something else")
    return 0
