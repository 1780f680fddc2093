"""The state at rest: what the daemon must look like when no client is there any more."""

import asyncio
import os
import re
import time
from pathlib import Path
from typing import NamedTuple

from tests.chaos.site import Site
from tests.chaos.verdict import Verdict

SETTLE = 15.0          # seconds in which everything must be back at rest
MORE_FILES = 12        # descriptors that a process may hold beyond its base
MORE_MEMORY = 24.0     # MiB of RSS beyond its base
NOTHING = ("lbd_server_in_flight", "lbd_backend_in_flight", "lbd_backend_queue", "lbd_draining_requests",
           "lbd_listener_connections")


class Process(NamedTuple):
    """A process of the daemon: its role, its descriptors, its RSS in MiB."""

    name: str
    files: int
    memory: float


def footprint(site: Site) -> list[Process]:
    """The supervisor and each worker."""
    found = []
    for name, pid in [("supervisor", site.lbd.pid), *(("worker", pid) for pid in site.lbd.workers())]:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            found.append(Process(name, len(os.listdir(f"/proc/{pid}/fd")), pages * os.sysconf("SC_PAGE_SIZE") / 2**20))
        except OSError:
            continue
    return found


def largest(processes: list[Process]) -> dict[str, Process]:
    """The largest of each name."""
    return {name: Process(name, max(one.files for one in processes if one.name == name),
                          max(one.memory for one in processes if one.name == name))
            for name in {one.name for one in processes}}


async def left(site: Site) -> list[str]:
    """Gauges that are not 0 though nothing is going on."""
    metrics = await asyncio.to_thread(site.lbd.metrics)
    return [line for line in metrics.splitlines()
            if re.match(rf"({'|'.join(NOTHING)})[{{ ]", line) and float(line.rsplit(" ", 1)[1])]


async def settle(site: Site, verdict: Verdict, base: dict[str, Process]) -> dict[str, Process]:
    """Wait until all is at rest, and compare with the base, where there is one; returns how it is now."""
    end = time.monotonic() + SETTLE
    remains: list[str] = []
    while time.monotonic() < end:
        remains = await left(site)
        status = await site.status()
        serving = [worker for worker in status["workers"] if worker["state"] == "serving"]
        registered = [name for backend in status["backends"].values() for name in backend["servers"]
                      if name.startswith("r")]
        remains += [] if len(serving) >= 2 else [f"{len(serving)} workers serve"]
        remains += [f"{name} is still registered" for name in registered]
        now = largest(footprint(site))
        remains += [f"{name}: {one.files} descriptors, {base[name].files} at first" for name, one in now.items()
                    if base and one.files > base[name].files + MORE_FILES]
        if not remains:
            break
        await asyncio.sleep(0.2)
    for what in remains:
        verdict.wrong(f"not at rest: {what}")
    now = largest(footprint(site))
    for name, one in now.items():
        if base and one.memory > base[name].memory + MORE_MEMORY:
            verdict.wrong(f"{name}: {one.memory:.1f} MiB, {base[name].memory:.1f} at first")
    return now
