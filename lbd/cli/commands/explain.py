"""`lbd explain`: where a request goes and why, in the running daemon or by a file alone."""

import argparse
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from rich.console import Console

from lbd.admin.columns import Columns, TableColumn, milliseconds
from lbd.backend.snapshot import Endpoint, Generation
from lbd.balance import ALGORITHMS
from lbd.cli import daemon_client, live_request, options
from lbd.cli.streams import fixed_exit_code
from lbd.cli.terminal import TerminalConsole, table
from lbd.config.reader import read_file
from lbd.errors import LbdError, UsageError
from lbd.health import CHECKS
from lbd.log.logger import printable
from lbd.report.explain import Question, explain
from lbd.report.explain_tcp import SCHEMES
from lbd.schema import Config
from lbd.stats.scoreboard import Board

SECRET = bytes(32)   # of a file alone: cookies of a running daemon mean nothing to it

CANDIDATES: Columns = (
    TableColumn("server", lambda row: row["name"]),
    TableColumn("address", lambda row: row["address"]),
    TableColumn("weight", lambda row: row["weight"], True),
    TableColumn("in flight", lambda row: row["in_flight"], True),
    TableColumn("latency", lambda row: row["latency_seconds"], True, milliseconds),
    TableColumn("score", lambda row: row["score"], True, lambda value: None if value is None else f"{value:.4g}"),
    TableColumn("left out because", lambda row: row["left_out"] or None),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the request and of the source of the explanation."""
    parser.add_argument("method", metavar="METHOD", nargs="?", default="GET", help="GET, POST and so on (default GET)")
    parser.add_argument("url", metavar="URL", help="http://HOST/PATH, as a client would ask; of a listener in tcp mode "
                        "tcp://HOST:PORT, or tls://NAME:PORT?alpn=PROTOCOL for a client that speaks TLS")
    parser.add_argument("-H", "--header", metavar="'NAME: VALUE'", action="append", default=[], help="may be repeated")
    parser.add_argument("--from", dest="client", metavar="IP", default="127.0.0.1", help="the client's address")
    parser.add_argument("--listener", metavar="NAME", default="", help="default: by the URL's port, else the first")
    parser.add_argument("--live", action="store_true",
                        help="send it too, without a body, and show the way it took and its times")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    group = parser.add_argument_group("who explains it")
    group.add_argument("-c", "--config", metavar="FILE", help="this file alone, all servers up; default: the daemon")
    for flags, settings in options.ADMIN:
        if "-c" not in flags:
            group.add_argument(*flags, **settings)


def run(args: argparse.Namespace) -> int:
    """Print the explanation; 0 when a server or lbd itself would answer, else 1."""
    if args.live and args.config:
        raise UsageError("--live asks the daemon, -c FILE a file alone: give one of them")
    if args.live and args.url.partition("://")[0] in SCHEMES:
        raise UsageError("--live sends a request of HTTP: there is none in tcp mode")
    question = Question(args.method, args.url, tuple(args.header), args.client, args.listener)
    found = by_file(question, args.config) if args.config else by_daemon(question, args)
    if args.live:
        found["live"] = live_request.send_live(daemon_client.find_daemon(args), args.method, args.url, args.header,
                                               found["listener"])
    with fixed_exit_code(0 if found.get("chosen") or "answer" in found else 1) as code:
        if args.json:
            print(json.dumps(found, indent=2))
        else:
            show(found, TerminalConsole(highlight=False, soft_wrap=True))
    return code


def by_file(question: Question, file: str) -> dict[str, Any]:
    """The explanation of a daemon that was just started with this file, with every server up."""
    config = read_file(file, ALGORITHMS, CHECKS).config
    return explain(question, fresh(config), Board.create(1), 0)


def fresh(config: Config) -> Generation:
    """A generation in which nothing has happened yet."""
    endpoints: dict[str, tuple[Endpoint, ...]] = {}
    slot = 0
    for name, backend in config.backends.items():
        endpoints[name] = tuple(
            Endpoint(name, server, about.address, slot + place, about.weight, about.backup, about.mode,
                     max_conns=about.max_conns or 0)
            for place, (server, about) in enumerate(backend.servers.items()))
        slot += len(endpoints[name])
    pairs = [(listener, backend) for listener in config.listeners for backend in ("", *config.backends)]
    return Generation(1, config, endpoints, {name: place for place, name in enumerate(config.backends)},
                      {name: place for place, name in enumerate(config.listeners)},
                      {pair: place for place, pair in enumerate(pairs)}, 0, SECRET)


def by_daemon(question: Question, args: argparse.Namespace) -> dict[str, Any]:
    """The explanation of the running daemon, with its present figures."""
    daemon = daemon_client.find_daemon(args)
    words = [("method", question.method), ("url", question.url), ("from", question.client),
             *([("listener", question.listener)] if question.listener else []),
             *(("header", line) for line in question.headers)]
    answer = daemon.send_request("GET", f"/v1/explain?{urlencode(words)}")
    if answer.status != 200 or not isinstance(answer.data, dict):
        raise LbdError(f"not explained by {daemon.address}: {answer.error}")
    return answer.data


def show(found: Mapping[str, Any], console: Console) -> None:
    """Print the decisions in their order."""
    def say(text: str, style: str = "") -> None:
        console.print(printable(text), style=style, markup=False)

    say(f"generation {found['generation']}, listener {found['listener']}", "bold")
    if not found["admitted"]:
        say("the listener closes connections from this address", "bold red")
    if found.get("introduced"):
        say("  the client's address is that of the PROXY header, which has to come first")
    if "refused" in found:
        status = found["refused"]["status"]
        say(f"refused{f' with {status}' if status else ''}: {found['refused']['reason']}", "bold red")
    else:
        for route in found["routes"]:
            say(f"  route {route['route']}: " + (f"matches, backend {route['backend']}" if route["matches"]
                                               else route["mismatch"]), "green" if route["matches"] else "dim")
        if found["route"] is None:
            say("  no route takes it: the listener's own backend")
        if "answer" in found:
            say(f"lbd answers itself: {found['answer']['status']}", "bold")
        else:
            choice(found, console, say)
    if "live" in found:
        for line in live_request.describe_response(found["live"]):
            say(line, "" if line.startswith(" ") else "bold")


def choice(found: Mapping[str, Any], console: Console, say: Callable[..., None]) -> None:
    """Print the choice of the server, and the edits of request and response."""
    say(f"backend {found['backend']}, {found['algorithm']}, client {found['client']}", "bold")
    if key := found["key"]:
        say(f"  key {key['value']!r}, hash {key['hash']}" if key["value"] else "  the request has no key")
    if sticky := found["sticky"]:
        known = f"its server is {sticky['server']}" if sticky["server"] else "it has no server that keeps its clients"
        say(f"  cookie {sticky['cookie']}: {known}" if "cookie" in sticky else f"  source {sticky['source']}: {known}")
    if found["score"]:
        say(f"  score: {found['score']}")
    for one in found.get("filters", ()):
        say(f"  filter {one['filter']}: {one['does']}")
    console.print(table(CANDIDATES, found["servers"]))
    say(f"server {found['chosen']}: {found['why']}" if found["chosen"] else found["why"],
        "bold green" if found["chosen"] else "bold red")
    edited = ((f"to the server: {found['sends'][0]}", found["request_headers"]),
              ("to the client:", found["response_headers"])) if "sends" in found else ()
    for title, edits in edited:
        if edits["removed"] or edits["added"]:
            say(title)
        for mark, lines, style in (("-", edits["removed"], "red"), ("+", edits["added"], "green")):
            for line in lines:
                say(f"  {mark} {line}", style)
    say("timeouts: " + ", ".join(f"{name} {value:g} s" for name, value in found["timeouts"].items()), "dim")
