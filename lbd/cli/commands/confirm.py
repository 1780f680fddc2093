"""`lbd confirm`: keep the generation that `lbd reload --confirm` put in force."""

import argparse
import json

from lbd.cli import daemon_client
from lbd.errors import LbdError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the daemon, and the format of its answer."""
    daemon_client.add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Keep the generation: 0; raises `LbdError` (1) when none waits to be confirmed."""
    answer = daemon_client.find_daemon(args).send_request("POST", "/v1/confirm")
    if answer.status != 200:
        raise LbdError(answer.error)
    if args.json:
        print(json.dumps(answer.data, indent=2))
    else:
        print(f"confirmed: generation {answer.data['generation']} stays in force")
    return 0
