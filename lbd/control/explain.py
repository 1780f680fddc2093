"""The explanation: where one request would go and why, asked of the router and the algorithms that serve requests."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from lbd.backend.backend import Backend
from lbd.backend.generation import Generation
from lbd.backend.server import Server
from lbd.config.schema import Config, Listener
from lbd.errors import LbdError
from lbd.http import fields, head
from lbd.proxy.assembly import Assembly
from lbd.proxy.router import Condition, host_matches
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board

HASHES = ("url-hash", "source-ip-hash", "consistent-hash", "maglev")   # the same request gets the same server
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Question:
    """A request to be explained: `url` with scheme and host, `headers` as `Name: value`, `client` an IP address."""

    method: str
    url: str
    headers: Sequence[str] = ()
    client: str = "127.0.0.1"
    listener: str = ""


class Asked:
    """The request as algorithms see it."""

    def __init__(self, request: head.Request, client: bytes) -> None:
        self.method, self.target, self.host, self.source = request.method, request.target, request.host, client
        self.payload = request.out
        self.preferred: Server | None = None
        self.response_edits: Any = None

    def field(self, name: bytes) -> bytes:
        """As in `backend.algorithm.Facts`."""
        found = head.values(self.payload, name)
        return found[0] if found else b""


def explain(question: Question, generation: Generation, board: Board, lane: int) -> dict[str, Any]:
    """Everything that decides, as JSON. The figures are those of the board; nothing is written to it. `lane` is that of
    a worker, or any of a board of one's own. Raises `LbdError` for a question that means nothing.
    """
    config = generation.config
    scheme, host, target = _parts(question.url)
    name = question.listener or _listener(config, scheme, host)
    if name not in config.listeners or config.listeners[name].mode != "http":
        raise LbdError(f"no http listener is called {name!r}")
    assembly = Assembly(board, lane)
    prepared = assembly.prepare(generation, {}, {})
    for backend, algorithm in prepared.backends.values():
        backend.install(config.backends[backend.name], generation.members.get(backend.name, ()),
                        lambda slot: assembly.row(scoreboard.SERVER, slot), algorithm, generation.secret)
    site = prepared.listeners[name][1]
    peer = question.client.encode()
    answer: dict[str, Any] = {"generation": generation.number, "listener": name, "admitted": site.admits(peer)}
    request = site.request
    flags = request.scan(_head(question, host, target), 0, peer, site.proto, site.believes(peer))
    if flags <= 0:
        return {**answer, "refused": {"status": -flags, "reason": request.error or "the head is not complete"}}
    settings = config.listeners[name]
    action = site.route(request)
    answer["routes"] = _routes(settings, site.router.routes, request, action.place)
    answer["route"] = action.place if action.place >= 0 else None
    if action.answers is not None:
        status, reply, _ = action.answers(request, True, {})
        return {**answer, "answer": {"status": status, "head": reply.partition(b"\r\n\r\n")[0].decode("latin-1")}}
    forwarded = head.values(request.out, b"x-forwarded-for")
    asked = Asked(request, fields.client_address(forwarded, site.trusts) if site.believes(peer) else peer)
    payload = action.change(request.out, request.target) if action.changes else request.out
    asked.payload = payload
    return {**answer, **_choice(action.backend, asked, board), "sends": payload.decode("latin-1").splitlines()[:-1],
            "timeouts": asdict(action.backend.settings.timeouts)}


def _choice(backend: Backend, asked: Asked, board: Board) -> dict[str, Any]:
    """Who could have it, and who gets it."""
    if backend.sticky is not None:
        asked.payload = backend.sticky.admit(asked, asked.payload)
    usable = backend.pool.usable if backend.pool is not None else ()
    chosen = asked.preferred or backend.pick(asked)
    servers = [_candidate(server, server in usable, board) for server in backend.servers.values()]
    return {
        "backend": backend.name,
        "algorithm": backend.settings.algorithm.name,
        "sticky": asked.preferred.name if asked.preferred is not None else None,
        "servers": servers,
        "chosen": chosen.name if chosen is not None else None,
        "why": _why(backend, asked, chosen),
    }


def _why(backend: Backend, asked: Asked, chosen: Server | None) -> str:
    if chosen is None:
        return "no server is usable: 503"
    if asked.preferred is not None:
        return "its cookie names this server"
    options = backend.settings.algorithm.options
    words = [f"{key} = {value!r}" for key, value in (asdict(options) if options is not None else {}).items()]
    name = backend.settings.algorithm.name
    often = "" if name in HASHES else "; the next request may get another, since each worker takes its own turns"
    return " ".join([f"{name} picks it", *([f"({', '.join(words)})"] if words else [])]) + often


def _candidate(server: Server, usable: bool, board: Board) -> dict[str, Any]:
    latency = board.latency(server.slot)
    reasons = [text for wrong, text in (
        (server.mode != "ready", f"mode is {server.mode}"),
        (server.health != "up", f"health is {server.health}"),
        (server.weight == 0, "its weight is 0"),
    ) if wrong]
    if not usable and not reasons:
        reasons = ["a backup server, and others are usable" if server.backup else "others are preferred to it"]
    in_flight = board.in_flight(server.slot)
    return {
        "name": server.name, "address": str(server.address), "candidate": usable,
        "left_out": "" if usable else "; ".join(reasons), "weight": server.weight, "in_flight": in_flight,
        "load": round((in_flight + 1) / server.weight, 3) if server.weight else None,
        "latency_seconds": round(latency, 6) if latency >= 0 else None,
    }


def _routes(settings: Listener, routes: Sequence[tuple[str | None, Condition]], request: head.Request, taken: int
            ) -> list[dict[str, Any]]:
    """Every route up to the one that is taken, with what kept the request from it."""
    host = fields.host_name(request.host)
    path = fields.routed_path(request.target)
    found = []
    for place, (pattern, condition) in enumerate(routes):
        wrong = [] if host_matches(pattern, host) else [f"host {host} is not {pattern}"]
        wrong += mismatches(condition, path, request)
        found.append({"route": place, "backend": settings.routes[place].backend, "matches": not wrong,
                      "mismatch": "; ".join(wrong)})
        if place == taken:
            break
    return found


def mismatches(condition: Condition, path: bytes, request: head.Request) -> list[str]:
    """What of the route's conditions, its host aside, does not hold."""
    text = path.decode("latin-1")
    wrong = []
    if condition.path is not None and path != condition.path:
        wrong.append(f"path {text} is not {condition.path.decode()}")
    if condition._replace(path=None, pattern=None, methods=frozenset(), header=()).holds(path, request) is False:
        wrong.append(f"path {text} is not below {(condition.prefix or b'').decode()}")
    if condition.pattern is not None and condition.pattern.fullmatch(path) is None:
        wrong.append(f"path {text} does not match the pattern")
    if condition.methods and request.method not in condition.methods:
        wrong.append(f"method {request.method.decode()} is none of {b', '.join(sorted(condition.methods)).decode()}")
    only = condition._replace(path=None, prefix=None, pattern=None, methods=frozenset())
    wrong += [f"field {name.decode()} is not {'there' if value is None else value.decode()}"
              for name, value in condition.header if not only._replace(header=((name, value),)).holds(path, request)]
    return wrong


def _parts(url: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise LbdError(f"{url!r} is no URL: {error}") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise LbdError(f"{url!r} is no URL: http://HOST/PATH is needed")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host if port is None else f"{host}:{port}", target


def _listener(config: Config, scheme: str, host: str) -> str:
    """The first listener on the URL's port, else the first one."""
    names = [name for name, listener in config.listeners.items() if listener.mode == "http"]
    _, colon, port = host.rpartition(":")
    wanted = int(port) if colon and port.isdigit() else PORTS[scheme]
    for name in names:
        if any(address.port == wanted for address in config.listeners[name].bind):
            return name
    if not names:
        raise LbdError("there is no http listener")
    return names[0]


def _head(question: Question, host: str, target: str) -> bytes:
    given: Mapping[str, str] = {line.partition(":")[0].strip().lower(): line for line in question.headers}
    lines = [f"{question.method} {target} HTTP/1.1", *([] if "host" in given else [f"Host: {host}"]),
             *question.headers]
    if any(not line or "\n" in line or "\r" in line for line in lines):
        raise LbdError("a header is one line: Name: value")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
