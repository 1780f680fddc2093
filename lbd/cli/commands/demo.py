"""`lbd demo`: three servers of different speed, lbd in front of them, and examples to try."""

import argparse
import shlex
import shutil
import socket
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from lbd.cli.argument_types import number
from lbd.cli.child_processes import ChildProcesses
from lbd.cli.daemon_client import DaemonClient
from lbd.cli.example_files import example_file
from lbd.cli.terminal import TerminalConsole
from lbd.errors import LbdError
from lbd.schema import units as u
from lbd.schema.units import Address

HOST = "127.0.0.1"
SERVERS = {"fast": "5ms", "middle": "20ms", "slow": "80ms"}  # name in demo.toml → its delay
PORT = 8080
METRICS_PORT = 9405
READY = 20.0  # seconds until lbd must be ready
POLL = 0.05   # seconds between two looks whether it is


@dataclass(frozen=True, slots=True)
class DemoSetup:
    """The paths and ports of this run."""

    folder: Path
    port: int
    metrics: int
    servers: Mapping[str, int]

    @property
    def config(self) -> Path:
        """The configuration that lbd runs with."""
        return self.folder / "demo.toml"

    @property
    def admin(self) -> Address:
        """The daemon's admin socket."""
        return Address(path=str(self.folder / "admin.sock"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the option of the port."""
    parser.add_argument("--port", type=number(u.integer(0, 65535)), default=PORT, metavar="PORT",
                        help=f"port of lbd; a free one is taken if it is in use, or with 0 ({PORT})")


def run(args: argparse.Namespace) -> int:
    """Run until Ctrl-C or SIGTERM; 0 when all went well."""
    with tempfile.TemporaryDirectory(prefix="lbd-demo-") as folder, ChildProcesses() as children:
        servers = {name: started(children, name, delay) for name, delay in SERVERS.items()}
        metrics = free_port(METRICS_PORT if args.port else 0)
        places = DemoSetup(Path(folder), free_port(args.port), metrics, servers)
        source = tomllib.loads(example_file("demo.toml").read_text("utf-8"))
        places.config.write_text(tomli_w.dumps(arranged(source, places)), "utf-8")
        children.start("lbd", ["-c", str(places.config)])
        if not ready(children, DaemonClient(places.admin)):
            show(places)
            children.wait()
        TerminalConsole(highlight=False).print("\nstopping ...")
    return 0


def started(children: ChildProcesses, name: str, delay: str) -> int:
    """Start a demo server on a free port and return the port."""
    line = children.start(name, ["demo-server", "--port", "0", "--host", HOST, "--name", name, "--delay", delay],
                          speaks=True)
    return int(line.rpartition(":")[2])


def free_port(wanted: int) -> int:
    """The wanted port if nothing has it, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            # A listening socket is in the way all the same; only closed connections of an earlier run are not.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            free: int = probe.getsockname()[1]
            return free
    raise LbdError("no port is free on 127.0.0.1")


def arranged(source: dict[str, Any], places: DemoSetup) -> dict[str, Any]:
    """The configuration with the addresses of this run in it."""
    source["global"]["state_dir"] = str(places.folder / "state")
    source["admin"]["bind"] = str(places.admin)
    source["metrics"]["bind"] = f"{HOST}:{places.metrics}"
    source["listeners"]["web"]["bind"] = f"{HOST}:{places.port}"
    for backend in source["backends"].values():
        for name in backend["servers"]:
            backend["servers"][name] = f"{HOST}:{places.servers[name]}"
    return source


def ready(children: ChildProcesses, daemon: DaemonClient) -> bool:
    """Wait until lbd is ready: False. True when it should stop instead; raises `LbdError` when it takes too long."""
    until = time.monotonic() + READY
    while time.monotonic() < until:
        if children.wait(POLL):
            return True
        try:
            if daemon.send_request("GET", "/readyz", timeout=1.0).status == 200:
                return False
        except LbdError:
            pass  # not listening yet
    raise LbdError(f"lbd was not ready within {READY:.0f} s")


def command(python: str = sys.executable) -> str:
    """The word by which a shell runs lbd: `lbd`, with the directory of this Python where PATH has no such command."""
    beside = Path(python).with_name("lbd")
    return "lbd" if shutil.which("lbd") or not beside.is_file() else shlex.quote(str(beside))


def attempts(places: DemoSetup) -> tuple[tuple[str, str], ...]:
    """Examples to try: a description and the command."""
    web = f"http://{HOST}:{places.port}"
    fast = f"http://{HOST}:{places.servers['fast']}"
    lbd = command()
    return (
        ("one request, and what the server got", f"curl '{web}/hello?who=me'"),
        ("twelve at once: the fast server gets most",
         f"seq 12 | xargs -P 12 -I{{}} curl -s {web}/{{}} | grep '\"server\"' | sort | uniq -c"),
        ("a route of its own: only the slow server", f"curl {web}/slow/page"),
        ("an answer of lbd itself", f"curl {web}/about"),
        ("let a server fail: it gets nothing after two checks", f"curl -X POST '{fast}/_demo/health?state=fail'"),
        ("and recover", f"curl -X POST '{fast}/_demo/health?state=recover'"),
        ("how everything is", f"{lbd} status --admin {places.admin}"),
        ("what Prometheus would scrape", f"curl -s http://{HOST}:{places.metrics}/metrics | grep lbd_server"),
        ("after a change of the configuration", f"{lbd} reload --admin {places.admin}"),
    )


def show(places: DemoSetup) -> None:
    """Print the addresses, and examples to try."""
    console = TerminalConsole(highlight=False)
    rows = [
        ("lbd", f"http://{HOST}:{places.port}", "least-connections over three servers"),
        *((f"server {name}", f"http://{HOST}:{port}", f"answers after {SERVERS[name]}")
          for name, port in places.servers.items()),
        ("metrics", f"http://{HOST}:{places.metrics}/metrics", "for Prometheus"),
        ("configuration", str(places.config), "a copy of conf/demo.toml with these addresses"),
    ]
    wide = max(len(where) for _, where, _ in rows)
    console.print()
    for what, where, how in rows:
        console.print(f"[bold]{what:<15}[/bold]{where:<{wide}}  [dim]{how}[/dim]", soft_wrap=True)
    console.print("\n[bold]Try, in another terminal:[/bold]")
    for text, command in attempts(places):
        console.print(f"\n  [dim]# {text}[/dim]")
        console.print(f"  {command}", markup=False, soft_wrap=True)
    console.print("\nCtrl-C stops everything.\n")
