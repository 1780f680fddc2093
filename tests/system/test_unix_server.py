"""Servers on abstract Unix sockets: checked, served, shown, and reached from another address by a reload."""

import os

import pytest
from lbd_process import Lbd, Unix, ask, borrowed, until
from origin import Origin

FAST = 'health = { type = "http", path = "/healthz", interval = "100ms", fall = 2, rise = 1 }'


def text(address, check=FAST, listener="127.0.0.1:$web"):
    return (f'[log]\naccess = "stdout"\n[listeners.web]\nbind = "{listener}"\nbackend = "app"\n'
            f'[backends.app]\n{check}\n[backends.app.servers]\na = "{address}"\n')


@pytest.fixture
def name(tmp_path):
    """A name that no other test has."""
    return f"lbd-test-{os.getpid()}-{tmp_path.name}"


def server(lbd):
    return lbd.status()["backends"]["app"]["servers"]["a"]


def test_requests_checks_and_a_reload(tmp_path, name):
    path = tmp_path / "app.sock"
    with Origin("file", path=path), Origin("name", path=f"\0{name}") as abstract, borrowed(text(f"unix:{path}")) as lbd:
        assert lbd.get("web")[1]["server"] == "file"
        lbd.write(text(f"unix:@{name}"))
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        answers = [lbd.get("web") for _ in range(20)]
        assert {(code, said["server"]) for code, said in answers} == {(200, "name")}
        assert server(lbd)["address"] == f"unix:@{name}"

        abstract.healthy = False
        until(lambda: server(lbd)["health"] == "down", "the check fails")
        assert lbd.get("web")[0] == 503
        abstract.healthy = True
        until(lambda: server(lbd)["health"] == "up", "the check passes")
        abstract.stop()
        until(lambda: server(lbd)["health"] == "down", "the name is gone")
        abstract.start()
        until(lambda: server(lbd)["health"] == "up", "the name is back")
        assert lbd.get("web") == (200, {"server": "name", "path": "/"})
        lbd.write(text(f"unix:{path}"))
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        assert lbd.get("web")[1]["server"] == "file"


def test_a_listener_with_such_a_name_over_a_reload_and_an_upgrade(tmp_path, name):
    longest = name.ljust(106, "x")
    with Origin("a", path=f"\0{longest}"), Lbd(text(f"unix:@{longest}", listener=f"unix:@{name}"), 1) as lbd:
        assert ask(Unix(f"\0{name}"), "GET", "/") == (200, {"server": "a", "path": "/"})
        assert lbd.status()["listeners"]["web"]["bind"] == [f"unix:@{name}"]
        assert lbd.admin("POST", "/v1/upgrade")[0] == 202
        until(lambda: len(lbd.logged("ready")) == 2, "the version on disk is ready")
        assert ask(Unix(f"\0{name}"), "GET", "/")[0] == 200
        lbd.write(text(f"unix:@{longest}", listener=f"unix:@{name}-2"))
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        assert ask(Unix(f"\0{name}-2"), "GET", "/")[0] == 200
        until(lambda: refused(name), "nobody listens at the former name")
        assert lbd.stop() == 0


def refused(name):
    try:
        ask(Unix(f"\0{name}"), "GET", "/")
    except ConnectionRefusedError:
        return True
    return False


def test_a_tcp_listener_with_such_a_server(name):
    with Origin("a", path=f"\0{name}"), borrowed(
            f'[listeners.web]\nmode = "tcp"\nbind = "127.0.0.1:$web"\nbackend = "app"\n'
            f'[backends.app]\nservers = {{ a = "unix:@{name}" }}\n') as lbd:
        assert lbd.get("web") == (200, {"server": "a", "path": "/"})
