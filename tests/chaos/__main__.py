"""`python -m tests.chaos`: rounds of faults under load, then calm, then rest, and what must hold in each of them."""

import argparse
import asyncio
import random
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.chaos.clients import Clients
from tests.chaos.faults import FAULTS, storm
from tests.chaos.rest import Process, footprint, settle
from tests.chaos.site import Site
from tests.chaos.verdict import GRACE, Verdict

STORM, CALM = 20.0, 4.0       # seconds of a round


async def rounds(site: Site, clients: Clients, verdict: Verdict, names: list[str], seconds: float, seed: int) -> None:
    """A round is a storm, then a while in which what it explains may end, calm, and rest."""
    dice = random.Random(f"{seed} faults")
    base: dict[str, Process] = {}
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        clients.gate.set()
        if number:      # the first is calm: its footprint is the base
            await storm(site, dice, verdict, names, STORM, 3)
            await asyncio.sleep(GRACE if names else STORM)
        site.clock.jump(0)
        await asyncio.sleep(CALM)
        clients.gate.clear()
        idle = time.monotonic() + 45
        while clients.busy and time.monotonic() < idle:
            await asyncio.sleep(0.05)
        if clients.busy:
            verdict.wrong(f"{clients.busy} clients did not end within 45 s")
        now = await settle(site, verdict, base)
        base = base or now
        verdict.forget()
        tell(site, verdict, number)
        number += 1
        if len(verdict.violations) > 50:
            break


def tell(site: Site, verdict: Verdict, number: int) -> None:
    """A line of progress."""
    shown = ", ".join(f"{one.name} {one.memory:.1f} MiB {one.files} fd" for one in footprint(site))
    served = sum(count for what, count in verdict.done.items() if not what.startswith("fault"))
    print(f"{time.monotonic() - verdict.begun:7.0f} s  round {number}: {served:,} exchanges well, "
          f"{sum(verdict.explained.values()):,} failed by faults, {len(verdict.violations)} violations; {shown}",
          flush=True)


async def run(minutes: float, seed: int, names: list[str], workers: int, keep: str) -> int:
    """Everything; returns the exit code."""
    verdict, site = Verdict(), Site(workers)
    await site.open()
    clients = Clients(verdict, seed, *(site.lbd.port(name) for name in ("plain", "secure", "tcp")), site.trust())
    tasks = [asyncio.ensure_future(loop) for loop in clients.loops()]
    try:
        await rounds(site, clients, verdict, names, minutes * 60, seed)
        begun = time.monotonic()
        code = await site.close()
        if code or time.monotonic() - begun > 8:
            verdict.wrong(f"the end took {time.monotonic() - begun:.1f} s, exit code {code}")
    finally:
        for task in tasks:
            task.cancel()
        log = site.lbd.log()
        access = [line for file in site.directory.glob("access*") for line in file.read_text("latin-1").splitlines()]
        if keep:
            Path(keep).write_text(log)
        site.remove()
    for line in log.splitlines():
        if "Traceback" in line or "broke" in line:
            verdict.wrong(f"in the log: {line[:300]}")
    for what, count in sorted(verdict.done.items()) + sorted(verdict.explained.items()):
        print(f"{count:10,}  {what}")
    for what in verdict.violations:
        print(f"VIOLATION {what}")
        for line in access:
            if (found := re.search('"id":"([0-9a-f]{32})"', line)) and found[1] in what:
                print(f"          {line}")
    print(f"{len(verdict.violations)} violations; seed {seed}")
    return 1 if verdict.violations else 0


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="how long (default: 2)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of all that is random")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (default: 2)")
    parser.add_argument("--faults", default=",".join(FAULTS), help=f"which: {', '.join(FAULTS)}; none: a soak")
    parser.add_argument("--log", default="", metavar="FILE", help="keep what the daemon logged here")
    asked = parser.parse_args()
    names = [] if asked.faults == "none" else asked.faults.split(",")
    if unknown := set(names) - FAULTS.keys():
        parser.error(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    print(f"seed {asked.seed}", flush=True)
    with suppress(KeyboardInterrupt):
        return asyncio.run(run(asked.minutes, asked.seed, names, asked.workers, asked.log))
    return 130


if __name__ == "__main__":
    sys.exit(main())
