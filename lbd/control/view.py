"""The view: what the exporter is told of the things that exist now, besides the scoreboard's own figures."""

import os
import platform
from collections.abc import Collection

from lbd import __version__
from lbd.backend.generation import Member
from lbd.control.machine import Machine
from lbd.control.scores import scores
from lbd.stats.exporter import ServerView, View


def look(machine: Machine, reload_success: bool, reload_time: float, kernels: str,
         refused: Collection[str] = ()) -> View:
    """Everything that has a series now; nothing before the first generation. `refused` are included files whose last
    good version stands in for them."""
    build = {"version": __version__, "python": platform.python_version(), "kernels": kernels}
    generation = machine.generation
    if generation is None:
        return View(0, build=build)
    members = machine.roster.members(generation.config)
    score = scores(machine.board, generation, members)
    return View(
        generation=generation.number,
        servers=[_server(machine, member, score.get(member.slot)) for group in members.values() for member in group],
        listeners=generation.listeners,
        backends=generation.backends,
        routes=generation.routes,
        reload_success=reload_success,
        reload_time=reload_time,
        workers=len(machine.fleet.serving()),
        restarts=machine.fleet.restarts,
        files=len(os.listdir("/proc/self/fd")),
        log_lost=machine.access.lost,
        build=build,
        refused=sorted(refused),
    )


def _server(machine: Machine, member: Member, score: float | None) -> ServerView:
    judgement = machine.schedule.of((member.backend, member.name, str(member.address)))
    checks = {} if judgement is None else {
        "passed": judgement.passes, "failed": judgement.failures, "skipped": judgement.skipped}
    return ServerView(
        backend=member.backend,
        name=member.name,
        slot=member.slot,
        state=member.health if member.mode == "ready" else member.mode,
        up=member.mode == "ready" and member.health == "up",
        weight=member.weight,
        check_seconds=judgement.seconds if judgement is not None and judgement.passes + judgement.failures else None,
        checks=checks,
        score=score,
        ejections=machine.ejection.counts((member.backend, member.name, str(member.address))),
    )
