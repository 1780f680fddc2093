"""The cases: what is done to a target, and what is measured of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.bench import clients
from tests.bench.load import MIB, TWELVE, TWO, Load, beside, measure, measure_full
from tests.bench.result import Result, failed
from tests.bench.servers import BODY
from tests.bench.targets import Running

BURST_DEADLINE = 10.0        # seconds
SECURE = "lbd", "haproxy", "nginx"    # who ends TLS in these measurements
RELAYS = "lbd", "haproxy"    # whose configurations have a tcp mode
RUNAWAY = 1536 * MIB         # a proxy that has grown to this holds everything back: stop before the machine suffers


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each measurement lasts, in whole seconds, and on which processors the load runs."""

    seconds: int
    warm: int
    cpus: set[int]


@dataclass(frozen=True, slots=True)
class Case:
    """A case. Without `pinned` proxy, load and servers share all processors. `unit` is that of its own figure.
    `targets`: those that can do it; empty: all. `options`: of the targets, what is on."""

    name: str
    text: str
    run: Callable[[Running, Effort], Result]
    workers: int = 1
    pinned: bool = True
    unit: str = ""
    targets: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def _load(load: Load) -> Callable[[Running, Effort], Result]:
    return lambda target, effort: measure(load, target, effort.seconds, effort.warm, effort.cpus)


def _sticky(target: Running, effort: Effort) -> Result:
    """Every request has the cookie of a server, behind those of the application."""
    cookie = clients.cookie(target.ports["STICKY"], "/12")
    fields = tuple(f"{line}; {cookie}" if line.startswith("Cookie: ") else line for line in TWELVE)
    return measure(Load("/12", fields, listener="STICKY"), target, effort.seconds, effort.warm, effort.cpus)


def _burst(target: Running, effort: Effort) -> Result:
    """The newcomers arrive while the proxy has more to do than it can."""
    busy = Load("/2", connections=1000)
    with beside(busy, target.ports["PORT"], effort.seconds + int(BURST_DEADLINE) + 2, effort.cpus):
        time.sleep(1 + effort.warm)
        seconds, unanswered = clients.burst(target.ports["PORT"], "/2", 500, BURST_DEADLINE)
        rss = sum(target.process.rss()) / MIB
    if unanswered:
        return failed(f"{unanswered} of 500 not answered in {BURST_DEADLINE:.0f} s")
    return Result(figure=seconds, rss=rss)


def _idle(target: Running, effort: Effort) -> Result:
    """The first connections pay for what is allocated once, or live in what the start has left over."""
    number = 5000
    with clients.idle(target.ports["PORT"], "/2", 1000):
        before = sum(target.process.rss())
        with clients.idle(target.ports["PORT"], "/2", number):
            after = sum(target.process.rss())
    return Result(figure=(after - before) / 1024 / number, rss=after / MIB)


def _idle_tls(target: Running, effort: Effort) -> Result:
    number = 5000
    with clients.idle(target.ports["SECURE"], "/2", 500, tls=True):
        before = sum(target.process.rss())
        with clients.idle(target.ports["SECURE"], "/2", number, tls=True):
            after = sum(target.process.rss())
    return Result(figure=(after - before) / 1024 / number, rss=after / MIB)


def _start(target: Running, effort: Effort) -> Result:
    return Result(figure=target.start_seconds, rss=sum(target.process.rss()) / MIB)


def _slow_readers(target: Running, effort: Effort) -> Result:
    peak = total = 0

    def look() -> None:
        nonlocal peak, total
        sizes = target.process.rss()
        peak, total = max(peak, *sizes), max(total, sum(sizes))
        if total > RUNAWAY:
            raise clients.ClientError(f"the proxy has grown to {total // MIB} MiB")

    cut = clients.slow_readers(target.ports["PORT"], "/10m", 200, effort.seconds + 2, look)
    if cut:
        return failed(f"{cut} of 200 readers were cut off")
    return Result(figure=peak / MIB, rss=total / MIB)


CASES = {case.name: case for case in (
    Case("keepalive-2", "64 keep-alive connections, 2 request fields, few response fields", _load(Load("/2"))),
    Case("keepalive-12", "64 keep-alive connections, 12 request and 12 response fields", _load(Load("/12", TWELVE))),
    Case("close", "a new connection for each request, 64 at a time", _load(Load("/2", (*TWO, "Connection: close")))),
    Case("body-10m", "answers of 10 MB, 8 connections", _load(Load("/10m", connections=8, body=BODY))),
    Case("upload-1m", "uploads of 1 MiB, 8 connections", _load(Load("/upload", connections=8, upload=MIB))),
    Case("conns-1000", "1000 keep-alive connections, 12 + 12 fields", _load(Load("/12", TWELVE, connections=1000))),
    Case("tcp-2", "keepalive-2 in tcp mode: small exchanges", _load(Load("/2", listener="TCP")), targets=RELAYS),
    Case("tcp-10m", "body-10m in tcp mode", _load(Load("/10m", connections=8, body=BODY, listener="TCP")),
         targets=RELAYS),
    Case("log", "as keepalive-12, with an access log in a file", _load(Load("/12", TWELVE)), options=("LOG",)),
    Case("post-1k", "as keepalive-12, with bodies of 1 KiB", _load(Load("/12", TWELVE, upload=1024))),
    Case("sticky", "as keepalive-12, a cookie names the server", _sticky, targets=RELAYS),
    Case("edited", "as keepalive-12, five fields are changed and a prefix is taken off",
         _load(Load("/edited/12", TWELVE, listener="EDITED")), targets=SECURE),
    Case("traced", "as keepalive-12, with tracing; one in a hundred is sampled", _load(Load("/12", TWELVE)),
         targets=("lbd",), options=("TRACING",)),
    Case("routes-100", "as keepalive-12, after 100 routes that do not take it",
         _load(Load("/12", TWELVE, listener="ROUTES")), targets=SECURE),
    Case("workers-1", "as keepalive-12, nothing pinned", _load(Load("/12", TWELVE)), pinned=False),
    Case("workers-2", "as keepalive-12, two workers, nothing pinned", _load(Load("/12", TWELVE)), 2, False),
    Case("burst", "1000 busy connections, then 500 new ones at once: until all are answered", _burst, unit="s"),
    Case("idle-5000", "memory of an idle client connection, 5000 of them", _idle, unit="KiB"),
    Case("tls-keepalive", "as keepalive-12, by TLS 1.3", _load(Load("/12", TWELVE, listener="SECURE")), targets=SECURE),
    Case("tls-resumed", "a new TLS 1.3 connection for each request, its session resumed",
         _load(Load("/2", (*TWO, "Connection: close"), listener="SECURE")), targets=SECURE),
    Case("tls-full", "a new TLS 1.3 connection for each request, with a full handshake",
         lambda target, effort: measure_full(target, effort.seconds, effort.warm, effort.cpus), targets=SECURE),
    Case("tls-10m", "answers of 10 MB by TLS 1.3, 8 connections",
         _load(Load("/10m", connections=8, body=BODY, listener="SECURE")), targets=SECURE),
    Case("tls-idle", "memory of an idle TLS connection, 5000 of them", _idle_tls, unit="KiB",
         targets=SECURE),
    Case("start", "from the start of the process to its first answer", _start, unit="s"),
    Case("slow-readers", "200 slow readers of 10 MB: the biggest process", _slow_readers, unit="MiB"),
)}


def run(case: Case, target: Running, effort: Effort) -> Result:
    """The measurement, or what went wrong with it."""
    try:
        result = case.run(target, effort)
    except (OSError, RuntimeError, clients.ClientError) as exc:
        return failed(f"{type(exc).__name__}: {exc}")
    if not target.process.running:
        return replace(result, errors=(*result.errors, f"it ended by itself: {target.process.output(3)}"))
    return result
