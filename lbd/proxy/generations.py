"""The generations of one worker: the one in force, and the prepared one that is to follow it."""

import ssl
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint, Generation
from lbd.exchange.gate import Gate
from lbd.net.tcp_options import of_backends
from lbd.proxy.assembly import Prepared
from lbd.proxy.tls import apply_tls
from lbd.routing.listener import Listener
from lbd.stats import endings, scoreboard
from lbd.upstream.closing import close_idle
from lbd.upstream.http1 import Http1ServerConnection

_NONE: Mapping[Any, Any] = MappingProxyType({})


class ServedGeneration(NamedTuple):
    """The parts of the generation that serves requests; `generation` is None before the first.

    `contexts` are those of connections to servers by TLS, by backend.
    """

    generation: Generation | None = None
    backends: Mapping[str, Backend] = _NONE
    listeners: Mapping[str, Listener] = _NONE
    contexts: Mapping[str, ssl.SSLContext | None] = _NONE

    @property
    def drain_timeout(self) -> float:
        """Seconds that connections have which the next generation has no place for."""
        return self.generation.config.global_.drain_timeout if self.generation is not None else 0.0


class Generations:
    """The two-phase change of generations. Everything that can fail is done by `prepare`."""

    __slots__ = ("_plane", "_prepared")

    def __init__(self, plane: Any) -> None:
        self._plane = plane
        self._prepared: Prepared | None = None

    def prepare(self, generation: Generation) -> None:
        """Build everything that the generation needs, and change nothing yet; raises `LbdError` with the reason."""
        in_force = self._plane.in_force
        self._prepared = self._plane.assembly.prepare(generation, in_force.backends, in_force.listeners)

    def discard(self) -> None:
        """Forget the prepared generation."""
        self._prepared = None

    def commit(self) -> None:
        """Put the prepared generation in force: requests see the old one or the new one, never a mixture."""
        prepared, self._prepared = self._prepared, None
        if prepared is None:
            return
        plane, generation = self._plane, prepared.generation
        before: ServedGeneration = plane.in_force
        former = before.generation or generation
        ends = plane.context.clock() + former.config.global_.drain_timeout
        gone = [backend for name, backend in before.backends.items() if name not in prepared.backends]
        removed = self._install_backends(prepared)
        for listener, settings in prepared.listeners.values():
            listener.apply_settings(settings)
        for backend in gone:
            removed += backend.close()
        for name in before.listeners.keys() - prepared.listeners.keys():
            plane.draining.dismiss(before.listeners[name], ends, endings.DRAIN_CUT)
        plane.in_force = ServedGeneration(
            generation, {name: backend for name, (backend, _) in prepared.backends.items()},
            {name: listener for name, (listener, _) in prepared.listeners.items()},
            prepared.contexts)
        plane.context.generation = generation.number
        plane.context.error_bodies = prepared.error_bodies
        plane.context.chains = prepared.chains
        plane.connector.backends = plane.in_force.backends
        plane.connector.options = of_backends(generation.config)
        plane.admission.limit = generation.max_connections or sys.maxsize
        plane.apply_logs()
        plane.explanations.set_networks(generation.config.global_.explain_to)
        for backend in [*plane.in_force.backends.values(), *gone]:
            self._apply_gate(backend)
            self._apply_to_idle(backend)
        plane.draining.retire(removed, ends)
        plane.draining.plan(endpoint for endpoints in generation.endpoints.values() for endpoint in endpoints)
        self._apply_to_clients()
        plane.admission.keep_limit()

    def update(self, endpoints: Sequence[Endpoint]) -> None:
        """Change mode, health, weight or address of servers of the generation in force."""
        plane = self._plane
        in_force: ServedGeneration = plane.in_force
        changed = {}
        failed: set[Server] = set()
        for endpoint in endpoints:
            backend = in_force.backends.get(endpoint.backend)
            if backend is not None:
                removed = backend.update(endpoint, partial(plane.assembly.row, scoreboard.SERVER))
                plane.draining.retire(removed, plane.context.clock() + in_force.drain_timeout)
                changed[backend.name] = backend
                if backend.settings.on_down == "cut" and endpoint.health in ("down", "ejected"):
                    failed.update(server for server in backend.servers.values() if server.name == endpoint.name)
        for backend in changed.values():
            apply_tls(backend, in_force.contexts.get(backend.name))
            backend.rebuild()
            if backend.gate is not None:
                backend.gate.pump()
        if failed:
            plane.draining.cut(failed, endings.SERVER_DOWN)
        plane.draining.plan(endpoints)

    def _install_backends(self, prepared: Prepared) -> list[Server]:
        """Give the backends their new settings; returns the servers that they have no more."""
        removed: list[Server] = []
        generation = prepared.generation
        for name, (backend, algorithm) in prepared.backends.items():
            removed += backend.install(generation.config.backends[name], generation.endpoints.get(name, ()),
                                       partial(self._plane.assembly.row, scoreboard.SERVER), algorithm,
                                       generation.secret, self._plane.assembly.sources)
            apply_tls(backend, prepared.contexts[name])
        return removed

    def _apply_gate(self, backend: Backend) -> None:
        """Give the backend a gate where it needs one, and let requests in that need not wait any more."""
        if backend.bounded and backend.gate is None:
            backend.gate = Gate(self._plane.context, backend)
        elif backend.gate is not None and not backend.bounded:
            gate, backend.gate = backend.gate, None
            backend.aim()
            gate.close()
        if backend.gate is not None:
            backend.aim()
            backend.gate.attach()
            backend.gate.pump()

    def _apply_to_idle(self, backend: Backend) -> None:
        """Close idle connections that may not be kept now, and have the others follow the backend's settings."""
        for server in backend.servers.values():
            if not server.max_idle:
                close_idle(server)
            for connection in server.idle:
                follow(connection, backend)

    def _apply_to_clients(self) -> None:
        for client in list(self._plane.admission.clients):
            peer = client.peer
            peer.trusted = peer.listener.settings.peers.trusts(peer.address)
            for backend, connection in (peer.pins or {}).items():
                follow(connection, backend)
            for exchange in client.requests():
                follow(exchange.upstream, exchange.backend)


def follow(connection: object, backend: Backend) -> None:
    """Have a connection that stands read responses by the settings that its backend has now."""
    if isinstance(connection, Http1ServerConnection):
        connection.follow(backend.responses)
