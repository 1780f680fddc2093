"""Draining: the end of connections to servers that are removed or cut, of clients of removed listeners, and of those
that are being closed.

Idle clients leave one after another, so that they do not come back all at once elsewhere; and so do tunnels, in the
second half of the time.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint
from lbd.proxy.listener import Listener
from lbd.stats import endings
from lbd.upstream import pinned
from lbd.upstream.breaking import Resets

TICK = 0.1            # seconds between two calls of `tick`
QUIET = 0.5           # seconds without a request before a client is closed: sooner, its next may be on its way


class Draining:
    """The connections of one worker that end. Times are monotonic seconds. `closing` has connections to servers that
    still send what was written to them, and when they are cut."""

    def __init__(self, plane: Any) -> None:
        self._plane = plane
        self.resets = Resets()
        self.closing: dict[Any, float] = {}
        self._ends: dict[Listener | Server, tuple[float, int]] = {}      # by cause: when, and the ending then
        self._halves: dict[Listener | Server, float] = {}   # when half of the time is over
        self._idle: dict[Any, tuple[float, float]] = {}     # client: its deadline, and since when that is the same

    def retire(self, servers: Iterable[Server], ends: float) -> None:
        """Let go of servers that no generation has any more: idle connections close now, tunnels in the second half of
        the time, and requests in flight are cut at its end."""
        for server in servers:
            close_idle(server)
            self._halves.pop(server, None)
            self._ends[server] = ends, endings.DRAIN_CUT

    def plan(self, endpoints: Iterable[Endpoint]) -> None:
        """Cut servers at the moments that their endpoints have now, where those are others than before; 0.0 calls off
        what was planned. Tunnels end one after another in the second half of the time until then."""
        for endpoint in endpoints:
            backend = self._plane.in_force.backends.get(endpoint.backend)
            server = backend.servers.get((endpoint.name, str(endpoint.address))) if backend is not None else None
            if server is None or endpoint.cut == server.cut:
                continue
            server.cut = endpoint.cut
            self._halves.pop(server, None)
            if endpoint.cut:
                self._ends[server] = endpoint.cut, endings.OPERATOR_CUT
            else:
                self._ends.pop(server, None)
        if self._ends:
            self.cut_due(self._plane.timers.clock())

    def cut(self, servers: Collection[Server], ending: int) -> None:
        """End the connections to these servers now: requests are retried at others where they may, answers break off,
        tunnels and idle connections are closed."""
        for client in self._plane.timers.everyone():
            if client.server in servers:
                client.forsaken(ending)
            if client.pins is not None:
                pinned.forsake(client, servers)
        for server in servers:
            close_idle(server)

    def cut_due(self, now: float) -> None:
        """Cut the servers whose planned moment has come."""
        servers: set[Any] = {cause for cause, (ends, ending) in self._ends.items()
                             if ending == endings.OPERATOR_CUT and ends <= now}
        if servers:
            self._ends = {cause: known for cause, known in self._ends.items() if cause not in servers}
            self.cut(servers, endings.OPERATOR_CUT)

    def dismiss(self, listener: Listener, ends: float, ending: int) -> None:
        """Accept no more for a listener; its clients are told with their next answer, closed while idle, and cut at the
        end of the time."""
        listener.leaving = True
        listener.close()
        known = self._ends.get(listener)
        if known is None or ends < known[0]:
            self._ends[listener] = ends, ending
        for client in self._plane.timers.everyone():
            if client.listener is listener:
                client.last()

    def tick(self, now: float) -> None:
        """Close and cut the connections that are due."""
        if self.closing:
            for upstream in due(self.closing, now):
                upstream.abort()
        self.resets.tick()
        if self._ends:
            self.cut_due(now)
            self._clients(now)

    def _clients(self, now: float) -> None:
        leaving: dict[Listener | Server, list[Any]] = defaultdict(list)
        before, self._idle = self._idle, {}
        left = set()
        for client in self._plane.timers.everyone():
            cause = self._cause(client)
            if cause is None:
                continue
            left.add(cause)
            ends, ending = self._ends[cause]
            if client.idle:
                deadline, since = before.get(client, (0.0, now))
                since = since if deadline == client.deadline else now
                self._idle[client] = client.deadline, since
                if now - since >= QUIET or ends - now <= QUIET:
                    leaving[cause].append(client)
            elif ends <= now:
                client.stop(ending)
            elif client.tunnelled and now >= self._halves.setdefault(cause, (now + ends) / 2):
                leaving[cause].append(client)
        for cause, clients in leaving.items():
            time, ending = self._ends[cause][0] - now, self._ends[cause][1]
            for client in clients[:int(len(clients) * TICK / time) + 1 if time > TICK else None]:
                if client.idle:
                    client.dismiss()
                else:
                    client.hang_up(ending)
        self._ends = {cause: known for cause, known in self._ends.items() if known[0] > now or cause in left}
        self._halves = {cause: half for cause, half in self._halves.items() if cause in self._ends}

    def _cause(self, client: Any) -> Listener | Server | None:
        """The cause for this client to leave: its listener or the server of its request, whichever ends first."""
        held = client.pins.held() if client.pins is not None else ()
        signed = [upstream.server for upstream in held if upstream.server.gone]
        found = [cause for cause in (client.listener, client.server, *signed) if cause in self._ends]
        return min(found, key=self._ends.__getitem__, default=None)


def due(times: dict[Any, float], now: float) -> list[Any]:
    """Take out the keys whose time has come."""
    found = [key for key, ends in times.items() if ends <= now]
    for key in found:
        del times[key]
    return found


def close_idle(server: Server) -> None:
    """Close the idle connections to a server."""
    for upstream in list(server.idle):
        upstream.close()
