"""The protocol of a new client connection: the stages that its listener asks for, then that of the listener's mode."""

from lbd.downstream.admission import ClientAdmission
from lbd.downstream.client_hello import AwaitedHello
from lbd.downstream.handshake import Handshake, secure
from lbd.downstream.http1 import Http1Connection
from lbd.downstream.proxy_protocol import ProxyProtocol
from lbd.downstream.stage import Serve, Served
from lbd.downstream.tcp import TcpConnection
from lbd.exchange.streams import Peer
from lbd.net.callbacks import Callbacks
from lbd.routing.listener import Listener


def serve_tcp(admission: ClientAdmission, peer: Peer) -> Served:
    """The connection of a client in `tcp` mode."""
    settings = peer.listener.settings
    if settings.tcp is not None and settings.tcp.routes:
        return AwaitedHello(admission, peer, serve)
    return TcpConnection(admission, peer)


PROTOCOLS: dict[str, Serve] = {"http": Http1Connection, "tcp": serve_tcp}


def serve(admission: ClientAdmission, peer: Peer) -> Served:
    """The connection that serves a client, by the mode of its listener."""
    return PROTOCOLS["http" if peer.listener.settings.tcp is None else "tcp"](admission, peer)


class ClientAcceptor:
    """The acceptor of one listener's clients."""

    def __init__(self, admission: ClientAdmission, listener: Listener) -> None:
        self.admission = admission
        self.listener = listener

    def accept(self) -> Callbacks:
        """The protocol of a new connection."""
        admission, listener = self.admission, self.listener
        settings, peer = listener.settings, Peer(listener)
        if settings.proxy_protocol:
            return ProxyProtocol(admission, peer, serve)
        if settings.tls is not None:
            return secure(admission, settings, Handshake(admission, peer, serve))
        return serve(admission, peer)
