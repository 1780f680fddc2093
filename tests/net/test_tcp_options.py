"""Tests of lbd.net.tcp_options: on in tcp and for the backends that it uses, and as the settings say."""

import contextlib
import os
import socket
import stat
from pathlib import Path

import pytest

from lbd import schema
from lbd.net import tcp_options
from lbd.schema.keepalive import OFF, Keepalive
from tests.rig import Peer, Rig, Stage, answer, configuration, generation, request

ON = {(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 120),
      (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 30), (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)}
NO = {(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)}
PATIENCE = {(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)}
DEFAULT = {(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 0)}


@pytest.mark.parametrize(("mode", "given", "patience", "options"), [
    ("tcp", None, None, ON | DEFAULT), ("http", None, None, NO | DEFAULT), ("tcp", OFF, None, NO | DEFAULT),
    ("http", Keepalive(), 1.5, ON | PATIENCE),
])
def test_listeners(mode: str, given: Keepalive | None, patience: float | None, options: set[object]) -> None:
    listener = schema.ListenerConfig(bind=(), mode=mode, tcp_keepalive=given, tcp_user_timeout=patience)
    assert set(tcp_options.of_listener(listener)) == options


def test_backends() -> None:
    plain = schema.BackendConfig()
    config = schema.Config(
        listeners={"web": schema.ListenerConfig(bind=(), backend="web"), "db": schema.ListenerConfig(
            bind=(), mode="tcp", backend="db", routes=(schema.RouteConfig(sni="a", backend="routed"),))},
        backends={"web": plain, "db": plain, "routed": plain,
                  "asked": schema.BackendConfig(tcp_keepalive=Keepalive(1.5, 1, 2)),
                  "off": schema.BackendConfig(tcp_keepalive=OFF, tcp_user_timeout=1.5)})
    found = {name: set(options) for name, options in tcp_options.of_backends(config).items()}
    assert found["web"] == set()
    assert found["db"] == found["routed"] == ON
    assert (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 2) in found["asked"]
    assert found["off"] == PATIENCE


def opened(port: int) -> socket.socket:
    """A duplicate of this process's connection to that port."""
    for name in os.listdir("/proc/self/fd"):
        if not os.path.exists(f"/proc/self/fd/{name}") or not stat.S_ISSOCK(os.stat(int(name)).st_mode):
            continue
        sock = socket.socket(fileno=os.dup(int(name)))
        with contextlib.suppress(OSError, IndexError):
            if sock.getpeername()[1] == port:
                return sock
        sock.close()
    raise AssertionError(f"no connection to {port}")


async def test_connections_to_servers_and_a_reload(rig: Rig, stage: Stage, tmp_path: Path) -> None:
    text = f'listeners.web = {{ bind = "127.0.0.1:1", backend = "app" }}\nbackends.app.servers.a = "{stage.address}"\n'
    text += "backends.app.max_idle = 0\n"
    rig.start(configuration(text, tmp_path))
    port = int(stage.address.rpartition(":")[2])
    for more, keepalive, patience in (("", 0, 0), ("backends.app.tcp_keepalive = { idle = '7s' }\n"
                                                   "backends.app.tcp_user_timeout = '9s'\n", 7, 9000), ("", 0, 0)):
        rig.apply(generation(configuration(text + more, tmp_path)))
        client = await Peer.connect(rig.address)
        await client.send(request("/", "Connection: close"))
        server = await stage.accept()
        with opened(port) as sock:
            assert bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) is bool(keepalive)
            if keepalive:
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == keepalive
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == patience
        await server.head()
        await server.send(answer())
        await client.message()
        server.close()
        client.close()
        await rig.until(lambda: rig.plane.clients == 0)
