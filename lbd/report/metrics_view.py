"""The view: what the exporter is told of the things that exist now, besides the scoreboard's own figures."""

import os
import platform
from collections.abc import Collection

from lbd import __version__
from lbd.backend.snapshot import Endpoint
from lbd.backend.state import available
from lbd.generation.certificates import shown
from lbd.generation.control_plane import ControlPlane
from lbd.generation.reload_record import ReloadRecord
from lbd.generation.worker_count import worker_count
from lbd.report.footprint import footprint
from lbd.report.least_time_scores import scores
from lbd.stats.exporter import ProcessView, ServerView, View


def look(plane: ControlPlane, reloads: ReloadRecord, kernels: str, refused: Collection[str] = (),
         dropped: int = 0) -> View:
    """Everything that has a series now; nothing before the first generation. `refused` are included files whose last
    good version stands in for them, `dropped` lines of the daemon's own log that could not be written."""
    build = {"version": __version__, "python": platform.python_version(), "kernels": kernels}
    generation = plane.in_force.generation
    if generation is None:
        return View(0, build=build)
    endpoints = plane.servers.endpoints.by_backend(generation.config)
    score = scores(plane.board, generation, endpoints)
    return View(
        generation=generation.number,
        servers=[_server(plane, endpoint, score.get(endpoint.slot))
                 for group in endpoints.values() for endpoint in group],
        listeners=generation.listeners,
        backends=generation.backends,
        routes=generation.routes,
        reload_success=reloads.last["success"],
        reload_time=reloads.attempted,
        reloads=reloads.counts,
        workers=len(plane.fleet.serving()),
        processes=_processes(plane),
        restarts={str(slot): plane.fleet.slots.restarts_of[slot] for slot in range(worker_count(generation.config))},
        histograms=plane.board.per_server,
        log_lost=plane.access_log.lost,
        own_log_dropped=dropped,
        spans_lost=plane.tracing.lost,
        draining=_draining(plane),
        tasks=len(plane.tasks),
        lookups=plane.servers.resolver.counts,
        unresolved=plane.servers.resolver.unresolved,
        build=build,
        certificates=[(one.place[1], one.path, one.ends) for one in shown(generation.credentials)
                      if one.place[0] == "listeners"],
        refused=sorted(refused),
    )


def _draining(plane: ControlPlane) -> int:
    """Requests in flight to servers that were removed or are drained, and those of workers that end."""
    leaving = {process.lane for process in plane.fleet.processes() if process.draining}
    return plane.rows.draining(leaving | set(plane.predecessor.workers.values()))


def _processes(plane: ControlPlane) -> list[ProcessView]:
    """The supervisor, and the workers that serve: one that drains beside its successor would have the same name."""
    found = [ProcessView("supervisor", None, *(footprint(os.getpid()) or ()))]
    for process in plane.fleet.serving():
        used = footprint(process.pid)
        if used is not None:
            found.append(ProcessView(str(process.slot), process.lane, *used))
    return found


def _server(plane: ControlPlane, endpoint: Endpoint, score: float | None) -> ServerView:
    judgement = plane.servers.schedule.of(endpoint.identity)
    checks = {} if judgement is None else {
        "passed": judgement.passes, "failed": judgement.failures, "skipped": judgement.skipped}
    return ServerView(
        backend=endpoint.backend,
        name=endpoint.name,
        slot=endpoint.slot,
        state=endpoint.health if endpoint.mode == "ready" else endpoint.mode,
        up=available(endpoint),
        weight=endpoint.weight,
        check_seconds=judgement.seconds if judgement is not None and judgement.passes + judgement.failures else None,
        checks=checks,
        score=score,
        max_connections=endpoint.max_conns,
        ejections=plane.servers.ejection.counts(endpoint.identity),
    )
