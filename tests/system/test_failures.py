"""What clients get from servers that fail in every way there is: status, time, ending, alone and with a good server.

Run with -s, it prints the table.
"""

import http.client
import time

import pytest
from lbd_process import Lbd, until
from load import Load
from origin import Origin
from wicked import Silent, Wicked

TEXT = """
[timeouts]
connect = "300ms"
server = "500ms"
[listeners.alone]
bind = "127.0.0.1:$alone"
backend = "alone"
[listeners.both]
bind = "127.0.0.1:$both"
backend = "both"
[backends.alone]
servers = { bad = "127.0.0.1:%(bad)d" }
[backends.both]
algorithm = "round-robin"
retry_on = ["timeout", "503"]
servers = { bad = "127.0.0.1:%(bad)d", good = "127.0.0.1:%(good)d" }
"""

# How a server fails: what a client gets from it alone (its status, 0 for a cut answer), the ending that is counted,
# and whether a GET is answered well when another server is there.
KINDS = {
    "refuses connections": (None, 502, "connect-refused", True),
    "answers no SYN": (Silent, 504, "connect-timeout", True),
    "closes after accepting": ("slam", 502, "server-closed", True),
    "closes after the request": ("close", 502, "server-closed", True),
    "resets after the request": ("reset", 502, "server-closed", True),
    "never answers": ("hang", 504, "server-timeout", True),
    "answers the head and stalls": ("stall", 0, "server-body-timeout", False),
    "sends garbage": ("garbage", 502, "bad-response", False),
    "answers 503 every third time": ("third", 503, "ok", True),
}


def fetch(port, method="GET"):
    """Status (0 for a cut answer) and seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    began = time.monotonic()
    try:
        connection.request(method, "/", body=b"x" if method == "POST" else None)
        response = connection.getresponse()
        response.read()
        return response.status, time.monotonic() - began
    except (http.client.HTTPException, ConnectionError):
        return 0, time.monotonic() - began
    finally:
        connection.close()


def ended(lbd, ending):
    for line in lbd.metrics().splitlines():
        if line.startswith(f'lbd_endings_total{{ending="{ending}"}}'):
            return float(line.rpartition(" ")[2])
    return 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_what_clients_get(kind):
    manner, status, ending, saved = KINDS[kind]
    made = Silent() if manner is Silent else Wicked(manner or "serve")
    with Wicked() as good, made as bad:
        if manner is None:
            bad.stop()
        with Lbd(TEXT % {"bad": bad.port, "good": good.port}) as lbd:
            alone = [fetch(lbd.port("alone")) for _ in range(3)]
            both = [fetch(lbd.port("both")) for _ in range(8)]
            got, seconds = max(alone, key=lambda one: one[0] == status)
            assert got == status
            assert ended(lbd, ending) >= 1
            if saved:
                assert {got for got, _ in both} == {200}
            print(f"\n| {kind} | {status or 'cut answer'} after {seconds:.1f} s, `{ending}` | "
                  f"{'200' if saved else '200 or the same'}, at most {max(took for _, took in both):.1f} s |")


@pytest.mark.parametrize("manner", ["close", "reset", "hang", "garbage", "stall"])
def test_what_may_not_be_done_twice_is_never_sent_twice(manner):
    with Wicked() as good, Wicked(manner) as bad, Lbd(TEXT % {"bad": bad.port, "good": good.port}) as lbd:
        for _ in range(10):
            fetch(lbd.port("both"), "POST")
        assert bad.got["POST"] + good.got["POST"] == 10


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
    with Wicked() as good, Wicked("garbage") as bad, Lbd(OUTLIER % (bad.port, good.port)) as lbd:
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
timeout = "200ms"
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
    with Wicked() as a, Wicked() as b, Lbd(CHECKED % (a.port, b.port)) as lbd:
        a.manner = "hang"
        until(lambda: servers(lbd)["a"]["health"] == "down", "down")
        said = lbd.logged("server down")[0]
        assert said["reason"].startswith("GET /healthz: timeout after 20")
        assert said["reason"].endswith(" ms, 2 of 2 failed")
        assert servers(lbd)["b"]["reason"].startswith("GET /healthz: 200 after ")
        assert {fetch(lbd.port("web"))[0] for _ in range(10)} == {200}


def test_a_server_that_flaps_is_seen_by_no_client():
    with Origin("a") as a, Origin("b") as b, Lbd(CHECKED % (a.port, b.port)) as lbd:
        with Load(lbd.port("web"), connections=16) as load:
            for _ in range(5):
                for healthy, health in ((False, "down"), (True, "up")):
                    a.healthy = healthy
                    until(lambda health=health: servers(lbd)["a"]["health"] == health, health)
        assert load.lost == load.refused == 0
        assert set(load.answered) == {200}


def test_a_whole_backend_goes_down_and_comes_back():
    with Wicked() as a, Wicked() as b, Lbd(CHECKED % (a.port, b.port)) as lbd:
        a.manner = b.manner = "hang"
        until(lambda: {server["health"] for server in servers(lbd).values()} == {"down"}, "down")
        status, seconds = fetch(lbd.port("web"))
        assert status == 503
        assert seconds < 1
        assert ended(lbd, "no-server") == 1
        a.manner = b.manner = "serve"
        until(lambda: {server["health"] for server in servers(lbd).values()} == {"up"}, "up")
        assert fetch(lbd.port("web"))[0] == 200
