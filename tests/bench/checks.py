"""Processor time of checking a thousand servers every second: `python -m tests.bench.checks`."""

import argparse
import asyncio
import multiprocessing
import os
import sys
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import uvloop

from lbd.health import CHECKS
from lbd.health.schedule import Schedule, Target
from lbd.net.tasks import Tasks
from lbd.schema import HealthPolicy
from lbd.schema.units import Address

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SETTLE = 2.0        # seconds before the measurement, for the first round


class Echo(asyncio.Protocol):
    """Answers every read with the same response."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(ANSWER)
        if b"\r\nConnection: close\r\n" in data:
            self.transport.close()


async def _serve(pipe: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, backlog=4096)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def serve(pipe: Connection) -> None:
    """The servers: one port for all, in a process of its own."""
    uvloop.run(_serve(pipe))


async def measure(kind: str, port: int, servers: int, seconds: float, options: Mapping[str, Any]) -> tuple[float, int]:
    """Share of one processor that the checks need, and how many there were."""
    tasks = Tasks(lambda name, error: print(name, repr(error), file=sys.stderr))
    schedule = Schedule(tasks, {name: check.check for name, check in CHECKS.items()}, lambda key, judgement: None)
    policy = HealthPolicy(type=kind, interval=1.0, options=CHECKS[kind].Options(**options))
    targets = {("app", str(number), "x"): Target(Address("127.0.0.1", port), policy) for number in range(servers)}
    schedule.watch_targets(targets)
    await asyncio.sleep(SETTLE)
    before, began, counted = time.process_time(), time.monotonic(), _checks(schedule, targets)
    await asyncio.sleep(seconds)
    spent, passed = time.process_time() - before, time.monotonic() - began
    done = _checks(schedule, targets) - counted
    wrong = [key for key in targets if (known := schedule.judgement_of(key)) is None or known.health != "up"]
    if wrong:
        why = schedule.judgement_of(wrong[0])
        print(f"{len(wrong)} servers are not up: {why.reason if why else None}", file=sys.stderr)
    await tasks.cancel()
    return spent / passed, done


def _checks(schedule: Schedule, targets: dict[tuple[str, str, str], Target]) -> int:
    return sum(known.passes + known.failures for key in targets if (known := schedule.judgement_of(key)) is not None)


def main() -> int:
    """Measure each way of checking once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=8.0)
    args = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    port = ours.recv()
    ways: tuple[tuple[str, Mapping[str, Any]], ...] = (("http", {}), ("http", {"keep_alive": True}), ("tcp", {}))
    for kind, options in ways:
        share, done = uvloop.run(measure(kind, port, args.servers, args.seconds, options))
        print(f"{kind:5} {options or 'fresh connections'!s:24} {share:6.1%} of a processor, {done} checks, "
              f"{share * args.seconds / max(done, 1) * 1e6:.0f} us each")
    process.terminate()
    process.join()
    return 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
