"""Load by wrk: what it sends, what it counted, and what that cost the proxy."""

import contextlib
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.bench.machine import busy, find
from tests.bench.result import Result, failed
from tests.bench.servers import CONFIGS
from tests.bench.targets import Running

MIB = 2**20

# With Host, which wrk adds: two, and twelve, as a browser sends them.
TWO = ("Accept: */*",)
TWELVE = (
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Encoding: gzip, deflate, br",
    "Accept-Language: en-US,en;q=0.5",
    "Cache-Control: max-age=0",
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
    "DNT: 1",
    "Referer: http://bench.example/start",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
)


@dataclass(frozen=True, slots=True)
class Load:
    """A kind of load. `upload` bytes are sent with each request; `body` is the size of an answer that is so big
    that a fraction of it counts. `listener` is one of LISTENERS: of SECURE new connections resume a session."""

    path: str
    fields: tuple[str, ...] = TWO
    connections: int = 64
    upload: int = 0
    body: int = 0
    listener: str = "PORT"


def _command(load: Load, port: int, seconds: int) -> list[str]:
    wrk = find("wrk")
    if not wrk:
        raise SystemExit("wrk is not installed: the benchmark needs it to make load")
    fields = [part for field in ("Host: bench.example", *load.fields) for part in ("-H", field)]
    return [wrk, "-t", "1", "-c", str(load.connections), "-d", f"{seconds}s", "--timeout", "5s", *fields,
            "-s", str(CONFIGS / "wrk.lua"), f"{'https' if load.listener == 'SECURE' else 'http'}://127.0.0.1:{port}{load.path}",
            *(["--", str(load.upload)] if load.upload else [])]


def _counted(output: str) -> dict[str, Any]:
    for line in output.splitlines():
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    raise RuntimeError(f"wrk counted nothing:\n{output}")


@contextlib.contextmanager
def _wrk(load: Load, port: int, seconds: int, cpus: set[int]) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(_command(load, port, seconds), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def run(load: Load, port: int, seconds: int, cpus: set[int]) -> dict[str, Any]:
    """Load the port for whole seconds; what wrk counted."""
    with _wrk(load, port, seconds, cpus) as process:
        return _counted(process.communicate(timeout=seconds + 30)[0])


@contextlib.contextmanager
def beside(load: Load, port: int, seconds: int, cpus: set[int]) -> Iterator[None]:
    """Load the port while the block runs."""
    with _wrk(load, port, seconds, cpus):
        yield


def measure(load: Load, target: Running, seconds: int, warm: int, cpus: set[int]) -> Result:
    """Warm up, then load the target and say what each request cost it."""
    port = target.ports[load.listener]
    if warm:
        run(load, port, warm, cpus)
    own = target.process.cpus if not target.process.cpus & cpus else set()      # a processor of its own, or none
    begun, before, busy_before = time.monotonic(), target.process.usage(), busy(own)
    counted = run(load, port, seconds, cpus)
    spent, elapsed = target.process.usage() - before, time.monotonic() - begun
    others = 100 * max(0.0, busy(own) - busy_before - spent.ns / 1e9) / elapsed if own else None
    requests = counted["bytes"] / load.body if load.body else counted["requests"]
    if not requests:
        return failed("no request was answered")
    cpu = spent.ns / requests / 1000
    errors = tuple(f"{number} {kind} errors" for kind, number in counted["errors"].items() if number)
    return Result(
        per_second=requests / counted["seconds"], cpu=cpu, user=cpu * spent.user_share,
        system=cpu * (1 - spent.user_share), p50=counted["p50"] / 1000, p99=counted["p99"] / 1000,
        others=others, rss=sum(target.process.rss()) / MIB, errors=errors)


def _ab(ab: str, port: int, seconds: int, cpus: set[int]) -> "subprocess.CompletedProcess[str]":
    command = [ab, "-q", "-t", str(seconds), "-n", "10000000", "-c", "16", "-f", "TLS1.3", "-H", "Host: bench.example",
               f"https://127.0.0.1:{port}/2"]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30,
                          preexec_fn=lambda: os.sched_setaffinity(0, cpus))


def measure_full(target: Running, seconds: int, warm: int, cpus: set[int]) -> Result:
    """Warm up, then load the target with new connections by TLS 1.3, each with a full handshake, made by ab: wrk
    cannot but resume."""
    ab = find("ab")
    if not ab:
        return failed("ab is not installed: nothing else makes full handshakes")
    if warm:
        _ab(ab, target.ports["SECURE"], warm, cpus)
    before = target.process.usage()
    found = _ab(ab, target.ports["SECURE"], seconds, cpus)
    spent = target.process.usage() - before
    figures = dict(re.findall(r"^(Complete requests|Failed requests|Requests per second): +([0-9.]+)", found.stdout,
                              re.MULTILINE))
    requests = int(figures.get("Complete requests", 0))
    if not requests:
        return failed(f"no request was answered: {found.stderr[:200]}")
    cpu = spent.ns / requests / 1000
    bad = int(figures.get("Failed requests", 0))
    return Result(per_second=float(figures["Requests per second"]), cpu=cpu, user=cpu * spent.user_share,
                  system=cpu * (1 - spent.user_share), rss=sum(target.process.rss()) / MIB,
                  errors=(f"{bad} failed requests",) if bad else ())
