"""The data plane of one worker: its listeners, clients and server connections, at one generation."""

import asyncio
import socket
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from lbd.access_log.span_lines import SpanWriter
from lbd.access_log.writer import AccessLogWriter, AccessLogWriters
from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint, Generation
from lbd.log.logger import logger
from lbd.net.mould import Mould
from lbd.net.secure import Secure
from lbd.net.tcp_options import Options, of_backends
from lbd.net.wakeups import Wakeups
from lbd.proxy.assembly import Assembly, Prepared
from lbd.proxy.client import Client
from lbd.proxy.draining import Draining, close_idle
from lbd.proxy.explained import Explanations
from lbd.proxy.gate import Gate
from lbd.proxy.handshake import Handshake, plain
from lbd.proxy.listener import Listener, ListenerSettings
from lbd.proxy.passthrough import Passthrough
from lbd.proxy.proxy_protocol import ProxyProtocol
from lbd.proxy.tcp import TcpClient
from lbd.proxy.timers import Timers
from lbd.proxy.tls import apply_tls
from lbd.stats import endings, fields, scoreboard
from lbd.stats.scoreboard import Board, Record
from lbd.tls.handshake_limiter import HandshakeLimiter
from lbd.upstream import pinned
from lbd.upstream.selective import kind
from lbd.upstream.upstream import Upstream

LISTENER_CONNECTIONS = fields.LISTENER_CONNECTIONS
LISTENER_ACCEPTED = fields.LISTENER_ACCEPTED


class DataPlane:
    """What a worker's control side may ask of its data plane.

    `net` opens and accepts connections (`lbd.net.sock.Poller`, or `lbd.net.loop.LoopNet`); `lane` is this process's
    lane of the scoreboard; `report` is called with (backend, server, address) when a connect failed. `limit` is
    the most client connections at a time: accepting pauses there. `wakeups` wake other workers whose requests wait.
    """

    __slots__ = ("_access", "_done", "_prepared", "_report", "_traces", "access", "assembly", "backends", "contexts",
                 "draining", "error_bodies", "explanations", "generation", "handshake_limiter", "limit", "listeners",
                 "log", "loop", "net", "now", "options", "paused", "process", "timers", "wakeups")

    def __init__(self, loop: asyncio.AbstractEventLoop, net: Any, board: Board, lane: int,
                 report: Callable[[str, str, str], None], wakeups: Wakeups | None = None) -> None:
        self.loop = loop
        self.net = net
        self.wakeups = wakeups or Wakeups((), lane)
        self.wakeups.listen(loop, self._woken)
        self.assembly = Assembly(board, lane)
        self.process = board.row(lane, scoreboard.PROCESS, 0)
        self.log = logger
        self.access: AccessLogWriter | AccessLogWriters | None = None      # while lines are wanted
        self._access: AccessLogWriter | None = None
        self._traces: SpanWriter | None = None
        self.timers = Timers(loop, self)
        self.now = self.timers.clock()
        self.backends: dict[str, Backend] = {}
        self.listeners: dict[str, Listener] = {}
        self.error_bodies: Mapping[int, bytes] = {}
        self.generation: Generation | None = None
        self.limit = sys.maxsize
        self.paused = False
        self.draining = Draining(self)
        self.handshake_limiter = HandshakeLimiter(loop)
        self.contexts: Mapping[str, ssl.SSLContext | None] = {}
        self.options: Mapping[str, Options] = {}
        self.explanations = Explanations(loop, self._mould)
        self._report = report
        self._prepared: Prepared | None = None
        self._done: Callable[[], None] | None = None

    # Generations

    def prepare(self, generation: Generation) -> None:
        """Build everything that the generation needs, and change nothing yet; raises `LbdError` with the reason."""
        self._prepared = self.assembly.prepare(generation, self.backends, self.listeners)

    def discard(self) -> None:
        """Forget the prepared generation."""
        self._prepared = None

    def commit(self) -> None:
        """Put the prepared generation in force: requests see the old one or the new one, never a mixture."""
        prepared, self._prepared = self._prepared, None
        if prepared is None:
            return
        generation = prepared.generation
        former = self.generation or generation
        ends = self.timers.clock() + former.config.global_.drain_timeout
        gone = [backend for name, backend in self.backends.items() if name not in prepared.backends]
        removed: list[Server] = []
        for name, (backend, algorithm) in prepared.backends.items():
            removed += backend.install(generation.config.backends[name], generation.endpoints.get(name, ()),
                                       partial(self.assembly.row, scoreboard.SERVER), algorithm, generation.secret,
                                       self.assembly.sources)
            apply_tls(backend, prepared.contexts[name])
        self.contexts = prepared.contexts
        self.options = of_backends(generation.config)
        for listener, settings in prepared.listeners.values():
            listener.settings = settings
            listener.follow()
        for backend in gone:
            removed += backend.close()
        self.backends = {name: backend for name, (backend, _) in prepared.backends.items()}
        for name in self.listeners.keys() - prepared.listeners.keys():
            self.draining.dismiss(self.listeners[name], ends, endings.DRAIN_CUT)
        self.listeners = {name: listener for name, (listener, _) in prepared.listeners.items()}
        self.error_bodies = prepared.error_bodies
        self.generation = generation
        self.limit = generation.max_connections or sys.maxsize
        self._follow_log()
        self.explanations.tell(generation.config.global_.explain_to)
        self._mould()
        for backend in [*self.backends.values(), *gone]:
            self._gate(backend)
            for server in backend.servers.values():
                if not server.max_idle:
                    close_idle(server)
                for upstream in server.idle:
                    upstream.__class__ = kind(backend.responses.retry_statuses)
                    upstream.response = backend.responses.scanner
        self.draining.retire(removed, ends)
        self.draining.plan(endpoint for endpoints in generation.endpoints.values() for endpoint in endpoints)
        for client in self.timers.everyone():
            client.trusted = client.listener.settings.believes(client.peer)
            for backend, upstream in pinned.connections(client):
                upstream.__class__ = kind(backend.responses.retry_statuses)
                upstream.response = backend.responses.scanner
        self._pace()

    def update(self, endpoints: Sequence[Endpoint]) -> None:
        """Servers of the generation in force changed mode, health, weight or address."""
        changed = {}
        fallen: set[Server] = set()
        timeout = self.generation.config.global_.drain_timeout if self.generation is not None else 0.0
        for endpoint in endpoints:
            backend = self.backends.get(endpoint.backend)
            if backend is not None:
                removed = backend.update(endpoint, partial(self.assembly.row, scoreboard.SERVER))
                self.draining.retire(removed, self.timers.clock() + timeout)
                changed[backend.name] = backend
                if backend.settings.on_down == "cut" and endpoint.health in ("down", "ejected"):
                    fallen.update(server for server in backend.servers.values() if server.name == endpoint.name)
        for backend in changed.values():
            apply_tls(backend, self.contexts.get(backend.name))
            backend.rebuild()
            if backend.gate is not None:
                backend.gate.pump()
        if fallen:
            self.draining.cut(fallen, endings.SERVER_DOWN)
        self.draining.plan(endpoints)

    def in_flight(self, backend: Backend) -> float:
        """Requests to the backend of all workers."""
        return self.assembly.board.total(scoreboard.BACKEND, backend.row.slot, fields.BACKEND_IN_FLIGHT)

    def _gate(self, backend: Backend) -> None:
        """Give the backend the gate that it needs, and look after those who wait at it."""
        if backend.bounded and backend.gate is None:
            backend.gate = Gate(self, backend)
        elif backend.gate is not None and not backend.bounded:
            gate, backend.gate = backend.gate, None
            backend.aim()
            gate.close()
        if backend.gate is not None:
            backend.aim()
            backend.gate.attach()
            backend.gate.pump()

    # The access log

    def log_to(self, fd: int) -> None:
        """Write the access log, if one is wanted, to this pipe, which does not block; the plane owns it now."""
        former, self._access = self._access, AccessLogWriter(self.process, fd)
        if former is not None:
            former.close()
        self._follow_log()

    def trace_to(self, fd: int) -> None:
        """Write lines for spans, if they are wanted, to such a pipe."""
        former, self._traces = self._traces, SpanWriter(self.process, fd)
        if former is not None:
            former.close()
        self._follow_log()

    def _follow_log(self) -> None:
        generation = self.generation
        logs: list[AccessLogWriter] = []
        if generation is not None and self._access is not None \
                and self._access.set(generation.config.log, generation.number):
            logs.append(self._access)
        if generation is not None and self._traces is not None \
                and self._traces.trace(generation.config.tracing, generation.number):
            logs.append(self._traces)
        self.access = AccessLogWriters(logs) if len(logs) > 1 else logs[0] if logs else None

    # Sockets

    def listen(self, listener: str, sock: socket.socket) -> None:
        """Accept connections for the listener from a bound, listening socket; the plane owns this descriptor now."""
        owner = self.listeners[listener]
        owner.acceptors.append(self.net.listen(sock, partial(self._client, owner)))
        if self.paused:
            owner.acceptors[-1].pause()

    def _mould(self) -> None:
        """Have ready what connections begin as."""
        for listener in self.listeners.values():
            settings = listener.settings
            kind = (ProxyProtocol if settings.proxy_protocol else Handshake if settings.server_tls is not None
                    else self.kind(listener))
            listener.mould = Mould(kind(self, listener))

    def _client(self, listener: Listener) -> Client | Secure:
        client: Client = listener.mould.make()
        client.record = Record(self.process)
        settings = listener.settings
        return client if settings.server_tls is None or settings.proxy_protocol else self.secure(settings, client)

    def secure(self, settings: ListenerSettings, handshake: Client) -> Secure:
        """What ends TLS below such a client."""
        assert settings.server_tls is not None
        return Secure(settings.server_tls.context, handshake, self.handshake_limiter, None if settings.tcp else plain)

    def kind(self, listener: Listener) -> type[Client]:
        """What serves a connection whose client is known."""
        settings = listener.settings
        if settings.tcp:
            return Passthrough if settings.passthrough else TcpClient
        return self.explanations.kind

    def unlisten(self, listener: str) -> None:
        """Stop accepting for the listener and close this process's descriptors of its sockets."""
        owner = self.listeners.get(listener)
        if owner is not None:
            owner.close()

    def connect(self, server: Server, upstream: Upstream, greeting: bytes = b"") -> Any:
        """Begin a connection to the server, with these bytes before anything else; the upstream is told how that
        went."""
        tls, options = server.connections.tls, self.options.get(server.backend, ())
        try:
            if tls is None:
                upstream.payload = greeting + upstream.payload
                return self.net.connect(*endpoint(server), upstream, options)
            secure = Secure(tls.context, upstream, server=False, name=tls.name, client_tls=tls, greeting=greeting)
            return secure.attach(self.net.connect(*endpoint(server), secure, options))
        except (OSError, ValueError) as error:      # no descriptor left, or no address that the kernel takes
            self.loop.call_soon(upstream.connection_lost, error)
            return None

    # Clients

    @property
    def clients(self) -> int:
        """How many there are."""
        return len(self.timers.clients)

    def entered(self, client: Client) -> None:
        """A client connected."""
        clients = self.timers.clients
        clients.add(client)
        client.listener.row.both(LISTENER_CONNECTIONS, LISTENER_ACCEPTED)
        if len(clients) >= self.limit and not self.paused:
            client.listener.row.add(fields.LISTENER_LIMITED, 1)
            self._pace()

    def left(self, client: Client) -> None:
        """A client's connection is gone."""
        self.timers.clients.discard(client)
        listener = client.listener
        listener.row.add(LISTENER_CONNECTIONS, -1)
        if listener.limits is not None:
            listener.limits.disconnected(client)
        if self.paused:
            self._pace()
        if self._done is not None and not self.clients:
            self._finished()

    def _pace(self) -> None:
        """Accept while there are fewer clients than the limit."""
        full = self.limit <= self.clients
        if full == self.paused:
            return
        self.paused = full
        if full:
            self.log.warning("connection limit reached, accepting pauses", connections=self.clients)
        for listener in self.listeners.values():
            for acceptor in listener.acceptors:
                if full:
                    acceptor.pause()
                else:
                    acceptor.resume()

    def count(self, ending: int) -> None:
        """Count the end of something that never became a request."""
        self.process.add(fields.PROCESS_ENDINGS + ending, 1)

    def ticked(self, late: float) -> None:
        """Another tick of the clock, so many seconds late."""
        for listener in self.listeners.values():
            listener.rejections.tick()
            if listener.limits is not None:
                listener.limits.tick()
        self.net.tick()
        self.process.set(fields.PROCESS_CONNECTIONS, self.clients)
        if self.access is not None:
            self.access.flush()
        if late > 0:
            self.process.add(fields.PROCESS_LAG, late)
        self.process.set(fields.PROCESS_LAG_MAX, max(self.process.get(fields.PROCESS_LAG_MAX) * 0.98, late))

    # Servers

    def mark_failed(self, server: Server | None) -> None:
        """A connect failed: the server is the last choice until it answers again."""
        if server is None:
            return
        if server.backoff.mark_failed(self.now):
            self._rebuild(server)
        self._report(server.backend, server.name, str(server.address))

    def clear_failures(self, server: Server) -> None:
        """The server answered again, or it is time to try it."""
        server.backoff.clear_failures()
        self._rebuild(server)

    def _rebuild(self, server: Server) -> None:
        backend = self.backends.get(server.backend)
        if backend is not None:
            backend.rebuild()
            if backend.gate is not None:
                backend.gate.freed()

    def freed(self, server: Server) -> None:
        """A connection to the server is gone, or a place at it is free: somebody may wait for it."""
        backend = self.backends.get(server.backend)
        if backend is not None and backend.gate is not None:
            backend.gate.freed()

    def _woken(self) -> None:
        """Another worker says that it is this one's turn, or that it waits for a place held here."""
        for backend in self.backends.values():
            if backend.gate is not None:
                backend.gate.pump()

    # The end

    def drain(self, timeout: float, done: Callable[[], None]) -> None:
        """Stop accepting; let clients finish within `timeout` seconds, then cut what is left; then call `done`."""
        self._done = done
        for listener in self.listeners.values():
            self.draining.dismiss(listener, self.timers.clock() + timeout, endings.SHUTDOWN_CUT)
        if not self.clients:
            self._finished()

    def cut(self) -> None:
        """Cut every connection now; `done` of a running drain is called."""
        for client in self.timers.everyone():
            client.stop(endings.SHUTDOWN_CUT)
        if not self.clients:
            self._finished()

    def _finished(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            self.timers.stop()
            if self.access is not None:
                self.access.flush()
            self.wakeups.close(self.loop)
            for backend in self.backends.values():
                for server in backend.servers.values():
                    close_idle(server)
            done()


def endpoint(server: Server) -> tuple[int, Any]:
    """Family and socket address, worked out once."""
    if server.connections.socket_address is None:
        address = server.address
        if address.path:
            server.connections.socket_address = (socket.AF_UNIX, address.sun_path)
        else:
            family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
            server.connections.socket_address = (family, (address.host, address.port))
    return server.connections.socket_address
