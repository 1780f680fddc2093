"""Servers that fail in every way there is: answers to clients, lines of the access log, metrics.

Run with -s, it prints the rows of the table in lbd/guide/failures.md.
"""

import contextlib
import http.client
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from lbd_process import ROOT, Lbd, borrowed, until
from load import Load
from origin import Origin
from wicked import Silent, Wicked

from lbd.exchange.retry import LEAST

HEAD = """
[timeouts]
connect = "300ms"
server = "500ms"
[log]
access = "%s"
[listeners.web]
bind = "127.0.0.1:$web"
"""
# Each way of failing has two backends: one that it has to itself, and one with a good server beside it.
ROUTES = """
[[listeners.web.routes]]
path_prefix = "/alone-%(at)d/"
backend = "alone-%(at)d"
[[listeners.web.routes]]
path_prefix = "/both-%(at)d/"
backend = "both-%(at)d"
"""
BACKENDS = """
[backends.alone-%(at)d]
%(health)s
servers = { bad = "127.0.0.1:%(bad)d" }
[backends.both-%(at)d]
%(health)s
algorithm = "round-robin"
retry_on = ["timeout", "503"]
servers = { bad = "127.0.0.1:%(bad)d", good = "127.0.0.1:%(good)d" }
"""
HEALTH = 'health = { type = "http", path = "/healthz", timeout = "1s" }'

# How a server fails: what a client gets from it alone (its status, 0 for a cut answer), the ending in log and metrics,
# and the reason of the repeats by which a GET is answered well when another server is there ("": no repeat is needed,
# "none": there is none).
KINDS = {
    "refuses connections": (None, 502, "connect-refused", "refused"),
    "answers no SYN": (Silent, 504, "connect-timeout", "timeout"),
    "closes after accepting": ("slam", 502, "server-closed", "lost"),
    "closes after the request": ("close", 502, "server-closed", "lost"),
    "resets after the request": ("reset", 502, "server-closed", "lost"),
    "never answers": ("hang", 504, "server-timeout", "timeout"),
    "answers the head and stalls": ("stall", 0, "server-body-timeout", "none"),
    "sends garbage": ("garbage", 502, "bad-response", "none"),
    "answers 503 to every third request": ("third", 503, "ok", "status"),
    "fails its checks": ("hang", 503, "no-server", ""),
}


class World:
    """A daemon, before one server of each kind and a good one; `log` is its access log."""

    def __init__(self, directory, stack):
        self.log = directory / "access.log"
        self.good = stack.enter_context(Wicked())
        self.bad = {}
        routes = backends = ""
        for at, (kind, (manner, _, ending, _)) in enumerate(KINDS.items()):
            bad = self.bad[kind] = stack.enter_context(Silent() if manner is Silent else Wicked(manner or "serve"))
            if manner is None:
                bad.stop()
            more = {"at": at, "bad": bad.port, "good": self.good.port,
                    "health": HEALTH if ending == "no-server" else ""}
            routes += ROUTES % more
            backends += BACKENDS % more
        self.lbd = stack.enter_context(Lbd(HEAD % self.log + routes + backends))

    def fetch(self, name, kind, count, method="GET"):
        """Make so many requests to its backend `alone` or `both`: one after the other or, where each waits for a
        timeout, as many at a time as may always be repeated."""
        with ThreadPoolExecutor(LEAST if KINDS[kind][1] in (0, 504) else 1) as pool:
            asked = [pool.submit(fetch, self.lbd.port("web"), method, f"/{self.backend(name, kind)}/")
                     for _ in range(count)]
            return [one.result() for one in asked]

    def backend(self, name, kind):
        return f"{name}-{list(KINDS).index(kind)}"

    def logged(self, backend, ending):
        """Statuses of the requests that ended so, as the access log has them."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []
        return {line["status"] for line in lines if line["backend"] == backend and line["ending"] == ending}

    def retried(self, backend):
        """The reasons for which requests were repeated."""
        found = re.findall(r'^lbd_retries_total{backend="([\w-]+)",reason="([\w-]+)"} ([0-9.]+)$', self.lbd.metrics(),
                           re.MULTILINE)
        return {reason for name, reason, count in found if name == backend and float(count)}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        yield World(tmp_path_factory.mktemp("log"), stack)


def fetch(port, method="GET", path="/"):
    """Status (0 for a cut answer) and seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    began = time.monotonic()
    try:
        connection.request(method, path, body=b"x" if method == "POST" else None)
        response = connection.getresponse()
        response.read()
        return response.status, time.monotonic() - began
    except (http.client.HTTPException, ConnectionError, TimeoutError):
        return 0, time.monotonic() - began
    finally:
        connection.close()


def ended(lbd, ending):
    for line in lbd.metrics().splitlines():
        if line.startswith(f'lbd_endings_total{{ending="{ending}"}}'):
            return float(line.rpartition(" ")[2])
    return 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_what_clients_get(world, kind):
    _, status, ending, reason = KINDS[kind]
    before = ended(world.lbd, ending)
    alone = world.fetch("alone", kind, 3)
    got, seconds = max(alone, key=lambda one: one[0] == status)
    assert got == status
    until(lambda: ended(world.lbd, ending) > before, "it is counted, which is after it is sent")
    until(lambda: (status or 200) in world.logged(world.backend("alone", kind), ending), "a line of the log")
    both = world.fetch("both", kind, 8)
    if reason != "none":
        assert {got for got, _ in both} == {200}
        assert world.retried(world.backend("both", kind)) == {reason} - {""}
    print("\n" + row(kind, after(seconds), after(max(took for _, took in both))))


def after(seconds):
    return f" after {seconds:.1f} s" if seconds >= 0.25 else " at once"


def row(kind, alone="", both=""):
    """The documented outcome of a kind of failure."""
    _, status, ending, reason = KINDS[kind]
    outcome = "200 or the same" if reason == "none" else "200"
    repeats = f"`{reason}`" if reason not in ("", "none") else "none"
    return f"| {kind} | {status or 'a cut answer'}{alone} | `{ending}` | {outcome}{both} | {repeats} |"


def test_the_guide_says_so():
    text = re.sub(r" at once| after \d\.\d s", "", (ROOT / "lbd/guide/failures.md").read_text())
    assert {row(kind) for kind in KINDS} <= set(text.splitlines())


@pytest.mark.parametrize("kind", ["closes after the request", "resets after the request", "never answers",
                                  "sends garbage", "answers the head and stalls"])
def test_what_may_not_be_done_twice_is_never_sent_twice(world, kind):
    before = world.good.got["POST"]
    world.fetch("both", kind, 10, "POST")
    assert world.bad[kind].got["POST"] + world.good.got["POST"] - before == 10


OUTLIER = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
algorithm = "round-robin"
outlier = { consecutive = 5, base = "500ms" }
servers = { bad = "127.0.0.1:%d", good = "127.0.0.1:%d" }
"""


def test_a_server_that_fails_requests_is_left_out_and_returns():
    with Wicked() as good, Wicked("garbage") as bad, borrowed(OUTLIER % (bad.port, good.port)) as lbd:
        until(lambda: (fetch(lbd.port("web")), lbd.logged("server ejected"))[1], "ejected")
        assert lbd.logged("server ejected")[0]["server"] == "bad"
        assert 'lbd_server_ejections_total{backend="app",server="bad",result="ejected"} ' in lbd.metrics()
        bad.manner = "serve"
        before = bad.got.total()
        until(lambda: lbd.logged("server returned from ejection"), "returned")
        until(lambda: (fetch(lbd.port("web")), bad.got.total() > before)[1], "it serves again")


CHECKED = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[health.fast]
type = "http"
path = "/healthz"
interval = "50ms"
timeout = "1s"          # a good server is no later than this, however busy the machine
rise = 1
fall = 2
[backends.app]
health = "fast"
algorithm = "round-robin"
servers = { a = "127.0.0.1:%d", b = "127.0.0.1:%d" }
"""


def servers(lbd):
    return lbd.status()["backends"]["app"]["servers"]


def test_a_check_that_hangs_takes_its_server_down_and_says_why():
    with Wicked() as a, Wicked() as b, borrowed(CHECKED % (a.port, b.port)) as lbd:
        a.manner = "hang"
        until(lambda: servers(lbd)["a"]["health"] == "down", "down")
        said = until(lambda: lbd.logged("server down"), "the log says so")[0]
        assert said["reason"].startswith("GET /healthz: timeout after 1")
        assert said["reason"].endswith(" ms, 2 of 2 failed")
        assert servers(lbd)["b"]["reason"].startswith("GET /healthz: 200 after ")
        a.manner = "slam"       # a worker that does not know yet may send a request there: it is repeated
        assert {fetch(lbd.port("web"))[0] for _ in range(10)} == {200}


def test_a_server_that_flaps_is_seen_by_no_client():
    with Origin("a") as a, Origin("b") as b, borrowed(CHECKED % (a.port, b.port)) as lbd:
        with Load(lbd.port("web"), connections=16) as load:
            for _ in range(5):
                for healthy, health in ((False, "down"), (True, "up")):
                    a.healthy = healthy
                    until(lambda health=health: servers(lbd)["a"]["health"] == health, health)
        assert load.lost == load.refused == 0
        assert set(load.answered) == {200}


def test_a_whole_backend_goes_down_and_comes_back():
    soon = '[timeouts]\nserver = "500ms"\n'      # for requests of a worker that does not know yet
    text = soon + CHECKED.replace("fall = 2", "fall = 1")
    with Wicked() as a, Wicked() as b, borrowed(text % (a.port, b.port)) as lbd:
        before = ended(lbd, "no-server")
        a.manner = b.manner = "hang"
        until(lambda: {server["health"] for server in servers(lbd).values()} == {"down"}, "down")
        until(lambda: fetch(lbd.port("web"))[0] == 503, "every worker knows")
        until(lambda: ended(lbd, "no-server") > before, "it is counted, which is after it is sent")
        a.manner = b.manner = "serve"
        until(lambda: {server["health"] for server in servers(lbd).values()} == {"up"}, "up")
        until(lambda: {fetch(lbd.port("web"))[0] for _ in range(10)} == {200}, "every worker knows")
