"""The proxies that are measured: how each is configured and started."""

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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

    `options` are the places in it for what a case may ask for, with the text that says so and the one that does not.
    """

    name: str
    program: str
    config: str
    command: Callable[[str, Path], list[str]]
    options: Mapping[str, tuple[str, str]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Running:
    """A target that answers on 127.0.0.1 at `ports`, by the names of LISTENERS; it need not have all of them.
    `start_seconds` from its exec to the first answer."""

    process: Process
    ports: Mapping[str, int]
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


_LBD = {
    "LOG": ('access = "@HOME@/access.log"', ""),
    "TRACING": ('[tracing]\nenabled = true\nsample = "1%"\nendpoint = "http://127.0.0.1:@A@/upload"', ""),
}
_HAPROXY = {"LOG": ("log stdout format raw local0\n  option httplog", "")}
_NGINX = {"LOG": ("access_log @HOME@/access.log combined buffer=64k flush=1s;", "access_log off;")}
_ROUTES = {     # the form of each of a hundred routes
    "lbd": '[[listeners.routes.routes]]\npath_prefix = "/{}/"\nbackend = "app"\n',
    "haproxy": "  use_backend app if {{ path_beg /{}/ }}\n",
    "nginx": "    location /{}/ {{ proxy_pass http://app; }}\n",
}

# PORT: plain HTTP; TCP: bytes as they are; SECURE: TLS; STICKY: a cookie names the server; EDITED: a prefix is taken
# off below /edited/, three fields of requests and two of responses are changed; ROUTES: a hundred of them, in vain.
LISTENERS = ("PORT", "TCP", "SECURE", "STICKY", "EDITED", "ROUTES")

TARGETS = {target.name: target for target in (
    Target("lbd", "python", "lbd.toml", _lbd, _LBD),
    Target("haproxy", "haproxy", "haproxy.cfg", _haproxy, _HAPROXY),
    Target("nginx", "nginx", "nginx.conf", _nginx, _NGINX),
    Target("haproxy-full", "haproxy", "haproxy-full.cfg", _haproxy, _HAPROXY),
    Target("nginx-full", "nginx", "nginx-full.conf", _nginx, _NGINX),
    Target("caddy", "caddy", "Caddyfile", _caddy),
)}


def program(target: Target, python: str = sys.executable) -> str | None:
    """Where its program is; None when it is not installed."""
    return python if target.program == "python" else find(target.program)


@contextlib.contextmanager
def running(target: Target, servers: Servers, workers: int, cpus: set[int], python: str, home: Path,
            options: Sequence[str] = ()) -> Iterator[Running]:
    """Start the target before the servers, on these processors, in a directory of its own that goes with it, with
    those of its options."""
    path = program(target, python)
    if path is None:
        raise StartError(f"{target.program} is not installed")
    directory = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=home))
    try:
        ports = {name: free_port() for name in LISTENERS}
        config = written(target.config, directory, {
            **{name: texts[name not in options] for name, texts in target.options.items()}, **ports,
            "HUNDRED": "".join(_ROUTES.get(target.name, "").format(f"route-{number}") for number in range(100)),
            "PEM": certificate(directory), "METRICS": free_port(), "A": servers.a, "B": servers.b, "WORKERS": workers,
            "HOME": directory, "USER": user()})
        environment = {"GOMAXPROCS": str(workers), "HOME": str(directory), "PYTHONPATH": str(ROOT)}
        begun = time.monotonic()
        with Process(target.command(path, config), cpus, directory, environment) as process:
            if not poll(lambda: not process.running or answers(ports["PORT"], "/2"), 30) or not process.running:
                raise StartError(process.output() or "no answer within 30 s, and nothing written")
            yield Running(process, ports, time.monotonic() - begun)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def usable(names: list[str], python: str) -> list[Target]:
    """The named targets whose programs are installed."""
    return [TARGETS[name] for name in names if program(TARGETS[name], python)]
