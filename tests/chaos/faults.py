"""The faults, each a line of a table: what is done, how long, and which failures of clients it explains."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from tests.chaos.origins import MODES, Origin
from tests.chaos.site import ALGORITHMS, Site
from tests.chaos.verdict import Verdict

SERVER = "502 503 504 eof cut reset"        # words of failures: statuses, ends of connections
WORKER = "eof cut reset refused tls timeout"


class Fault(NamedTuple):
    """`make` does it and returns when it is over; `causes` are the failures that it may bring."""

    make: Callable[[Site, random.Random, Verdict], Awaitable[None]]
    causes: str
    often: int


async def kill_worker(site: Site, dice: random.Random, verdict: Verdict) -> None:
    """SIGKILL; another worker comes in its place."""
    pids = site.lbd.workers()
    victim = dice.choice(pids)
    with suppress(AssertionError, ProcessLookupError):
        site.lbd.signal_worker(victim, signal.SIGKILL)
    await asyncio.sleep(dice.uniform(0.2, 2))


async def stop_worker(site: Site, dice: random.Random, verdict: Verdict) -> None:
    """SIGSTOP: it stands still, and is replaced for it."""
    victim = dice.choice(site.lbd.workers())
    with suppress(AssertionError, ProcessLookupError):
        site.lbd.signal_worker(victim, signal.SIGSTOP)
    end = time.monotonic() + 20
    while victim in site.lbd.workers():
        if time.monotonic() > end:
            verdict.wrong(f"worker {victim} stood still for 20 s and was not replaced")
            return
        await asyncio.sleep(0.2)


def take(site: Site, dice: random.Random) -> Origin | None:
    """A server to do something to; at least half of its backend are left alone."""
    kind = dice.choice((site.origins, site.echoes))
    hurt = [origin for origin in kind if origin.name in site.afflicted]
    well = [origin for origin in kind if origin.name not in site.afflicted]
    return dice.choice(well) if len(hurt) < len(kind) // 2 else None


async def kill_server(site: Site, dice: random.Random, verdict: Verdict) -> None:
    """Its port closes, its connections are reset; later it listens again."""
    origin = take(site, dice)
    if origin is None:
        return
    site.afflicted.add(origin.name)
    await origin.stop()
    await asyncio.sleep(dice.uniform(0.1, 4))
    await origin.start()
    site.afflicted.discard(origin.name)


async def spoil_server(site: Site, dice: random.Random, verdict: Verdict) -> None:
    """It stalls, resets, breaks off, answers nonsense or slowly, to checks too."""
    origin = take(site, dice)
    if origin is None:
        return
    site.afflicted.add(origin.name)
    origin.mode = dice.choice(MODES[1:])
    await asyncio.sleep(dice.uniform(0.5, 4))
    origin.mode = "ok"
    site.afflicted.discard(origin.name)


async def fail_checks(site: Site, dice: random.Random, verdict: Verdict) -> None:
    """Checks are told that it is sick, while it serves on: no client may notice."""
    origin = take(site, dice)
    if origin is None or origin in site.echoes:
        return
    site.afflicted.add(origin.name)
    origin.well = False
    await asyncio.sleep(dice.uniform(0.5, 3))
    origin.well = True
    site.afflicted.discard(origin.name)


async def reload(site: Site, dice: random.Random, verdict: Verdict) -> None:
    """Another algorithm, other weights, a server more or less."""
    site.algorithm = dice.choice(ALGORITHMS)
    name = dice.choice("abcde")
    if name in site.weights and len(site.weights) > 3:
        del site.weights[name]
    else:
        site.weights[name] = dice.randint(1, 5)
    await site.reload(dice)


async def break_file(site: Site, dice: random.Random, verdict: Verdict) -> None:
    """A broken file changes nothing."""
    if problem := await site.break_file():
        verdict.wrong(problem)


async def register(site: Site, dice: random.Random, verdict: Verdict) -> None:
    """A server registers itself, repeats it, and leaves by itself or by silence."""
    path = f"/v1/backends/app/servers/r{dice.randint(1, 5)}"
    for _ in range(dice.randint(1, 4)):
        code, found = await site.ask("PUT", path, {"address": f"127.0.0.1:{site.extra.port}", "ttl": "2s"})
        if code not in (200, 201, 409, 503):
            verdict.wrong(f"a registration was answered {code}: {found}")
        await asyncio.sleep(0.7)
    if dice.random() < 0.6:
        await site.ask("DELETE", f"{path}?wait=1s")


async def steer(site: Site, dice: random.Random, verdict: Verdict) -> None:
    """An operator drains a server, takes it out or weighs it, and takes that back."""
    name = dice.choice(sorted(site.weights))
    path = f"/v1/backends/app/servers/{name}"
    change = dice.choice(({"mode": "drain"}, {"mode": "maint"}, {"weight": dice.randint(0, 9)}))
    code, found = await site.ask("PATCH", path, {**change, "for": "30s"})
    if code not in (200, 404, 409):
        verdict.wrong(f"{change} was answered {code}: {found}")
    await asyncio.sleep(dice.uniform(0.2, 2))
    await site.ask("DELETE", "/v1/overrides")


async def renew(site: Site, dice: random.Random, verdict: Verdict) -> None:
    """Another certificate."""
    async with site.lock:
        await asyncio.to_thread(site.renew)


async def jump(site: Site, dice: random.Random, verdict: Verdict) -> None:
    """The wall clock jumps, by seconds or by years."""
    site.clock.jump(dice.choice((0, -5, 60, 3600, -86_400, 86_400 * 400)))


async def rotate(site: Site, dice: random.Random, verdict: Verdict) -> None:
    """The access log is moved away and opened anew."""
    log = site.directory / "access.log"
    with suppress(FileNotFoundError):
        log.rename(site.directory / f"access.{time.monotonic():.0f}.log")
    site.lbd.send(signal.SIGUSR1)


FAULTS: Mapping[str, Fault] = {
    "kill-worker": Fault(kill_worker, WORKER, 2),
    "stop-worker": Fault(stop_worker, WORKER, 1),
    "kill-server": Fault(kill_server, SERVER, 4),
    "spoil-server": Fault(spoil_server, SERVER, 4),
    "fail-checks": Fault(fail_checks, "", 2),
    "reload": Fault(reload, "cut", 4),
    "break-file": Fault(break_file, "", 2),
    "register": Fault(register, "cut", 3),
    "steer": Fault(steer, "", 3),
    "renew": Fault(renew, "", 2),
    "jump": Fault(jump, "", 2),
    "rotate": Fault(rotate, "", 1),
}


async def storm(site: Site, dice: random.Random, verdict: Verdict, names: list[str], seconds: float,
                at_once: int) -> None:
    """Faults at random, so many at a time, for so long; returns when all of them are over."""
    lots = [name for name in names for _ in range(FAULTS[name].often)]
    end = time.monotonic() + seconds

    async def one() -> None:
        while lots and time.monotonic() < end:
            name = dice.choice(lots)
            fault = FAULTS[name]
            with verdict.fault(name, fault.causes):
                try:
                    await fault.make(site, dice, verdict)
                except Exception as error:
                    verdict.wrong(f"{name}: the daemon could not be asked: {error!r}")
            verdict.done[f"fault {name}"] += 1
            await asyncio.sleep(dice.uniform(0.1, 1))

    await asyncio.gather(*(one() for _ in range(at_once)))
