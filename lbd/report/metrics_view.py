"""The view: everything that has metrics now, and the figures of the supervisor, for the exporter."""

import os
import platform
from collections.abc import Collection, Mapping

from lbd import __version__
from lbd.backend.snapshot import Endpoint
from lbd.backend.state import available
from lbd.generation.certificates import shown
from lbd.generation.control_plane import ControlPlane
from lbd.generation.worker_count import worker_count
from lbd.reload.reload_record import ReloadRecord
from lbd.report.footprint import footprint
from lbd.report.least_time_scores import scores
from lbd.stats.view import ProcessView, ServerView, View


def make_view(plane: ControlPlane, reloads: ReloadRecord, kernels: str, refused: Collection[str] = (),
              dropped: int = 0) -> View:
    """The view of everything that has a series now; empty before the first generation. `refused` are included files
    whose last good version is in force instead, `dropped` the number of lost lines of the daemon's own log."""
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
        processes=_processes(plane),
        daemon={
            "lbd_worker_restarts": {(str(slot),): plane.fleet.slots.restarts_of[slot]
                                    for slot in range(worker_count(generation.config))},
            "lbd_config_last_reload_success": reloads.last["success"],
            "lbd_config_last_reload_timestamp_seconds": reloads.attempted,
            "lbd_workers": len(plane.fleet.serving()),
            "lbd_draining_requests": _draining(plane),
            "lbd_supervisor_tasks": len(plane.tasks),
            "lbd_names_unresolved": plane.servers.resolver.unresolved,
            "lbd_config_reloads": _by_label(reloads.counts),
            "lbd_name_lookups": _by_label(plane.servers.resolver.counts),
            "lbd_certificate_expiry_timestamp_seconds": {
                (certificate.place[1], certificate.path): certificate.ends
                for certificate in shown(generation.credentials) if certificate.place[0] == "listeners"},
            "lbd_config_file_refused": dict.fromkeys(((file,) for file in sorted(refused)), 1.0),
            "lbd_log_lines_lost": plane.access_log.lost,
            "lbd_daemon_log_lines_dropped": dropped,
            "lbd_spans_lost": plane.tracing.lost,
        },
        histograms=plane.board.per_server,
        build=build,
    )


def _by_label(counts: Mapping[str, int]) -> dict[tuple[str, ...], float]:
    return {(value,): count for value, count in counts.items()}


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
    judgement = plane.servers.schedule.judgement_of(endpoint.identity)
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
        ejections=plane.servers.ejection.decisions_of(endpoint.identity),
    )
