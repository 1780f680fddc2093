"""Addresses of every kind: IPv4, IPv6, Unix sockets and names, as listeners and as servers, and those that fail."""

import os
import signal
import socket
from contextlib import ExitStack, closing

import pytest
from lbd_process import Lbd, Unix, ask, borrowed, free_port, until
from origin import Origin

LISTENERS = '[listeners.web]\nbind = "127.0.0.1:$web"\nbackend = "app"\n'


def config(servers, more="", listeners=LISTENERS):
    return f"{listeners}[backends.app]\n{more}\nservers = {{ {servers} }}\n"


def names(lbd, port="web", asked=12):
    """Which servers answer."""
    return {lbd.get(port)[1]["server"] for _ in range(asked)}


def test_servers_of_every_kind(tmp_path):
    path = tmp_path / "origin.sock"
    with ExitStack() as stack:
        four, six, _ = (stack.enter_context(origin) for origin in (
            Origin("four"), Origin("six", "::1"), Origin("unix", path=path)))
        servers = f'a = "127.0.0.1:{four.port}", b = "[::1]:{six.port}", c = "unix:{path}"'
        lbd = stack.enter_context(borrowed(config(servers, 'health = { type = "http", path = "/healthz" }')))
        assert names(lbd) == {"four", "six", "unix"}
        assert {server["health"] for server in lbd.status()["backends"]["app"]["servers"].values()} == {"up"}


def test_listeners_of_every_kind(tmp_path):
    path = tmp_path / "web.sock"
    binds = f'["127.0.0.1:$web", "[::1]:$web", "unix:{path}", "unix:@{path}"]'
    with Origin("a") as origin, Lbd(config(f'a = "127.0.0.1:{origin.port}"', listeners=LISTENERS.replace(
            '"127.0.0.1:$web"', binds))) as lbd:
        assert lbd.get("web")[0] == 200
        assert lbd.get("web", host="::1")[0] == 200
        assert ask(Unix(str(path)), "GET", "/")[0] == 200
        assert ask(Unix(f"\0{path}"), "GET", "/")[0] == 200
        assert lbd.stop() == 0
        assert not path.exists()


def test_more_addresses_than_one_message_takes():
    """253 descriptors are the most (SCM_MAX_FD); one worker gets all of them."""
    hosts = [f"127.0.1.{number}" for number in range(1, 255)]
    binds = ", ".join(f'"{host}:$web"' for host in ["127.0.0.1", *hosts])
    text = config('a = "127.0.0.1:1"', listeners=LISTENERS.replace('"127.0.0.1:$web"', f"[{binds}]"))
    with Lbd(text, workers=1) as lbd:
        assert {lbd.get("web", host=host)[0] for host in ("127.0.0.1", hosts[0], hosts[-1])} == {502}
        lbd.signal_worker(lbd.workers()[0], signal.SIGKILL)
        until(lambda: len(lbd.logged("worker ended")) == 1 and lbd.workers(), "another one serves")
        assert lbd.get("web", host=hosts[-1])[0] == 502


def test_a_name_with_resolve_all_makes_one_server_of_each_address(tmp_path):
    listed = {entry[4][0] for entry in socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)}
    port = free_port()
    with ExitStack() as stack:
        for host in listed:
            origin = Origin(host, host)
            origin.port = port
            stack.enter_context(origin)
        lbd = stack.enter_context(borrowed(config(f'a = "localhost:{port}"', "resolve_all = true")))
        assert set(lbd.status()["backends"]["app"]["servers"]) == {f"a@{host}" for host in listed}
        assert names(lbd) == listed


def test_a_name_that_is_not_known_is_down_and_the_others_serve():
    with Origin("a") as origin, borrowed(config(f'a = "127.0.0.1:{origin.port}", b = "nowhere.invalid:80"')) as lbd:
        assert names(lbd) == {"a"}
        server = lbd.status()["backends"]["app"]["servers"]["b"]
        assert server["health"] == "down"
        assert "nowhere.invalid is not resolved" in server["reason"]


def refusal(text, **more):
    """The lines of a daemon that does not start, which must end with code 1."""
    with closing(Lbd(text, **more)) as lbd:
        lbd.start(wait=False)
        assert lbd.wait() == 1
        assert not lbd.workers()
        return lbd.log()


def test_a_port_in_use_says_by_whom():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        log = refusal(config('a = "127.0.0.1:1"'), ports={"web": taken.getsockname()[1]})
    assert "cannot listen on 127.0.0.1:" in log
    assert "listeners.web.bind" in log
    assert f"(pid {os.getpid()})" in log
    assert "stop that process or choose another port" in log


def test_a_live_unix_socket_is_not_taken_and_a_dead_one_is_replaced(tmp_path):
    path = tmp_path / "web.sock"
    text = config('a = "127.0.0.1:1"', listeners=LISTENERS.replace("127.0.0.1:$web", f"unix:{path}"))
    with socket.socket(socket.AF_UNIX) as live:
        live.bind(str(path))
        live.listen()
        assert "listens there; stop it" in refusal(text)
    with Lbd(text):
        assert ask(Unix(str(path)), "GET", "/")[0] in (502, 503)


@pytest.mark.parametrize(("bind", "said"), [
    ("192.0.2.1:8080", "no interface of this machine has that address"),
    ("unix:/nowhere/at/all.sock", "the directory does not exist"),
])
def test_an_address_that_cannot_be(bind, said):
    log = refusal(config('a = "127.0.0.1:1"', listeners=LISTENERS.replace("127.0.0.1:$web", bind)))
    assert f"cannot listen on {bind} (listeners.web.bind): {said}" in log


def test_a_missing_file_is_told_before_anything_serves(tmp_path):
    log = refusal(config('a = "127.0.0.1:1"') + f'[errors]\n503 = "{tmp_path}/missing.html"\n')
    assert "errors.503" in log
