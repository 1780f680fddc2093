"""Assembly: from a generation to the objects that serve it, built beforehand so that a commit only swaps."""

import ssl
from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from lbd import schema
from lbd.backend.algorithm import Algorithm, Context
from lbd.backend.backend import Backend
from lbd.backend.snapshot import Generation
from lbd.balance import build
from lbd.errors import LbdError
from lbd.http.trace_context import TraceContext
from lbd.proxy.listener import Listener, ListenerSettings, TlsTermination
from lbd.proxy.tls import TlsContexts, backend_context
from lbd.routing.answers import to_https
from lbd.routing.router import HeaderPolicy, Router, RouteTarget
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board, Row
from lbd.stats.sources import SourceTable


class Prepared(NamedTuple):
    """Everything that a generation needs and that the one before does not have."""

    generation: Generation
    backends: Mapping[str, tuple[Backend, Algorithm]]
    listeners: Mapping[str, tuple[Listener, ListenerSettings]]
    error_bodies: Mapping[int, bytes]
    contexts: Mapping[str, ssl.SSLContext | None]     # by backend; None: no TLS to its servers


class Assembly:
    """Builds for one worker: `lane` is its lane of the board, `nowhere` the backend of requests lbd answers itself."""

    def __init__(self, board: Board, lane: int) -> None:
        self.board = board
        self.lane = lane
        self.process = board.row(lane, scoreboard.PROCESS, 0)
        self.nowhere = Backend("", self.process)
        self.sources = SourceTable(board, lane)
        self.random = Random(lane)
        self.tls_contexts = TlsContexts()

    def row(self, kind: int, slot: int) -> Row:
        """A row of this worker's lane."""
        return self.board.row(self.lane, kind, slot)

    def prepare(self, generation: Generation, backends: Mapping[str, Backend],
                listeners: Mapping[str, Listener]) -> Prepared:
        """Build new objects, and use those that exist; raises `LbdError` with the reason when that fails."""
        config = generation.config
        ready: dict[str, tuple[Backend, Algorithm]] = {}
        for name, settings in config.backends.items():
            row = self.row(scoreboard.BACKEND, generation.backends[name])
            backend = backends.get(name) or Backend(name, row)
            ready[name] = (backend, self._algorithm(backend, settings))
        in_force: dict[str, tuple[Listener, ListenerSettings]] = {}
        for name, wanted in config.listeners.items():
            policy = header_policy(wanted)
            made = ListenerSettings(wanted, config.global_.trusted_proxies,
                                    self._router(name, wanted, generation, ready, policy),
                                    self._tls(name, wanted, generation, policy), certifies(config))
            row = self.row(scoreboard.LISTENER, generation.listeners[name])
            in_force[name] = (listeners.get(name) or Listener(name, row, made), made)
        return Prepared(generation, ready, in_force, {int(status): body for status, body in config.bodies.items()},
                        {name: backend_context(name, backend, generation.credentials)
                         for name, backend in config.backends.items()})

    def _tls(self, name: str, wanted: schema.ListenerConfig, generation: Generation,
             policy: HeaderPolicy) -> TlsTermination | None:
        server_tls = self.tls_contexts.server_tls(name, wanted, generation.credentials)
        if server_tls is None or wanted.tls is None:
            return None
        return TlsTermination(server_tls, wanted.tls.handshake_timeout, policy.hsts)

    def _algorithm(self, backend: Backend, settings: schema.BackendConfig) -> Algorithm:
        try:
            return build(settings.algorithm, Context(self.board, self.lane, self.random, backend.row, backend.name))
        except LbdError as error:
            raise LbdError(f"backends.{backend.name}.algorithm: {error}") from None

    def _router(self, listener: str, wanted: schema.ListenerConfig, generation: Generation,
                backends: Mapping[str, tuple[Backend, Algorithm]], policy: HeaderPolicy) -> Router:
        """The router of a listener. Each route has a target of its own, with its own edits."""
        settings = generation.config.backends
        tracing = generation.config.tracing
        trace = TraceContext(lambda: self.random.random() < tracing.sample) if tracing.enabled else None

        def row(backend: str) -> Row:
            return self.row(scoreboard.ROUTE, generation.routes[listener, backend])

        def target(backend: str | None, route: schema.RouteConfig | None, index: int = -1) -> RouteTarget:
            if backend is None:
                return RouteTarget(row(""), self.nowhere, None, route, index, trace, HeaderPolicy(logged=policy.logged))
            return RouteTarget(row(backend), backends[backend][0], settings[backend], route, index, trace, policy)

        routes = [(route, target(route.backend, route, index)) for index, route in enumerate(wanted.routes)]
        default = target(wanted.backend, None)
        if wanted.https_redirect:
            default.answers = to_https(wanted.https_redirect)
        return Router(routes, default)


def header_policy(listener: schema.ListenerConfig) -> HeaderPolicy:
    """The header policy of the listener."""
    tls = listener.tls
    hsts = b"Strict-Transport-Security: max-age=%d\r\n" % tls.hsts if tls is not None and tls.hsts is not None else b""
    return HeaderPolicy(tls is not None and tls.client_ca is not None, hsts, listener.access_log)


def certifies(config: schema.Config) -> bool:
    """Whether some listener requests client certificates: then no client, of any listener, may send the fields that
    describe one."""
    terminations = [listener.tls for listener in config.listeners.values()]
    return any(tls is not None and tls.client_ca is not None for tls in terminations)
