"""Keepalive of TCP as the kernel tells of it: on both sides of a tunnel, and a reload is for new connections only."""

import socket
import subprocess

import pytest
from lbd_process import Lbd, free_port, until

TEXT = """
[listeners.db]
bind = "127.0.0.1:$db"
mode = "tcp"
backend = "db"
{listener}
[backends.db]
{backend}
servers = {{ a = "127.0.0.1:{port}" }}
"""


def timers(side: str, port: int) -> list[bool]:
    """Whether probes are set for each connection of lbd with this port at its own (`sport`) or the other end."""
    try:
        told = subprocess.run(["ss", "-tnoH", "state", "established", side, "=", f":{port}"], capture_output=True,
                              text=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("ss is not installed")
    return sorted("timer:(keepalive" in line for line in told.splitlines())


def test_tunnels_are_probed_and_a_reload_is_for_new_ones() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as server, \
            Lbd(TEXT.format(listener="", backend="", port=port), workers=1) as lbd:
        where = "127.0.0.1", lbd.port("db")
        with socket.create_connection(where), server.accept()[0]:
            until(lambda: timers("sport", where[1]) == [True], "the client is probed")
            assert timers("dport", port) == [True]
            lbd.write(TEXT.format(listener="tcp_keepalive = false", backend="tcp_keepalive = false", port=port))
            assert lbd.admin("POST", "/v1/reload")[0] == 200
            with socket.create_connection(where), server.accept()[0]:
                assert timers("sport", where[1]) == [False, True]
                assert timers("dport", port) == [False, True]
