"""The explanation: where one request would go and why, asked of the router and the algorithms that serve requests."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from lbd.backend.backend import Backend
from lbd.backend.snapshot import Generation
from lbd.errors import LbdError
from lbd.exchange.filter import Filter
from lbd.exchange.streams import Peer
from lbd.filters.chain import Chain
from lbd.http import fields
from lbd.http.message import Head
from lbd.proxy.assembly import Assembly, Prepared
from lbd.report import explain_tcp
from lbd.report.explained_choice import ExplainedRequest, choose
from lbd.routing.router import RequestMatcher, has_field, host_matches
from lbd.schema import Config, ListenerConfig
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board, Record

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Question:
    """A request to be explained: `url` with scheme and host, `headers` as `Name: value`, `client` an IP address.

    `tcp://HOST:PORT`, or `tls://NAME:PORT?alpn=PROTOCOL` where the client speaks TLS, is a connection in tcp mode.
    """

    method: str
    url: str
    headers: Sequence[str] = ()
    client: str = "127.0.0.1"
    listener: str = ""


def explain(question: Question, generation: Generation, board: Board, lane: int) -> dict[str, Any]:
    """The explanation as JSON, with the figures of the board; nothing is written to it. `lane` is that of
    a worker, or any of a board of one's own. Raises `LbdError` for a question that means nothing.
    """
    config = generation.config
    parts, host, uri = _parts(question.url)
    mode = "tcp" if parts.scheme in explain_tcp.SCHEMES else "http"
    port = PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    name = question.listener or _listener(config, mode, port)
    if name not in config.listeners or config.listeners[name].mode != mode:
        raise LbdError(f"no {mode} listener is called {name!r}")
    prepared, record = _prepared(generation, board, lane)
    peer = Peer(prepared.listeners[name][0])
    peer.address = question.client.encode()
    listener = peer.listener.settings
    if mode == "tcp":
        return {"generation": generation.number, "listener": name, **explain_tcp.explain(
            explain_tcp.hello(parts), peer, record, config.listeners[name], board)}
    peer.trusted = listener.peers.trusts(peer.address)
    answer: dict[str, Any] = {"generation": generation.number, "listener": name,
                              "admitted": listener.peers.admits(peer.address)}
    scanner = listener.request
    received = _head(question, host, uri)
    flags = scanner.scan(received, 0, peer.address, listener.proto, peer.trusted)
    if flags <= 0:
        return {**answer, "refused": {"status": -flags, "reason": scanner.error or "the head is not complete"}}
    request, settings = scanner.message, config.listeners[name]
    target = listener.router.route(request)
    answer["routes"] = _routes(settings, listener.router.routes, request, target.index)
    answer["route"] = target.index if target.index >= 0 else None
    if target.answers is not None:
        status, reply, _ = target.answers(request, True, {})
        return {**answer, "answer": {"status": status, "head": reply.partition(b"\r\n\r\n")[0].decode("latin-1")}}
    if listener.max_body is not None and request.length > listener.max_body:
        return {**answer, "refused": {"status": 413, "reason": f"the body is longer than {listener.max_body} bytes"}}
    chain = prepared.chains.get(target)
    filters = chain.filters if isinstance(chain, Chain) else ()
    explained = ExplainedRequest(peer, record, target, request)
    for one in filter(built_in, filters):
        one.on_request(explained, request)
    backend = target.backend
    choice = choose(backend, explained, board)
    explained.server = choice.pop("server")
    return {**answer, **choice, "client": explained.source.decode("latin-1"),
            "filters": [{"filter": type(one).__name__, "does": one.describe()} for one in filters],
            "sends": request.text.decode("latin-1").splitlines()[:-1],
            "request_headers": _edits(received, request.text),
            "response_headers": _answer_edits(explained, filters),
            "timeouts": _timeouts(settings, backend)}


def built_in(one: Filter) -> bool:
    """Whether a filter is one of lbd's, which may be asked; the operator's own may do anything, and are only named."""
    return type(one).__module__.startswith("lbd.filters.")


def _prepared(generation: Generation, board: Board, lane: int) -> tuple[Prepared, Record]:
    """The generation as a worker would have it, with backends of its own, and a record that is never begun."""
    assembly = Assembly(board, lane)
    prepared = assembly.prepare(generation, {}, {})
    for backend, algorithm in prepared.backends.values():
        backend.install(generation.config.backends[backend.name], generation.endpoints.get(backend.name, ()),
                        lambda slot: assembly.row(scoreboard.SERVER, slot), algorithm, generation.secret,
                        assembly.sources)
    return prepared, Record(assembly.process)


def _edits(before: bytes, after: bytes) -> dict[str, Any]:
    """The edits of the request head on its way to the server: removed and added lines."""
    old, new = (text.decode("latin-1").splitlines()[1:-1] for text in (before, after))
    return {"removed": _missing(old, new), "added": _missing(new, old)}


def _missing(lines: Sequence[str], others: Sequence[str]) -> list[str]:
    """The lines that are not among the others; names are compared without case."""
    left = [_folded(line) for line in others]
    found = []
    for line in lines:
        folded = _folded(line)
        if folded in left:
            left.remove(folded)
        else:
            found.append(line)
    return found


def _folded(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.lower(), value.strip()


def _answer_edits(explained: ExplainedRequest, filters: Sequence[Filter]) -> dict[str, Any]:
    """The edits of the response head."""
    answer = Head(b"HTTP/1.1 200 OK\r\n\r\n")
    for one in filter(built_in, reversed(filters)):
        one.on_response(explained, answer)
    return {"removed": [name.decode("latin-1") for name in explained.route.response_removed],
            "added": answer.text.decode("latin-1").splitlines()[1:-1]}


def _timeouts(listener: ListenerConfig, backend: Backend) -> dict[str, float]:
    """The timeouts in force: of the client side by the listener, of the server side by the backend."""
    return {name: getattr((listener if name.startswith("client_") else backend.settings).timeouts, name)
            for name in asdict(listener.timeouts)}


def _routes(settings: ListenerConfig, routes: Sequence[tuple[str | None, RequestMatcher]], request: Head,
            taken: int) -> list[dict[str, Any]]:
    """Every route up to the one that is taken, with what kept the request from it."""
    host = fields.host_name(request.host)
    path = fields.routed_path(request.target)
    found = []
    for place, (pattern, matcher) in enumerate(routes):
        wrong = [] if host_matches(pattern, host) else [f"host {host} is not {pattern}"]
        wrong += mismatches(matcher, path, request)
        found.append({"route": place, "backend": settings.routes[place].backend, "matches": not wrong,
                      "mismatch": "; ".join(wrong)})
        if place == taken:
            break
    return found


def mismatches(matcher: RequestMatcher, path: bytes, request: Head) -> list[str]:
    """The parts of the route, its host aside, that do not match the request."""
    text = path.decode("latin-1")
    wrong = []
    if matcher.path is not None and path != matcher.path:
        wrong.append(f"path {text} is not {matcher.path.decode()}")
    if not matcher.covers(path):
        wrong.append(f"path {text} is not below {(matcher.prefix or b'').decode()}")
    if matcher.pattern is not None and matcher.pattern.fullmatch(path) is None:
        wrong.append(f"path {text} does not match the pattern")
    if matcher.methods and request.method not in matcher.methods:
        wrong.append(f"method {request.method.decode()} is none of {b', '.join(sorted(matcher.methods)).decode()}")
    wrong += [f"field {name.decode()} is not {'there' if value is None else value.decode()}"
              for name, value in matcher.header if not has_field(request, name, value)]
    return wrong


def _parts(url: str) -> tuple[SplitResult, str, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise LbdError(f"{url!r} is no URL: {error}") from None
    if parts.scheme not in (*PORTS, *explain_tcp.SCHEMES) or not parts.hostname:
        raise LbdError(f"{url!r} is no URL: http://HOST/PATH is needed, or tcp://HOST:PORT or tls://NAME:PORT")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts, host if port is None else f"{host}:{port}", target


def _listener(config: Config, mode: str, port: int) -> str:
    """The first listener of the mode on the URL's port, else the first one."""
    names = [name for name, listener in config.listeners.items() if listener.mode == mode]
    for name in names:
        if any(address.port == port for address in config.listeners[name].bind):
            return name
    if not names:
        raise LbdError(f"there is no {mode} listener")
    return names[0]


def _head(question: Question, host: str, target: str) -> bytes:
    given: Mapping[str, str] = {line.partition(":")[0].strip().lower(): line for line in question.headers}
    lines = [f"{question.method} {target} HTTP/1.1", *([] if "host" in given else [f"Host: {host}"]),
             *question.headers]
    if any(not line or "\n" in line or "\r" in line for line in lines):
        raise LbdError("a header is one line: Name: value")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
