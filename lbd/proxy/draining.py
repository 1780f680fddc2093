"""Draining: the end of connections to servers that are removed or cut, of clients of removed listeners, and of those
that are being closed.

Idle clients leave one after another, so that they do not come back all at once elsewhere; and so do tunnels, in the
second half of the time.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping

from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint
from lbd.exchange import failures, pinned, tunnel
from lbd.exchange.context import Ticking, WorkerContext
from lbd.exchange.exchange import Exchange
from lbd.exchange.states import CONNECT, NEW, RELAY, TUNNEL, WAIT
from lbd.exchange.streams import ClientConnection, Requester
from lbd.routing.listener import Listener
from lbd.stats import endings, fields
from lbd.upstream.closing import close_idle

TICK = 0.1            # seconds between two calls of `tick`
QUIET = 0.5           # seconds without a request before a client is closed: sooner, its next may be on its way


class Draining:
    """The connections of one worker that end; `clients` are all there are, `backends` gives those in force. Times are
    monotonic seconds."""

    def __init__(self, context: WorkerContext, clients: Collection[ClientConnection],
                 backends: Callable[[], Mapping[str, Backend]]) -> None:
        self._context = context
        self._everyone = clients
        self._backends = backends
        self._ends: dict[Listener | Server, tuple[float, int]] = {}      # by cause: when, and the ending then
        self._halves: dict[Listener | Server, float] = {}   # when half of the time is over
        self._idle: dict[ClientConnection, tuple[float, float]] = {}     # its deadline, and since when it is the same

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
            backend = self._backends().get(endpoint.backend)
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
            self.cut_due(self._context.clock())

    def cut(self, servers: Collection[Server], ending: int) -> None:
        """End the connections to these servers now: requests are retried at others where they may, answers break off,
        tunnels and idle connections are closed."""
        everyone: list[ClientConnection | Ticking] = [*self._everyone, *self._context.streams]
        for client in everyone:
            for exchange in client.requests():
                if exchange.server in servers:
                    forsake(exchange, ending)
            for connection in pinned.held(client.peer):
                if connection.server in servers and connection in connection.server.connections.pinned:
                    connection.close()
        for server in servers:
            close_idle(server)

    def cut_due(self, now: float) -> None:
        """Cut the servers whose planned moment has come."""
        servers = {cause for cause, (ends, ending) in self._ends.items()
                   if ending == endings.OPERATOR_CUT and ends <= now and isinstance(cause, Server)}
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
        for client in self._everyone:
            for exchange in client.requests() if client.peer.listener is listener else ():
                if NEW <= exchange.state <= WAIT:       # its answer says that it is the last one
                    exchange.keep = False

    def tick(self, now: float) -> None:
        """Close and cut the connections that are due."""
        if self._ends:
            self.cut_due(now)
            self._clients(now)

    def _clients(self, now: float) -> None:
        leaving: dict[Listener | Server, list[ClientConnection]] = defaultdict(list)
        before, self._idle = self._idle, {}
        left = set()
        for client in list(self._everyone):
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
            elif tunnels(client) and now >= self._halves.setdefault(cause, (now + ends) / 2):
                leaving[cause].append(client)
        for stream in list(self._context.streams):
            cause = self._cause(stream)
            if cause is not None:
                left.add(cause)
                if self._ends[cause][0] <= now:
                    stream.stop(self._ends[cause][1])
        for cause, clients in leaving.items():
            time, ending = self._ends[cause][0] - now, self._ends[cause][1]
            for client in clients[:int(len(clients) * TICK / time) + 1 if time > TICK else None]:
                if client.idle and (time <= 0 or not unread(client)):
                    client.dismiss()
                for exchange in tunnels(client):
                    tunnel.hang_up(exchange, exchange.upstream, ending)
        self._ends = {cause: known for cause, known in self._ends.items() if known[0] > now or cause in left}
        self._halves = {cause: half for cause, half in self._halves.items() if cause in self._ends}

    def _cause(self, client: ClientConnection | Ticking) -> Listener | Server | None:
        """The cause for this client to leave: its listener or the server of a request, whichever ends first."""
        servers = [exchange.server for exchange in client.requests() if exchange.server is not None]
        servers += [connection.server for connection in pinned.held(client.peer) if connection.server.gone]
        found: list[Listener | Server] = [cause for cause in (client.peer.listener, *servers) if cause in self._ends]
        return min(found, key=self._ends.__getitem__, default=None)


def tunnels(client: ClientConnection) -> list[Exchange]:
    """The tunnels of a client."""
    return [exchange for exchange in client.requests()
            if isinstance(exchange, Exchange) and exchange.state == TUNNEL]


def unread(client: ClientConnection) -> bool:
    """Whether something that the client sent lies there: its next request is read and answered, as its last one."""
    return client.peer.transport is not None and client.peer.transport.is_readable()


def forsake(exchange: Requester, ending: int) -> None:
    """Wait for the server no longer: it is down (`on_down`), or an operator cuts it."""
    assert isinstance(exchange, Exchange)
    state, context = exchange.state, exchange.context
    status, blamed = endings.ENDINGS[ending].status, endings.ENDINGS[ending].blame == endings.SERVER
    if state in (RELAY, TUNNEL):
        exchange.broken(ending)
    elif state == CONNECT or (CONNECT <= state <= WAIT and exchange.replay and failures.idempotent(exchange)):
        failures.retry(exchange, context, fields.BACKEND_RETRIES_LOST, ending, blamed, spent=state != CONNECT)
    elif CONNECT <= state <= WAIT:
        exchange.drop_server(blamed)
        exchange.refuse(status, ending)
