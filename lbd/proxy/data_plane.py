"""The data plane of one worker: its clients and server connections, at one generation of listeners and backends."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lbd.access_log.span_lines import SpanWriter
from lbd.access_log.writer import AccessLogWriter, AccessLogWriters
from lbd.backend.backend import Backend
from lbd.backend.snapshot import Endpoint, Generation
from lbd.net.wakeups import Wakeups
from lbd.proxy.admission import ClientAdmission
from lbd.proxy.assembly import Assembly
from lbd.proxy.draining import Draining, close_idle
from lbd.proxy.explained import Explanations
from lbd.proxy.generations import Generations, ServedGeneration
from lbd.proxy.server_connector import ServerConnector
from lbd.proxy.timers import Timers
from lbd.stats import endings, fields, scoreboard
from lbd.stats.scoreboard import Board


class LogWriters(NamedTuple):
    """The writers for the pipes that the supervisor gave, whether or not there are lines for them."""

    access: AccessLogWriter | None = None
    spans: SpanWriter | None = None


class DataPlane:
    """The data plane as `Worker` uses it.

    `net` opens and accepts connections (`lbd.net.sock.Poller`, or `lbd.net.loop.LoopNet`); `lane` is this process's
    lane of the scoreboard; `report` is called with (backend, server, address) when a connect failed; `wakeups` wake
    other workers whose requests wait. `now` is the clock of the last tick, in monotonic seconds.
    """

    __slots__ = ("_done", "_generations", "_logs", "access", "admission", "assembly", "draining", "explanations",
                 "in_force", "loop", "net", "now", "servers", "timers", "wakeups")

    def __init__(self, loop: asyncio.AbstractEventLoop, net: Any, board: Board, lane: int,
                 report: Callable[[str, str, str], None], wakeups: Wakeups | None = None) -> None:
        self.loop = loop
        self.net = net
        self.assembly = Assembly(board, lane)
        self.access: AccessLogWriter | AccessLogWriters | None = None      # while lines are wanted
        self._logs = LogWriters()
        self.timers = Timers(loop, self)
        self.now = self.timers.clock()
        self.in_force = ServedGeneration()
        self.servers = ServerConnector(self, report)
        self.admission = ClientAdmission(self)
        self.draining = Draining(self)
        self.explanations = Explanations(loop, self.admission.renew_prototypes)
        self.wakeups = wakeups or Wakeups((), lane)
        self.wakeups.listen(loop, self.servers.admit_waiting)
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

    def in_flight(self, backend: Backend) -> float:
        """Requests to the backend of all workers."""
        return self.assembly.board.total(scoreboard.BACKEND, backend.row.slot, fields.BACKEND_IN_FLIGHT)

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
        self.access = AccessLogWriters(writers) if len(writers) > 1 else writers[0] if writers else None

    # Clients

    def listen(self, listener: str, sock: socket.socket) -> None:
        """Accept connections for the listener from a bound, listening socket, which the data plane owns now."""
        self.admission.listen(self.in_force.listeners[listener], sock)

    def unlisten(self, listener: str) -> None:
        """Stop accepting for the listener and close this process's descriptors of its sockets."""
        owner = self.in_force.listeners.get(listener)
        if owner is not None:
            owner.close()

    @property
    def clients(self) -> int:
        """Number of client connections."""
        return len(self.timers.clients)

    def count(self, ending: int) -> None:
        """Count the end of something that never became a request."""
        self.assembly.process.add(fields.PROCESS_ENDINGS + ending, 1)

    def ticked(self, late: float) -> None:
        """Do what is due on every tick of the clock, which came so many seconds late."""
        for listener in self.in_force.listeners.values():
            listener.rejections.tick()
            if listener.limits is not None:
                listener.limits.tick()
        self.net.tick()
        process = self.assembly.process
        process.set(fields.PROCESS_CONNECTIONS, self.clients)
        if self.access is not None:
            self.access.flush()
        if late > 0:
            process.add(fields.PROCESS_LAG, late)
        process.set(fields.PROCESS_LAG_MAX, max(process.get(fields.PROCESS_LAG_MAX) * 0.98, late))

    # The end

    def drain(self, timeout: float, done: Callable[[], None]) -> None:
        """Stop accepting; let clients finish within `timeout` seconds, then cut the others; then call `done`."""
        self._done = done
        for listener in self.in_force.listeners.values():
            self.draining.dismiss(listener, self.timers.clock() + timeout, endings.SHUTDOWN_CUT)
        self.client_gone()

    def cut(self) -> None:
        """Cut every connection now; `done` of a running drain is called."""
        for client in self.timers.everyone():
            client.stop(endings.SHUTDOWN_CUT)
        self.client_gone()

    def client_gone(self) -> None:
        """End a running drain where the last client is gone."""
        if self._done is None or self.clients:
            return
        done, self._done = self._done, None
        self.timers.stop()
        if self.access is not None:
            self.access.flush()
        self.wakeups.close(self.loop)
        for backend in self.in_force.backends.values():
            for server in backend.servers.values():
                close_idle(server)
        done()
