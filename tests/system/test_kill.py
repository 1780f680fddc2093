"""Servers that are killed, or lose one connection after the other, under load and with each algorithm: repeatable
requests never fail for it."""

import contextlib
import subprocess
import sys

import pytest
from lbd_process import ROOT, borrowed, free_port, until
from load import Load
from wicked import Wicked

from lbd.balance import ALGORITHMS

CONNECTIONS = 24
CUTS = 40       # connections that are reset with a request in hand
TEXT = """
[listeners.killed]
bind = "127.0.0.1:$killed"
backend = "killed"
[listeners.cut]
bind = "127.0.0.1:$cut"
backend = "cut"
[health.web]
type = "http"
path = "/healthz"
interval = "100ms"
timeout = "5s"
rise = 2
fall = 2
[backends.killed]
health = "web"
algorithm = %(algorithm)s
servers = { a = "127.0.0.1:%(a)d", b = "127.0.0.1:%(b)d", c = "127.0.0.1:%(c)d" }
[backends.cut]
algorithm = %(algorithm)s
servers = { a = "127.0.0.1:%(x)d", b = "127.0.0.1:%(y)d" }
"""
# What an algorithm cannot do without, or would make the test wait for.
EXTRA = {"consistent-hash": ', key = "url"', "maglev": ', key = "url"', "least-time": ', decay = "500ms"'}
QUICK = ("weighted-round-robin", "source-ip-hash")      # one that may go on anywhere, and one whose key says where


class Demo:
    """A demo server: a process of its own on one port, as often as it is started."""

    def __init__(self, name):
        self.port = free_port()
        self._words = ["demo-server", "--port", str(self.port), "--name", name, "--delay", "5ms"]
        self._process = None

    def __enter__(self):
        self.begin()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        self.begin()
        self.listens()

    def begin(self):
        self._process = subprocess.Popen([sys.executable, "-m", "lbd", *self._words], cwd=ROOT, stdout=subprocess.PIPE)

    def listens(self):
        """Return when it does."""
        assert b"listening" in self._process.stdout.readline()

    def kill(self):
        """SIGKILL, to this one process."""
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="module")
def world():
    """The daemon, servers to be killed and servers to be cut, by name."""
    with contextlib.ExitStack() as stack:
        demos = {name: stack.enter_context(Demo(name)) for name in "abc"}
        for demo in demos.values():
            demo.listens()
        wicked = {name: stack.enter_context(Wicked(seconds=0.005)) for name in "ab"}
        ports = {**{name: demo.port for name, demo in demos.items()},
                 "x": wicked["a"].port, "y": wicked["b"].port}
        lbd = stack.enter_context(borrowed(TEXT % {"algorithm": '"random"', **ports}))
        yield lbd, demos, wicked, ports


@pytest.fixture(params=[name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
                        for name in sorted(ALGORITHMS)])
def algorithm(request, world):
    """In force in the whole daemon."""
    lbd, _, _, ports = world
    name = request.param
    lbd.write(TEXT % {"algorithm": f'{{ name = "{name}"{EXTRA.get(name, "")} }}', **ports})
    assert lbd.admin("POST", "/v1/reload")[0] == 200, lbd.log()
    assert {backend["algorithm"] for backend in lbd.status()["backends"].values()} == {name}


def servers(lbd, backend):
    return lbd.status()["backends"][backend]["servers"]


def busiest(lbd, backend, load):
    """The server that gets most of the load now."""
    before = {name: server["requests"] for name, server in servers(lbd, backend).items()}
    until(lambda goal=load.total + 300: load.total > goal, "a load")
    after = {name: server["requests"] for name, server in servers(lbd, backend).items()}
    return max(after, key=lambda name: after[name] - before[name])


def returns(lbd, victim):
    """Lines of the log about the server coming up."""
    return [line for line in lbd.logged("server up") if (line["backend"], line["server"]) == ("killed", victim)]


@pytest.mark.usefixtures("algorithm")
def test_a_server_killed_under_load_is_seen_by_no_client(world):
    lbd, demos, _, _ = world
    with Load(lbd.port("killed"), connections=CONNECTIONS) as load:
        victim = busiest(lbd, "killed", load)
        repeated, before = lbd.counted("lbd_retries_total{"), len(returns(lbd, victim))
        demos[victim].kill()
        until(lambda: servers(lbd, "killed")[victim]["health"] == "down", "down")
        until(lambda goal=load.total + 500: load.total > goal, "the others serve")
        assert lbd.counted("lbd_retries_total{") > repeated
        asked = servers(lbd, "killed")[victim]["requests"]
        demos[victim].start()
        until(lambda: len(returns(lbd, victim)) > before, "up")
        assert returns(lbd, victim)[-1]["reason"].endswith("2 of 2 passed")
        until(lambda: servers(lbd, "killed")[victim]["requests"] > asked + 5, "it is used again")
    assert load.lost == load.refused == 0
    assert set(load.answered) == {200}


@pytest.mark.usefixtures("algorithm")
def test_connections_that_are_reset_one_by_one_are_seen_by_no_client(world):
    lbd, _, wicked, _ = world
    with Load(lbd.port("cut"), connections=CONNECTIONS) as load:
        victim = wicked[busiest(lbd, "cut", load)]
        until(lambda goal=victim.cuts + CUTS: (victim.cut(), victim.cuts > goal)[1], "resets", deadline=60)
        until(lambda goal=load.total + 300: load.total > goal, "all goes on")
    assert load.lost == load.refused == 0
    assert set(load.answered) == {200}
