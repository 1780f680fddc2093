"""`lbd reload`: the running daemon reads its configuration again."""

import argparse
import json

from lbd.cli import daemon_client
from lbd.cli.argument_types import checked, kind
from lbd.cli.commands import plan
from lbd.cli.streams import fixed_exit_code, print_error
from lbd.cli.terminal import TerminalConsole
from lbd.schema import units as u


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the daemon, and those of the reload."""
    daemon_client.add_arguments(parser)
    parser.add_argument("--force", action="store_true",
                        help="apply it even if a backend loses its last usable server by it")
    parser.add_argument("--confirm", metavar="TIME", type=checked(kind(u.duration(0.1))),
                        help='take it back unless "lbd confirm" comes within TIME ("60s"), or at the first trouble')
    parser.add_argument("--json", action="store_true", help="print the daemon's answer as JSON")


def run(args: argparse.Namespace) -> int:
    """Ask for the reload and wait for its outcome: 0 when the new configuration is in force, all of it, else 1."""
    query = "&".join([*(["force=1"] if args.force else []), *([f"confirm={args.confirm}"] if args.confirm else [])])
    answer = daemon_client.find_daemon(args).send_request("POST", f"/v1/reload?{query}" if query else "/v1/reload")
    done = answer.status in (200, 204)
    if args.json:
        with fixed_exit_code(0 if done else 1) as code:
            print(json.dumps({"ok": done, "status": answer.status, "answer": answer.data}, indent=2))
        return code
    if not done:
        problems = answer.data.get("problems", []) if isinstance(answer.data, dict) else []
        lines = map(daemon_client.problem_line, problems)
        print_error("\n".join([f"lbd: nothing was changed: {answer.error}", *lines]))
        return 1
    data = answer.data if isinstance(answer.data, dict) else {}
    generation = f": generation {data['generation']} is in force" if "generation" in data else ""
    refused = data.get("refused")
    with fixed_exit_code(1 if refused else 0):
        if isinstance(data.get("plan"), dict):
            plan.show(data["plan"], TerminalConsole(highlight=False, soft_wrap=True))
        print(f"reloaded{generation}" if data.get("changed", True) else f"nothing to change{generation}")
    if refused:
        text = "lbd: degraded: the last good version of what follows stays in force"
        print_error("\n".join([text, *map(str, refused)]))
        return 1
    if args.confirm:
        print(f'it is taken back unless "lbd confirm" comes within {args.confirm}')
    return 0
