"""The options of TCP sockets: keepalive probes, and how long sent data may stay unacknowledged."""

import math
import socket
from collections.abc import Mapping

from lbd import schema
from lbd.schema.keepalive import OFF, Keepalive

Options = tuple[tuple[int, int, int], ...]      # level, name and value, as setsockopt(2) has them


def of_listener(settings: schema.ListenerConfig) -> Options:
    """The options of a listening socket, which the kernel hands down to the connections. All are there, so that a
    reload also takes back what another generation set."""
    probes = _probes(settings.tcp_keepalive, settings.mode == "tcp")
    return _keepalive(probes) + _user_timeout(settings.tcp_user_timeout or 0.0)


def of_backends(config: schema.Config) -> Mapping[str, Options]:
    """The options of connections to the servers of each backend, where they differ from the kernel's defaults."""
    tcp = {name for listener in config.listeners.values() if listener.mode == "tcp"
           for name in (listener.backend, *(route.backend for route in listener.routes))}
    found = {}
    for name, settings in config.backends.items():
        probes = _probes(settings.tcp_keepalive, name in tcp)
        found[name] = (_keepalive(probes) if probes != OFF else ()) + (
            _user_timeout(settings.tcp_user_timeout) if settings.tcp_user_timeout else ())
    return found


def _probes(given: Keepalive | None, tcp: bool) -> Keepalive:
    """Tunnels may be silent for an hour, and what stands between closes them sooner; requests are not."""
    return given if given is not None else Keepalive() if tcp else OFF


def _keepalive(probes: Keepalive) -> Options:
    if probes == OFF:
        return ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0),)
    return ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, math.ceil(probes.idle)),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, math.ceil(probes.interval)),
            (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, probes.count))


def _user_timeout(seconds: float) -> Options:
    return ((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, math.ceil(seconds * 1000)),)
