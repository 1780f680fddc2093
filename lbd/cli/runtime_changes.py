"""The common part of the commands for runtime changes: their arguments, the request, and the output."""

import argparse
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lbd.cli import daemon_client
from lbd.cli.argument_types import checked, kind
from lbd.cli.daemon_client import DaemonAnswer, DaemonClient
from lbd.cli.streams import print_error
from lbd.errors import LbdError, UsageError
from lbd.schema import units as u

TARGET = "BACKEND/SERVER, or BACKEND for all of its servers"


def add_arguments(parser: argparse.ArgumentParser, target: str = TARGET) -> None:
    """Add the arguments of a change: target, reason, duration, and the daemon."""
    parser.add_argument("target", metavar="BACKEND/SERVER", help=target)
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; shown by lbd overrides and logged")
    parser.add_argument("--for", dest="span", metavar="TIME", type=checked(kind(u.duration(1.0))),
                        help='how long ("10m"); default: until another command, also over reloads and restarts')
    daemon_client.add_output_arguments(parser)


def add_cut(parser: argparse.ArgumentParser) -> None:
    """Add the option that cuts the connections of the server."""
    parser.add_argument("--cut", metavar="TIME", nargs="?", const="0s", type=_after,
                        help='end all requests, tunnels and idle connections at it, now or after TIME ("30s"; tunnels '
                             'one by one in its second half); "lbd ready" calls it off')


def _after(text: str) -> str:
    try:
        return checked(kind(u.duration(0.0)))(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}; BACKEND/SERVER stands before --cut") from None


def target_path(target: str) -> str:
    """The API path of BACKEND or BACKEND/SERVER; raises `UsageError`."""
    backend, slash, server = target.partition("/")
    if not backend or (slash and not server) or "/" in server:
        raise UsageError(f"{target!r} is not BACKEND/SERVER")
    path = f"/v1/backends/{quote(backend, safe='')}"
    return f"{path}/servers/{quote(server, safe='@')}" if server else path


def request_change(args: argparse.Namespace, settings: Mapping[str, Any]) -> tuple[DaemonClient, dict[str, Any]]:
    """Request the change; returns the daemon, and the server (or backend) after it. Raises `LbdError`."""
    daemon = daemon_client.find_daemon(args)
    body = {**settings, "reason": args.reason, **({"for": args.span} if args.span else {})}
    if cut := getattr(args, "cut", None):
        body["cut"] = cut
    return daemon, json_object(daemon.send_request("PATCH", target_path(args.target), body))


def json_object(answer: DaemonAnswer) -> dict[str, Any]:
    """The JSON object of a successful response, its warning printed on stderr; raises `LbdError` with all problems."""
    if answer.status >= 300 or not isinstance(answer.data, dict):
        problems = answer.data.get("problems", []) if isinstance(answer.data, dict) else []
        raise LbdError("\n".join([answer.error, *map(daemon_client.problem_line, problems)]))
    if warning := answer.data.get("warning"):
        print_error(f"lbd: warning: {warning}")
    return answer.data


def cut_clause(args: argparse.Namespace) -> str:
    """The clause about the cut for the output, "" without one."""
    if args.cut is None:
        return ""
    return f"; what is left is cut after {args.cut}" if float(u.DURATION.parse(args.cut)) else "; what is at it is cut"


def print_outcome(args: argparse.Namespace, answer: Mapping[str, Any], text: str) -> None:
    """Print the outcome, as JSON or in one line."""
    print(json.dumps(answer, indent=2) if args.json else text)
