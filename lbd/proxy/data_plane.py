"""The data plane of one worker: its clients and server connections, at one generation of listeners and backends."""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lbd.access_log.span_lines import SpanWriter
from lbd.access_log.writer import AccessLogWriter, AccessLogWriters
from lbd.backend.snapshot import Endpoint, Generation
from lbd.downstream.acceptor import ClientAcceptor
from lbd.downstream.admission import ClientAdmission
from lbd.downstream.resets import ResetConnections
from lbd.exchange.context import WorkerContext
from lbd.filters.explain import Explanations
from lbd.net.wakeups import Wakeups
from lbd.proxy.assembly import Assembly
from lbd.proxy.draining import Draining
from lbd.proxy.generations import Generations, ServedGeneration
from lbd.proxy.timers import Timers, tend_servers
from lbd.stats import endings, fields
from lbd.stats.scoreboard import Board
from lbd.upstream.closing import close_idle
from lbd.upstream.connector import ServerConnector


class LogWriters(NamedTuple):
    """The writers for the pipes that the supervisor gave, whether or not there are lines for them."""

    access: AccessLogWriter | None = None
    spans: SpanWriter | None = None


class DataPlane:
    """The data plane as `Worker` uses it.

    `net` opens and accepts connections (`lbd.net.sock.Poller`, or `lbd.net.loop.LoopNet`); `lane` is this process's
    lane of the scoreboard; `report` is called with (backend, server, address) when a connect failed; `wakeups` wake
    other workers whose requests wait.
    """

    __slots__ = ("_done", "_generations", "_logs", "admission", "assembly", "connector", "context", "draining",
                 "explanations", "in_force", "loop", "net", "resets", "timers", "wakeups")

    def __init__(self, loop: asyncio.AbstractEventLoop, net: Any, board: Board, lane: int,
                 report: Callable[[str, str, str], None], wakeups: Wakeups | None = None) -> None:
        self.loop = loop
        self.net = net
        self.wakeups = wakeups or Wakeups((), lane)
        self.context = context = WorkerContext(loop, board, lane, time.monotonic, self.wakeups)
        self.assembly = Assembly(board, lane, context)
        self.in_force = ServedGeneration()
        self._logs = LogWriters()
        self.connector = context.connector = ServerConnector(context, net, report)
        self.resets = context.resets = ResetConnections()
        self.admission = ClientAdmission(context, lambda: self.in_force.listeners.values(), self.client_gone)
        self.timers = Timers(loop, context, self.admission.clients, self.ticked)
        self.draining = Draining(context, self.admission.clients, lambda: self.in_force.backends)
        self.explanations = Explanations(context)
        self.wakeups.listen(loop, self.connector.admit_waiting)
        self._generations = Generations(self)
        self._done: Callable[[], None] | None = None

    # Generations

    def prepare(self, generation: Generation) -> None:
        """Build everything that the generation needs, and change nothing yet; raises `LbdError` with the reason."""
        self._generations.prepare(generation)

    def discard(self) -> None:
        """Forget the prepared generation."""
        self._generations.discard()

    def commit(self) -> None:
        """Put the prepared generation in force: requests see the old one or the new one, never a mixture."""
        self._generations.commit()

    def update(self, endpoints: Sequence[Endpoint]) -> None:
        """Change mode, health, weight or address of servers of the generation in force."""
        self._generations.update(endpoints)

    # The access log

    def log_to(self, fd: int) -> None:
        """Write the access log, if one is configured, to this non-blocking pipe, which the data plane owns now."""
        former = self._logs.access
        self._logs = self._logs._replace(access=AccessLogWriter(self.assembly.process, fd))
        if former is not None:
            former.close()
        self.apply_logs()

    def trace_to(self, fd: int) -> None:
        """Write the lines of spans, if they are wanted, to this non-blocking pipe, which the data plane owns now."""
        former = self._logs.spans
        self._logs = self._logs._replace(spans=SpanWriter(self.assembly.process, fd))
        if former is not None:
            former.close()
        self.apply_logs()

    def apply_logs(self) -> None:
        """Log what the generation in force asks for."""
        generation = self.in_force.generation
        access, spans = self._logs
        writers: list[AccessLogWriter] = []
        if generation is not None and access is not None and access.configure(generation.config.log, generation.number):
            writers.append(access)
        if generation is not None and spans is not None \
                and spans.trace(generation.config.tracing, generation.number):
            writers.append(spans)
        self.context.access = AccessLogWriters(writers) if len(writers) > 1 else writers[0] if writers else None

    def flush_logs(self) -> None:
        """Write the lines that wait."""
        for writer in self._logs:
            if writer is not None:
                writer.flush()

    # Clients

    def listen(self, listener: str, sock: socket.socket) -> None:
        """Accept connections for the listener from a bound, listening socket, which the data plane owns now."""
        owner = self.in_force.listeners[listener]
        owner.acceptors.append(self.net.listen(sock, ClientAcceptor(self.admission, owner).accept))
        if self.admission.paused:
            owner.acceptors[-1].pause()

    def unlisten(self, listener: str) -> None:
        """Stop accepting for the listener and close this process's descriptors of its sockets."""
        owner = self.in_force.listeners.get(listener)
        if owner is not None:
            owner.close()

    @property
    def clients(self) -> int:
        """Number of client connections."""
        return len(self.admission.clients)

    def ticked(self, now: float) -> None:
        """Do what is due on every tick of the clock."""
        tend_servers(self.in_force.backends.values(), now)
        self.connector.closing.tick(now)
        self.resets.tick()
        self.draining.tick(now)
        for listener in self.in_force.listeners.values():
            listener.rejections.tick()
            if listener.limits is not None:
                listener.limits.tick()
        self.net.tick()
        process, late = self.context.process, self.timers.late
        process.set(fields.PROCESS_CONNECTIONS, self.clients)
        self.flush_logs()
        if late > 0:
            process.add(fields.PROCESS_LAG, late)
        process.set(fields.PROCESS_LAG_MAX, max(process.get(fields.PROCESS_LAG_MAX) * 0.98, late))
        self.client_gone()      # of the requests of filters nobody else tells

    # The end

    def drain(self, timeout: float, done: Callable[[], None]) -> None:
        """Stop accepting; let clients finish within `timeout` seconds, then cut the others; then call `done`."""
        self._done = done
        self.admission.watched = True
        for listener in self.in_force.listeners.values():
            self.draining.dismiss(listener, self.context.clock() + timeout, endings.SHUTDOWN_CUT)
        self.client_gone()

    def cut(self) -> None:
        """Cut every connection now; `done` of a running drain is called."""
        for client in list(self.admission.clients):
            client.stop(endings.SHUTDOWN_CUT)
        for stream in list(self.context.streams):
            stream.cancel()
        self.client_gone()

    def client_gone(self) -> None:
        """End a running drain where the last client is gone, and the last request of a filter."""
        if self._done is None or self.clients or self.context.streams:
            return
        done, self._done = self._done, None
        self.timers.stop()
        self.flush_logs()
        self.wakeups.close(self.loop)
        for backend in self.in_force.backends.values():
            for server in backend.servers.values():
                close_idle(server)
        done()
