"""Operators cut what is at a server of the real daemon: at once or after a time, in all workers, over every change."""

import contextlib
import http.client
import json
import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from lbd_process import Lbd, Unix, borrowed, until
from origin import Origin

from lbd.cli.command_line import main

TEXT = """
[listeners.db]
bind = "127.0.0.1:$db"
mode = "tcp"
backend = "db"
[backends.db]
algorithm = "round-robin"
[backends.db.servers]
"""
WEB = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app.servers]
"""
LIMIT = 20.0


class Echo:
    """A server that says its name to whoever connects, and then what it is told."""

    def __init__(self, name):
        self.name = name.encode()
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self._accept)
        self.open = []

    def _accept(self):
        while True:
            try:
                connection = self.sock.accept()[0]
            except OSError:
                return
            self.open.append(connection)
            connection.sendall(self.name)
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection):
        with contextlib.suppress(OSError):
            while data := connection.recv(100):
                connection.sendall(data)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.sock.close()
        for connection in self.open:
            connection.close()


@pytest.fixture
def servers():
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(Echo(name)) for name in "ab"}


@pytest.fixture
def tunnels(servers):
    """Makes tunnels to both servers by every worker; returns them by server."""
    made = {"a": [], "b": []}

    def connect(lbd):
        for _ in range(20):
            for _ in range(10):
                client = socket.create_connection(("127.0.0.1", lbd.port("db")), timeout=LIMIT)
                made[client.recv(1).decode()].append(client)
            if len(made["a"]) > 3 and all(worker["connections"] > 3 for worker in lbd.status()["workers"]):
                return made
        raise AssertionError("a worker got none of two hundred connections")

    yield connect
    for client in made["a"] + made["b"]:
        client.close()


def text(servers):
    return TEXT + "".join(f'{name} = "127.0.0.1:{server.port}"\n' for name, server in servers.items())


def command(lbd, *words):
    return main([*words, "--admin", f"unix:{lbd.path}/admin.sock"])


def patch(lbd, path, wishes):
    connection = Unix(f"{lbd.path}/admin.sock")
    with contextlib.closing(connection):
        connection.request("PATCH", path, json.dumps(wishes))
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def facts(lbd, name):
    return lbd.status()["backends"]["db"]["servers"][name]


def cuts(lbd):
    """Tunnels and requests that operators cut so far."""
    return lbd.counted('lbd_endings_total{ending="operator-cut"}')


def ended(client):
    """The connection ends, in order or by a reset."""
    with contextlib.suppress(ConnectionResetError):
        assert client.recv(1) == b""


def lives(client):
    client.sendall(b"?")
    assert client.recv(1) == b"?"


def ask(lbd, method):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", lbd.port("web"), timeout=LIMIT)) as client:
        client.request(method, "/held")
        response = client.getresponse()
        return response.status, response.read()


def test_tunnels_are_cut_in_all_workers_and_another_servers_stay(servers, tunnels):
    with borrowed(text(servers)) as lbd:
        before = cuts(lbd)
        made = tunnels(lbd)
        assert command(lbd, "maint", "db/a", "--cut") == 0
        for client in made["a"]:
            ended(client)
        for client in made["b"]:
            lives(client)
        until(lambda: cuts(lbd) == before + len(made["a"]), "counted")
        until(lambda: facts(lbd, "a")["in_flight"] == facts(lbd, "a")["connections"] == 0, "nothing is left")
        with socket.create_connection(("127.0.0.1", lbd.port("db")), timeout=LIMIT) as client:
            assert client.recv(1) == b"b"


def test_requests_that_are_cut_go_elsewhere_where_they_may():
    with Origin("a") as a, Origin("b") as b, ThreadPoolExecutor() as pool, \
            borrowed(WEB + f'a = "127.0.0.1:{a.port}"\nb = "127.0.0.1:{b.port}"\n') as lbd:
        before = cuts(lbd)
        assert command(lbd, "drain", "app/b", "--wait") == 0
        asked = {method: pool.submit(ask, lbd, method) for method in ("GET", "POST")}
        for _ in asked:
            assert a.held.acquire(timeout=LIMIT)
        assert command(lbd, "ready", "app/b") == 0
        until(lambda: lbd.get("web")[1] == {"server": "b", "path": "/"}, "b serves again")
        assert command(lbd, "drain", "app/a", "--cut", "--wait") == 0
        assert asked["POST"].result(LIMIT)[0] == 503
        assert b.held.acquire(timeout=LIMIT)
        b.release.set()
        status, body = asked["GET"].result(LIMIT)
        assert (status, json.loads(body)["server"]) == (200, "b")
        until(lambda: cuts(lbd) == before + 1, "the one is counted")


def test_a_planned_cut_lasts_over_reloads_and_workers_until_it_is_called_off(servers, tunnels):
    with borrowed(text(servers)) as lbd:
        made = tunnels(lbd)
        assert command(lbd, "maint", "db", "--cut", "1h") == 0
        moment = facts(lbd, "a")["cut_at"]
        assert moment
        lbd.write(text(servers) + f'c = "127.0.0.1:{servers["b"].port}"\n')
        assert lbd.admin("POST", "/v1/reload?force=1")[0] == 200
        assert facts(lbd, "a")["cut_at"] == moment
        for client in made["a"] + made["b"]:
            lives(client)
        victim = lbd.workers()[0]
        lbd.signal_worker(victim, signal.SIGKILL)
        until(lambda: victim not in lbd.workers() and len(lbd.status()["workers"]) == 2
              and all(worker["state"] == "serving" for worker in lbd.status()["workers"]), "another worker serves")
        assert facts(lbd, "a")["cut_at"] == moment
        assert command(lbd, "ready", "db/a") == 0
        assert (facts(lbd, "a")["cut_at"], facts(lbd, "b")["cut_at"]) == (None, moment)
        with socket.create_connection(("127.0.0.1", lbd.port("db")), timeout=LIMIT) as client:
            assert client.recv(1) == b"a"
            assert patch(lbd, "/v1/backends/db", {"cut": "1s"})[0] == 200     # of those that are out
            for one in made["b"]:
                ended(one)
            lives(client)


def test_a_cut_after_a_time_lasts_over_a_reload(servers, tunnels):
    with borrowed(text(servers)) as lbd:
        before = cuts(lbd)
        made = tunnels(lbd)
        assert command(lbd, "drain", "db/a", "--cut", "1s") == 0
        lbd.write(text(servers) + f'c = "127.0.0.1:{servers["b"].port}"\n')
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        for client in made["a"]:
            ended(client)
        for client in made["b"]:
            lives(client)
        until(lambda: cuts(lbd) == before + len(made["a"]), "counted")


def test_a_planned_cut_lasts_over_an_upgrade_in_the_workers_that_drain(servers, tunnels):
    with Lbd(text(servers), settings='drain_timeout = "10m"') as lbd:
        made = tunnels(lbd)
        before = lbd.workers()
        lbd.may_be_left()
        assert command(lbd, "maint", "db/a", "--cut", "4s") == 0
        moment = facts(lbd, "a")["cut_at"]
        assert lbd.admin("POST", "/v1/upgrade")[0] == 202
        until(lambda: len(lbd.logged("ready")) == 2, "the next image serves")
        assert facts(lbd, "a")["cut_at"] == moment
        for client in made["a"]:
            ended(client)
        for client in made["b"]:
            lives(client)
        assert all(os.path.exists(f"/proc/{pid}") for pid in before)


REFUSED = [
    ({"cut": "0s"}, "takes requests"), ({"mode": "ready", "cut": "30s"}, "takes requests"),
    ({"mode": "maint", "cut": 30}, "is a number without a unit"), ({"mode": "maint", "cut": "-1s"}, "cut")]


def test_what_is_refused_changes_nothing(servers):
    with borrowed(text(servers)) as lbd:
        for wishes, detail in REFUSED:
            status, data = patch(lbd, "/v1/backends/db/servers/a", wishes)
            assert status == 422
            assert detail in json.dumps(data)
        assert (facts(lbd, "a")["mode"], facts(lbd, "a")["cut_at"]) == ("ready", None)
