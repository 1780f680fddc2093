"""The proxies that are measured: how each is configured and started."""

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.clients import answers
from tests.bench.machine import find, free_port
from tests.bench.process import Process, poll
from tests.bench.servers import Servers, certificate, user, written

ROOT = Path(__file__).resolve().parents[2]


class StartError(Exception):
    """A proxy did not come up; the text says what it wrote."""


@dataclass(frozen=True, slots=True)
class Target:
    """A proxy with a configuration of `configs/`; `command` gets the program and the file.

    `logs` and `silent` are what its configuration says to write an access log, as a user would, and to write none.
    """

    name: str
    program: str
    config: str
    command: Callable[[str, Path], list[str]]
    logs: str = ""
    silent: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A target that answers on 127.0.0.1:port, and as a relay of bytes on `tcp` where its configuration has one,
    with TLS on `secure`;
    `start_seconds` from its exec to the first answer."""

    process: Process
    port: int
    tcp: int
    secure: int
    start_seconds: float


def _haproxy(program: str, config: Path) -> list[str]:
    return [program, "-db", "-f", str(config)]


def _nginx(program: str, config: Path) -> list[str]:
    return [program, "-p", str(config.parent), "-c", str(config), "-e", str(config.parent / "error.log"),
            "-g", "daemon off;"]


def _caddy(program: str, config: Path) -> list[str]:
    return [program, "run", "--adapter", "caddyfile", "--config", str(config)]


def _lbd(program: str, config: Path) -> list[str]:
    return [program, "-m", "lbd", "-c", str(config)]


_HAPROXY_LOG = ("log stdout format raw local0\n  option httplog",)
_NGINX_LOG = ("access_log @HOME@/access.log combined buffer=64k flush=1s;", "access_log off;")

TARGETS = {target.name: target for target in (
    Target("lbd", "python", "lbd.toml", _lbd, 'access = "@HOME@/access.log"'),
    Target("haproxy", "haproxy", "haproxy.cfg", _haproxy, *_HAPROXY_LOG),
    Target("nginx", "nginx", "nginx.conf", _nginx, *_NGINX_LOG),
    Target("haproxy-full", "haproxy", "haproxy-full.cfg", _haproxy, *_HAPROXY_LOG),
    Target("nginx-full", "nginx", "nginx-full.conf", _nginx, *_NGINX_LOG),
    Target("caddy", "caddy", "Caddyfile", _caddy),
)}


def program(target: Target, python: str = sys.executable) -> str | None:
    """Where its program is; None when it is not installed."""
    return python if target.program == "python" else find(target.program)


@contextlib.contextmanager
def running(target: Target, servers: Servers, workers: int, cpus: set[int], python: str, home: Path,
            logged: bool = False) -> Iterator[Running]:
    """Start the target before the servers, on these processors, in a directory of its own that goes with it."""
    path = program(target, python)
    if path is None:
        raise StartError(f"{target.program} is not installed")
    directory = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=home))
    try:
        port, tcp, secure = free_port(), free_port(), free_port()
        config = written(target.config, directory, {
            "LOG": target.logs if logged else target.silent,
            "PORT": port, "TCP": tcp, "SECURE": secure, "PEM": certificate(directory),
            "METRICS": free_port(), "A": servers.a, "B": servers.b, "WORKERS": workers,
            "HOME": directory, "USER": user()})
        environment = {"GOMAXPROCS": str(workers), "HOME": str(directory), "PYTHONPATH": str(ROOT)}
        begun = time.monotonic()
        with Process(target.command(path, config), cpus, directory, environment) as process:
            if not poll(lambda: not process.running or answers(port, "/2"), 10) or not process.running:
                raise StartError(process.output() or "no answer within 10 s, and nothing written")
            yield Running(process, port, tcp, secure, time.monotonic() - begun)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def usable(names: list[str], python: str) -> list[Target]:
    """The named targets whose programs are installed."""
    return [TARGETS[name] for name in names if program(TARGETS[name], python)]
