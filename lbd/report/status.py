"""The status of the daemon as JSON, for `GET /v1/status`."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from lbd.backend.snapshot import Endpoint, Generation
from lbd.generation.certificates import shown
from lbd.generation.control_plane import ControlPlane
from lbd.log.moment import moment
from lbd.report.trend import STEP, Trend, TrendSeries, route_codes
from lbd.schema import Config
from lbd.schema.units import Address
from lbd.stats import fields, scoreboard
from lbd.tls import tickets
from lbd.tls.credentials import Place
from lbd.workers.worker_process import WorkerProcess


def describe(plane: ControlPlane, trend: Trend | None = None, history: bool = False) -> dict[str, Any]:
    """Generation, workers, listeners, and backends with their servers; empty before the first generation.

    With a trend, also rates, and since when servers are as they are; with `history` the samples of two minutes.
    """
    trend = trend or Trend()
    generation = plane.in_force.generation
    if generation is None:
        return {"generation": 0, "workers": [], "listeners": {}, "backends": {}}
    config = generation.config
    told = plane.servers.endpoints.by_backend(config)
    return {
        "generation": min([generation.number, *(process.generation.number for process in plane.fleet.serving()
                                                if process.generation is not None)]),     # that all workers have
        "workers": [_worker(plane, process) for process in plane.fleet.processes()],
        "worker_restarts": plane.fleet.slots.restarts,
        "listeners": _listeners(plane, generation, trend),
        "backends": {name: backend(plane, config, name, told[name], trend, history) for name in config.backends},
        "draining": _draining(plane, told),
    }


def backend(plane: ControlPlane, config: Config, name: str, endpoints: Iterable[Endpoint], trend: Trend | None = None,
            history: bool = False) -> dict[str, Any]:
    """A backend with its servers."""
    trend = trend or Trend()
    series = trend.series_of(scoreboard.BACKEND, name)
    return {
        "algorithm": config.backends[name].algorithm.name,
        "requests_per_second": round(series.rate, 2),
        "errors_per_second": round(series.error_rate, 2),
        "requests_in_flight": int(_total(plane, scoreboard.BACKEND, name, fields.BACKEND_IN_FLIGHT)),
        "requests_waiting": int(_total(plane, scoreboard.BACKEND, name, fields.BACKEND_QUEUE)),
        "servers": {
            endpoint.name: _server(plane, config, endpoint, trend.series_of(scoreboard.SERVER, endpoint.identity),
                                   history)
            for endpoint in endpoints},
    }


def _worker(plane: ControlPlane, process: WorkerProcess) -> dict[str, Any]:
    row = plane.board.row(process.lane, scoreboard.PROCESS, 0)
    state = "draining" if process.draining else "serving" if process.generation is not None else "starting"
    return {
        "slot": process.slot,
        "pid": process.pid,
        "state": state,
        "generation": process.generation.number if process.generation is not None else 0,
        "connections": int(row.get(fields.PROCESS_CONNECTIONS)),
        "requests": int(plane.fleet.lanes.requests_served(process.lane)),
        "uptime_seconds": round(process.age(), 3),
    }


def _listeners(plane: ControlPlane, generation: Generation, trend: Trend) -> dict[str, Any]:
    addresses = plane.sockets.addresses()
    found = {}
    for name, listener in generation.config.listeners.items():
        slots = [slot for (owner, _), slot in generation.routes.items() if owner == name]
        found[name] = {
            "mode": listener.mode,
            "bind": [str(address) for address in addresses.get(name, [])],
            "connections": int(_total(plane, scoreboard.LISTENER, name, fields.LISTENER_CONNECTIONS)),
            "accepted": int(_total(plane, scoreboard.LISTENER, name, fields.LISTENER_ACCEPTED)),
            "requests_per_second": round(trend.series_of(scoreboard.LISTENER, name).rate, 2),
            "codes": _codes(route_codes(plane, slots)),
        }
        if listener.tls is not None:
            found[name]["tls"] = _tls(plane, generation, ("listeners", name))
    return found


def _tls(plane: ControlPlane, generation: Generation, place: Place) -> dict[str, Any]:
    """Certificates in force, why the files are not in force as they are now ("": they are), and who takes tickets."""
    return {
        "certificates": [{"file": found.path, "names": list(found.names), "expires": moment(found.ends)}
                         for found in shown(generation.credentials) if found.place == place],
        "refused": plane.materials.certificates.refused.get(place, ""),
        "tickets": "shared by the workers" if tickets.works() else "per worker",
    }


def _server(plane: ControlPlane, config: Config, endpoint: Endpoint, series: TrendSeries, history: bool
            ) -> dict[str, Any]:
    board = plane.board
    totals = board.totals(scoreboard.SERVER, endpoint.slot)
    latency = board.latency(endpoint.slot)
    requests = totals[fields.SERVER_REQUESTS:fields.SERVER_REQUESTS + len(fields.CODES)]
    judgement = plane.servers.schedule.judgement_of(endpoint.identity)
    return {
        "address": str(endpoint.address),
        **_named(plane, config, endpoint),
        "health": endpoint.health,
        "reason": plane.servers.endpoints.health_reason(config, endpoint),
        "since": then(series.since) if series.since else None,
        "checked": then(judgement.checked) if judgement is not None and judgement.checked else None,
        "mode": endpoint.mode,
        "cut_at": then(endpoint.cut) if endpoint.cut else None,
        "weight": endpoint.weight,
        "backup": endpoint.backup,
        "in_flight": board.in_flight(endpoint.slot),
        "max_conns": endpoint.max_conns or None,
        "connections": int(totals[fields.SERVER_CONNECTIONS]),
        "requests": int(sum(requests)),
        "requests_per_second": round(series.rate, 2),
        "errors_per_second": round(series.error_rate, 2),
        "codes": _codes(requests),
        "connection_errors": int(totals[fields.SERVER_CONNECTION_ERRORS]),
        "latency_seconds": round(latency, 6) if latency >= 0 else None,
        **({"history": _history(series)} if history else {}),
    }


def _named(plane: ControlPlane, config: Config, endpoint: Endpoint) -> dict[str, Any]:
    """The facts about the host name of a server, none without: the name, all addresses that the server could be at, the
    one to use first in front, and why the last look-up brought nothing ("": it did)."""
    name, resolver = endpoint.host, plane.servers.resolver
    if not name or Address(name).literal:
        return {}
    each = config.backends[endpoint.backend].resolve_all and endpoint.address.literal
    return {"host": name, "addresses": [endpoint.address.host] if each else list(resolver.addresses_of(name)),
            "lookup_failure": resolver.failure_of(name)}


def _history(series: TrendSeries) -> dict[str, Any]:
    return {
        "step_seconds": STEP,
        "latency_seconds": [None if value is None else round(value, 6) for value in series.latencies],
        "requests_per_second": [round(value, 2) for value in series.rates],
        "errors_per_second": [round(value, 2) for value in series.errors],
    }


def _draining(plane: ControlPlane, told: Mapping[str, Iterable[Endpoint]]) -> list[dict[str, Any]]:
    """Servers that the configuration does not have any more, as long as they have work."""
    there = {endpoint.identity for group in told.values() for endpoint in group}
    owners = plane.slots.owners(scoreboard.SERVER)
    found = []
    for owner, slot in owners.items():
        if isinstance(owner, tuple) and owner not in there and (requests := plane.board.in_flight(slot)):
            found.append({"backend": owner[0], "name": owner[1], "address": owner[2], "in_flight": requests})
    return found


def _codes(counts: Iterable[float]) -> dict[str, int]:
    return {code: int(count) for code, count in zip(fields.CODES, counts, strict=True) if count}


def _total(plane: ControlPlane, kind: int, name: str, field: int) -> float:
    return plane.board.total(kind, plane.slots.allocate(kind, name), field)


def then(steady: float) -> str:
    """A point in time of the monotonic clock, by the wall clock as it is set now."""
    return moment(time.time() - (time.monotonic() - steady))
