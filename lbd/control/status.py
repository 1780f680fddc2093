"""The status: everything that is now, put together for `GET /v1/status`."""

import time
from collections.abc import Iterable
from typing import Any

from lbd.backend.generation import Member
from lbd.config.schema import Config
from lbd.control.machine import Machine
from lbd.control.process import Process
from lbd.stats import fields, scoreboard


def describe(machine: Machine) -> dict[str, Any]:
    """Generation, workers, listeners, and backends with their servers; empty before the first generation."""
    generation = machine.generation
    if generation is None:
        return {"generation": 0, "workers": [], "listeners": {}, "backends": {}}
    config = generation.config
    told = machine.roster.members(config)
    return {
        "generation": generation.number,
        "workers": [_worker(machine, process) for process in machine.fleet.processes()],
        "worker_restarts": machine.fleet.restarts,
        "listeners": _listeners(machine, config),
        "backends": {name: backend(machine, config, name, told[name]) for name in config.backends},
    }


def backend(machine: Machine, config: Config, name: str, members: Iterable[Member]) -> dict[str, Any]:
    """One backend with its servers."""
    return {
        "algorithm": config.backends[name].algorithm.name,
        "requests_in_flight": int(_total(machine, scoreboard.BACKEND, name, fields.BACKEND_IN_FLIGHT)),
        "requests_waiting": int(_total(machine, scoreboard.BACKEND, name, fields.BACKEND_QUEUE)),
        "servers": {member.name: _server(machine, config, member) for member in members},
    }


def _worker(machine: Machine, process: Process) -> dict[str, Any]:
    row = machine.board.row(process.lane, scoreboard.PROCESS, 0)
    state = "draining" if process.draining else "serving" if process.generation is not None else "starting"
    return {
        "slot": process.slot,
        "pid": process.pid,
        "state": state,
        "generation": process.generation.number if process.generation is not None else 0,
        "connections": int(row.get(fields.PROCESS_CONNECTIONS)),
        "requests": int(machine.served(process.lane)),
        "uptime_seconds": round(process.age(), 3),
    }


def _listeners(machine: Machine, config: Config) -> dict[str, Any]:
    addresses = machine.sockets.addresses()
    return {name: {
        "mode": listener.mode,
        "bind": [str(address) for address in addresses.get(name, [])],
        "connections": int(_total(machine, scoreboard.LISTENER, name, fields.LISTENER_CONNECTIONS)),
        "accepted": int(_total(machine, scoreboard.LISTENER, name, fields.LISTENER_ACCEPTED)),
    } for name, listener in config.listeners.items()}


def _server(machine: Machine, config: Config, member: Member) -> dict[str, Any]:
    board = machine.board
    totals = board.totals(scoreboard.SERVER, member.slot)
    latency = board.latency(member.slot)
    requests = totals[fields.SERVER_REQUESTS:fields.SERVER_REQUESTS + len(fields.CODES)]
    return {
        "address": str(member.address),
        "health": member.health,
        "reason": machine.roster.reason(config, member),
        "mode": member.mode,
        "weight": member.weight,
        "backup": member.backup,
        "in_flight": board.in_flight(member.slot),
        "max_conns": member.max_conns or None,
        "connections": int(totals[fields.SERVER_CONNECTIONS]),
        "requests": int(sum(requests)),
        "codes": {code: int(count) for code, count in zip(fields.CODES, requests, strict=True) if count},
        "connection_errors": int(totals[fields.SERVER_CONNECTION_ERRORS]),
        "latency_seconds": round(latency, 6) if latency >= 0 else None,
    }


def _total(machine: Machine, kind: int, name: str, field: int) -> float:
    return machine.board.total(kind, machine.slots.take(kind, name), field)


def moment(unix: float) -> str:
    """A point in time as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix))
