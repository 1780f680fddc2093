"""The explained choice of a server: the candidates and their figures, the servers left out, and the chosen one."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from xxhash import xxh64_hexdigest

from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.exchange.streams import Peer, Requester
from lbd.http.message import Head
from lbd.routing.target import RouteTarget
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board, Record


class ExplainedRequest(Requester):
    """The request as filters and algorithms see it; it is never sent. Of a connection in tcp mode, without a
    request, the client's address alone is known."""

    def __init__(self, peer: Peer, record: Record, route: RouteTarget, request: Head | None) -> None:
        super().__init__(peer, record)
        self.route = route
        self.request = request


def choose(backend: Backend, request: ExplainedRequest, board: Board) -> dict[str, Any]:
    """The choice of the backend's own algorithm, as JSON."""
    usable: Sequence[Server] = backend.pool.usable if backend.pool is not None else ()
    algorithm = backend.pool.algorithm if backend.pool is not None and usable else None
    scores = dict(zip(usable, algorithm.scores(), strict=False)) if algorithm is not None else {}
    key = algorithm.hash_key(request) if algorithm is not None else None
    chosen, why = _outcome(backend, request, usable, key, board)
    return {
        "backend": backend.name,
        "algorithm": backend.settings.algorithm.name,
        "options": _options(backend),
        "score": algorithm.score_meaning if scores and algorithm is not None else "",
        "key": None if key is None else {"value": key.decode("latin-1"), "hash": xxh64_hexdigest(key) if key else ""},
        "sticky": None if backend.sticky is None else {
            "cookie": backend.sticky.cookie.decode("latin-1"),
            "server": request.preferred.name if request.preferred is not None else None},
        "servers": [_candidate(server, server in usable, scores.get(server), board)
                    for server in backend.servers.values()],
        "chosen": chosen.name if chosen is not None else None,
        "why": why,
        "server": chosen,
    }


def _outcome(backend: Backend, request: ExplainedRequest, usable: Sequence[Server], key: bytes | None, board: Board
             ) -> tuple[Server | None, str]:
    """The chosen server and the reason; None when no server gets the request now."""
    most = backend.settings.max_in_flight
    if most is not None and board.total(scoreboard.BACKEND, backend.row.slot, fields.BACKEND_IN_FLIGHT) >= most:
        return None, f"the backend has {most} requests in flight, as many as it may have: 503"
    server = request.preferred or backend.preview(request)
    if server is None:
        return None, "no server is usable: 503"
    because = "its address had this server before" if request.request is None else "its cookie names this server"
    why = because if request.preferred is not None else _picks(backend, key)
    if not full(server, board):
        return server, why
    sticky = backend.settings.stickiness
    if server is request.preferred and sticky is not None and sticky.when_full != "move":
        then = "then goes to another" if sticky.when_full == "wait-then-move" else "then gets 503"
        return server, f"{why}; it is full: it waits for it, at most {backend.settings.timeouts.queue:g} s, {then}"
    others = [other for other in usable if not full(other, board)]
    if not others:
        return None, f"every server is full: it waits in the queue, at most {backend.settings.timeouts.queue:g} s"
    free = min(others, key=lambda other: board.in_flight(other.slot) / max(other.weight, 1))
    return free, f"{server.name} would have it and is full; this one has the least in flight of those with room"


def _picks(backend: Backend, key: bytes | None) -> str:
    name = backend.settings.algorithm.name
    words = [f"{option} = {value!r}" for option, value in _options(backend).items()]
    picks = " ".join([f"{name} picks it", *([f"({', '.join(words)})"] if words else [])])
    if key:
        return picks
    if key is not None:
        return f"{picks}; the request has no key, so that it goes anywhere by weight"
    if backend.pool is not None and backend.pool.algorithm.takes_turns:
        return f"{picks}: it is next in turn"
    return f"{picks}; the next request may get another"


def _options(backend: Backend) -> dict[str, Any]:
    options = backend.settings.algorithm.options
    return asdict(options) if options is not None else {}


def full(server: Server, board: Board) -> bool:
    """Whether the server has as many requests in flight as it may have."""
    return bool(server.max_conns) and board.in_flight(server.slot) >= server.max_conns


def _candidate(server: Server, usable: bool, score: float | None, board: Board) -> dict[str, Any]:
    latency = board.latency(server.slot)
    reasons = [text for wrong, text in (
        (server.mode != "ready", f"mode is {server.mode}"),
        (server.health != "up", f"health is {server.health}"),
        (server.weight == 0, "its weight is 0"),
        (full(server, board), f"full: {server.max_conns} in flight"),
    ) if wrong]
    if not usable and not reasons:
        reasons = ["a backup server, and others are usable" if server.backup else "others are preferred to it"]
    return {
        "name": server.name, "address": str(server.address), "candidate": usable, "left_out": "; ".join(reasons),
        "weight": server.weight, "in_flight": board.in_flight(server.slot),
        "latency_seconds": round(latency, 6) if latency >= 0 else None,
        "score": None if score is None else round(score, 6),
    }
