"""The protocol of a new connection: the stages that its listener asks for, in order."""

import ssl
import time
from types import SimpleNamespace
from typing import Any

import pytest

from lbd import schema
from lbd.downstream.acceptor import ClientAcceptor, serve
from lbd.downstream.admission import ClientAdmission
from lbd.downstream.client_hello import AwaitedHello
from lbd.downstream.http1 import Http1Connection
from lbd.downstream.proxy_protocol import ProxyProtocol
from lbd.downstream.tcp import TcpConnection
from lbd.exchange.context import WorkerContext
from lbd.exchange.streams import Peer
from lbd.net.secure import Secure
from lbd.net.wakeups import Wakeups
from tests import built

LOOP: Any = None       # nothing is called later
CONTEXT = WorkerContext(LOOP, built.BOARD, 0, time.monotonic, Wakeups((), 0))
ADMISSION = ClientAdmission(CONTEXT, tuple, lambda: None)
ROUTES = (schema.RouteConfig(sni="example.com"),)
TERMINATED = SimpleNamespace(server_tls=SimpleNamespace(context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)))


def listener(mode: str, routes: tuple[schema.RouteConfig, ...] = (), **more: Any) -> Any:
    return built.listener(schema.ListenerConfig((), mode), routes, **more)


@pytest.mark.parametrize(("given", "kind"), [
    (listener("http"), Http1Connection), (listener("tcp"), TcpConnection), (listener("tcp", ROUTES), AwaitedHello),
    (listener("http", tls=TERMINATED), Secure), (listener("tcp", tls=TERMINATED), Secure),
    (listener("http", proxy_protocol=True), ProxyProtocol),
    (listener("tcp", ROUTES, proxy_protocol=True, tls=TERMINATED), ProxyProtocol),
])
def test_the_first_stage(given: Any, kind: type) -> None:
    assert type(ClientAcceptor(ADMISSION, given).accept()) is kind


@pytest.mark.parametrize(("given", "kind"), [
    (listener("http", tls=TERMINATED, proxy_protocol=True), Http1Connection),
    (listener("tcp", tls=TERMINATED, proxy_protocol=True), TcpConnection),
    (listener("tcp", ROUTES, proxy_protocol=True), AwaitedHello),
])
def test_the_last_one(given: Any, kind: type) -> None:
    peer = Peer(given)
    made = serve(ADMISSION, peer)
    assert type(made) is kind
    assert made.peer is peer


def test_each_connection_has_its_own_peer() -> None:
    given = listener("http")
    acceptor = ClientAcceptor(ADMISSION, given)
    one: Any = acceptor.accept()
    other: Any = acceptor.accept()
    assert one.peer is not other.peer
    assert one.peer.listener is given
