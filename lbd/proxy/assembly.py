"""Assembly: from a generation to the objects that serve it, built beforehand so that a commit only swaps."""

import asyncio
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
from lbd.exchange.context import FilterChain, WorkerContext
from lbd.exchange.filter import FilterContext
from lbd.net.wakeups import Wakeups
from lbd.proxy.routes import ListenerRoutes, Surroundings
from lbd.proxy.tls import TlsContexts, backend_context
from lbd.routing.listener import Listener, ListenerSettings, TlsTermination
from lbd.routing.target import RouteTarget
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board, Row, now
from lbd.stats.sources import SourceTable

NO_LOOP = asyncio.AbstractEventLoop()      # type: ignore[abstract]   # runs nothing


class Prepared(NamedTuple):
    """Everything that a generation needs and that the one before does not have."""

    generation: Generation
    backends: Mapping[str, tuple[Backend, Algorithm]]
    listeners: Mapping[str, tuple[Listener, ListenerSettings]]
    error_bodies: Mapping[int, bytes]
    contexts: Mapping[str, ssl.SSLContext | None]     # by backend; None: no TLS to its servers
    chains: dict[RouteTarget, FilterChain]         # of the routes that have filters


class Assembly:
    """Builds for one worker: `lane` is its lane of the board, `nowhere` the backend of requests lbd answers itself.
    `context` is that of the worker; without one what is built can be looked at, and serves nothing. `random`: the dice,
    where they are to fall as before; else no two workers, nor two lives of one, choose in the same order."""

    def __init__(self, board: Board, lane: int, context: WorkerContext | None = None,
                 random: Random | None = None) -> None:
        self.board = board
        self.lane = lane
        self.process = board.row(lane, scoreboard.PROCESS, 0)
        self.context = context or WorkerContext(NO_LOOP, board, lane, now, Wakeups((), lane))
        self.nowhere = Backend("", self.process)
        self.sources = SourceTable(board, lane)
        self.random = random or Random()      # seeded by the system
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
        chains: dict[RouteTarget, FilterChain] = {}
        for name, wanted in config.listeners.items():
            routes = self._routes(name, generation, {name: backend for name, (backend, _) in ready.items()})
            chains.update(routes.chains)
            made = ListenerSettings(wanted, config.global_.trusted_proxies, routes.router,
                                    self._tls(name, wanted, generation), certifies(config), routes.entrance)
            row = self.row(scoreboard.LISTENER, generation.listeners[name])
            in_force[name] = (listeners.get(name) or Listener(name, row, made), made)
        return Prepared(generation, ready, in_force, {int(status): body for status, body in config.bodies.items()},
                        {name: backend_context(name, backend, generation.credentials)
                         for name, backend in config.backends.items()}, chains)

    def _tls(self, name: str, wanted: schema.ListenerConfig, generation: Generation) -> TlsTermination | None:
        server_tls = self.tls_contexts.server_tls(name, wanted, generation.credentials)
        if server_tls is None or wanted.tls is None:
            return None
        return TlsTermination(server_tls, wanted.tls.handshake_timeout)

    def _algorithm(self, backend: Backend, settings: schema.BackendConfig) -> Algorithm:
        try:
            return build(settings.algorithm, Context(self.board, self.lane, self.random, backend.row, backend.name))
        except LbdError as error:
            raise LbdError(f"backends.{backend.name}.algorithm: {error}") from None

    def _routes(self, listener: str, generation: Generation, backends: Mapping[str, Backend]) -> ListenerRoutes:
        """The routes of a listener. Each has a target of its own, with its own filters."""
        rows = {backend: self.row(scoreboard.ROUTE, slot) for (name, backend), slot in generation.routes.items()
                if name == listener}
        context = FilterContext(self.context, self.random, {})
        return ListenerRoutes(listener, generation.config, Surroundings({**backends, "": self.nowhere}, rows, context))


def certifies(config: schema.Config) -> bool:
    """Whether some listener requests client certificates: then no client, of any listener, may send the fields that
    describe one."""
    terminations = [listener.tls for listener in config.listeners.values()]
    return any(tls is not None and tls.client_ca is not None for tls in terminations)
