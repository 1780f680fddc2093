"""Servers that fail their checks or die: out at once, back by themselves, and no client sees it where a retry helps."""

import pytest
from lbd_process import borrowed, until
from load import Load
from origin import Origin

from lbd.balance import ALGORITHMS

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[health.web]
type = "http"
path = "/not-there"
interval = "1h"
fall = 1
rise = 1
[backends.app]
health = "web"
%s
servers = { a = "127.0.0.1:%d", b = "127.0.0.1:%d" }
"""
OPTIONS = ("--health-interval", "50ms", "--health-path", "/healthz")
# What an algorithm cannot do without.
EXTRA = {"consistent-hash": ', key = "url"', "maglev": ', key = "url"'}


@pytest.fixture
def servers():
    with Origin("a") as a, Origin("b") as b:
        yield a, b


def text(servers, more=""):
    return TEXT % (more, *(server.port for server in servers))


def health(lbd):
    return {name: server["health"] for name, server in lbd.status()["backends"]["app"]["servers"].items()}


def test_a_server_leaves_and_returns_with_period_and_path_of_the_command_line(servers):
    a, b = servers
    with borrowed(text(servers), OPTIONS) as lbd:
        assert health(lbd) == {"a": "up", "b": "up"}
        with Load(lbd.port("web"), connections=4) as load:
            for name, server, other in (("a", a, b), ("b", b, a)):
                server.healthy = False
                until(lambda name=name: health(lbd)[name] == "down", "down")
                goal = load.total + 50
                until(lambda goal=goal: load.total > goal, "the other serves")
                before = server.requests
                asked = other.requests
                until(lambda other=other, asked=asked: other.requests > asked + 50, "the other serves all")
                assert server.requests == before
                server.healthy = True
                until(lambda name=name: health(lbd)[name] == "up", "up")
                until(lambda server=server, before=before: server.requests > before, "it serves again")
        assert load.lost == load.refused == 0
        assert set(load.answered) == {200}
        told = [(event["server"], event["event"]) for event in lbd.events() if event.get("server")]
        assert told[-4:] == [("a", "server down"), ("a", "server up"), ("b", "server down"), ("b", "server up")]


def test_no_server_that_is_up_is_a_503_with_a_time_to_come_back(servers):
    for server in servers:
        server.healthy = False
    with borrowed(text(servers), OPTIONS) as lbd:
        assert lbd.get("web")[0] == 503
        servers[0].healthy = True
        until(lambda: lbd.get("web")[0] == 200, "one is up")


def test_a_server_is_checked_at_a_port_of_its_own_or_not_at_all(servers):
    a, b = servers
    a.healthy = b.healthy = False
    with Origin("sidecar") as sidecar:
        listed = (f'servers = {{ a = {{ address = "127.0.0.1:{a.port}", check_port = {sidecar.port} }}, '
                  f'b = {{ address = "127.0.0.1:{b.port}"%s }} }}\n')
        begin = text(servers).partition("servers =")[0]
        with borrowed(begin + listed % "", OPTIONS) as lbd:
            assert health(lbd) == {"a": "up", "b": "down"}
            lbd.write(begin + listed % ", check = false")
            assert lbd.admin("POST", "/v1/reload")[0] == 200
            assert health(lbd) == {"a": "up", "b": "up"}
            assert {lbd.get("web")[0] for _ in range(4)} == {200}
            assert b.requests > 0
            lbd.write(begin + listed % "")
            assert lbd.admin("POST", "/v1/reload")[0] == 200
            assert health(lbd)["b"] == "down"
            sidecar.healthy = False
            until(lambda: health(lbd)["a"] == "down", "down by the answer at the other port")


@pytest.fixture(scope="module")
def pair():
    with Origin("a") as a, Origin("b") as b, borrowed(text((a, b)), OPTIONS) as lbd:
        yield a, b, lbd


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_no_client_sees_a_server_die(pair, algorithm):
    a, b, lbd = pair
    lbd.write(text((a, b), f'algorithm = {{ name = "{algorithm}"{EXTRA.get(algorithm, "")} }}'))
    assert lbd.admin("POST", "/v1/reload")[0] == 200, lbd.log()
    assert lbd.status()["backends"]["app"]["algorithm"] == algorithm
    with Load(lbd.port("web"), connections=8) as load:
        for _ in range(2):
            until(lambda goal=load.total + 50: load.total > goal, "answers")
            a.stop()
            until(lambda: health(lbd)["a"] == "down", "down")
            until(lambda goal=load.total + 50: load.total > goal, "answers without it")
            a.start()
            until(lambda: health(lbd)["a"] == "up", "up")
    assert load.lost == load.refused == 0
    assert set(load.answered) == {200}
