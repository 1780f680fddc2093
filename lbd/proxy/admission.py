"""The admission of clients in one worker: accepting, below the limit of connections, and the object for each client."""

import socket
import sys
from functools import partial
from typing import Any

from lbd.log.logger import logger
from lbd.net.mould import Mould
from lbd.net.secure import Secure
from lbd.proxy.client import Client
from lbd.proxy.handshake import Handshake, plain
from lbd.proxy.listener import Listener, ListenerSettings
from lbd.proxy.passthrough import Passthrough
from lbd.proxy.proxy_protocol import ProxyProtocol
from lbd.proxy.tcp import TcpClient
from lbd.stats import fields
from lbd.stats.scoreboard import Record
from lbd.tls.handshake_limiter import HandshakeLimiter

LISTENER_CONNECTIONS = fields.LISTENER_CONNECTIONS
LISTENER_ACCEPTED = fields.LISTENER_ACCEPTED


class ClientAdmission:
    """The client connections of one worker. `limit` is how many there may be at a time: at it, accepting pauses."""

    __slots__ = ("_handshakes", "_plane", "_process", "limit", "paused")

    def __init__(self, plane: Any) -> None:
        self._plane = plane
        self._process = plane.assembly.process
        self._handshakes = HandshakeLimiter(plane.loop)
        self.limit = sys.maxsize
        self.paused = False

    def listen(self, listener: Listener, sock: socket.socket) -> None:
        """Accept from a bound, listening socket, which the listener owns now."""
        listener.acceptors.append(self._plane.net.listen(sock, partial(self.make_client, listener)))
        if self.paused:
            listener.acceptors[-1].pause()

    def renew_prototypes(self) -> None:
        """Make the prototypes of which new connections are copies, for all listeners."""
        for listener in self._plane.in_force.listeners.values():
            settings = listener.settings
            kind = (ProxyProtocol if settings.proxy_protocol else Handshake if settings.tls is not None
                    else self.kind_of(listener))
            listener.mould = Mould(kind(self._plane, listener))

    def make_client(self, listener: Listener) -> Client | Secure:
        """The protocol of a new connection."""
        client: Client = listener.mould.make()
        client.record = Record(self._process)
        settings = listener.settings
        return client if settings.tls is None or settings.proxy_protocol else self.secure(settings, client)

    def secure(self, settings: ListenerSettings, handshake: Client) -> Secure:
        """The end of TLS below the protocol of a client."""
        assert settings.tls is not None
        return Secure(settings.tls.server_tls.context, handshake, self._handshakes,
                      None if settings.tcp is not None else plain)

    def kind_of(self, listener: Listener) -> type[Client]:
        """The class that serves a connection once its client is known."""
        settings = listener.settings
        if settings.tcp is not None:
            return Passthrough if settings.tcp.routes else TcpClient
        kind: type[Client] = self._plane.explanations.kind
        return kind

    def connected(self, client: Client) -> None:
        """Count a new connection."""
        clients = self._plane.timers.clients
        clients.add(client)
        client.listener.row.both(LISTENER_CONNECTIONS, LISTENER_ACCEPTED)
        if len(clients) >= self.limit and not self.paused:
            client.listener.row.add(fields.LISTENER_LIMITED, 1)
            self.keep_limit()

    def disconnected(self, client: Client) -> None:
        """Forget a connection that is gone."""
        plane, listener = self._plane, client.listener
        plane.timers.clients.discard(client)
        listener.row.add(LISTENER_CONNECTIONS, -1)
        if listener.limits is not None:
            listener.limits.disconnected(client)
        if self.paused:
            self.keep_limit()
        plane.client_gone()

    def keep_limit(self) -> None:
        """Accept while there are fewer clients than the limit."""
        count = len(self._plane.timers.clients)
        full = self.limit <= count
        if full == self.paused:
            return
        self.paused = full
        if full:
            logger.warning("connection limit reached, accepting pauses", connections=count)
        for listener in self._plane.in_force.listeners.values():
            for acceptor in listener.acceptors:
                if full:
                    acceptor.pause()
                else:
                    acceptor.resume()
