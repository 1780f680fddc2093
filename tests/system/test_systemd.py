"""lbd under a real systemd: readiness, reload, restart, a killed and a standing supervisor, nothing refused."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lbd_process import until

_spec = importlib.util.spec_from_file_location("booted", Path(__file__).with_name("booted.py"))
booted = importlib.util.module_from_spec(_spec)
sys.modules["booted"] = booted
_spec.loader.exec_module(booted)

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "systemd"
CONFIG = """
[global]
workers = 2
drain_timeout = "5s"
[listeners.web]
bind = "0.0.0.0:80"
backend = "app"
[backends.app.servers]
a = "127.0.0.1:9001"
"""
ORIGIN = "[Service]\nExecStart=/opt/lbd/bin/lbd demo-server --port 9001\n"

# A connection for each request, from four threads, until the file /run/enough is there; prints how they ended.
CLIENT = """
import collections, http.client, json, os, threading
ends = collections.Counter()
def ask():
    while not os.path.exists("/run/enough"):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=20)
            connection.request("GET", "/")
            ends[str(connection.getresponse().status)] += 1
        except (OSError, http.client.HTTPException) as error:
            ends[type(error).__name__] += 1
        finally:
            connection.close()
threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(ends))
"""

pytestmark = [pytest.mark.programs, pytest.mark.skipif(bool(booted.why_not()), reason=booted.why_not() or "-")]


def machine(*units, watchdog="10s"):
    files = {f"/etc/systemd/system/{name}": (UNITS / name).read_text() for name in units}
    return booted.Booted({**files, "/etc/lbd/lbd.toml": CONFIG, "/etc/systemd/system/origin.service": ORIGIN,
                          "/opt/client.py": CLIENT,
                          "/etc/systemd/system/lbd.service.d/test.conf": f"[Service]\nWatchdogSec={watchdog}\n"})


@pytest.fixture(params=[("lbd.service",), ("lbd.service", "lbd.socket")], ids=["store", "sockets"])
def under(request):
    with machine(*request.param) as inside:
        inside.run("systemctl", "start", "origin", *request.param[1:])
        inside.run("systemctl", "start", "lbd")
        yield inside


class Load:
    """Connections while something happens."""

    def __init__(self, inside):
        self.inside = inside

    def __enter__(self):
        self.inside.run("rm", "-f", "/run/enough")
        self.client = self.inside.start("/opt/lbd/python/bin/python3", "/opt/client.py")
        return self

    def __exit__(self, *_):
        self.inside.run("touch", "/run/enough")
        self.ends = json.loads(self.client.communicate(timeout=60)[0])


def requests(inside):
    return inside.status()["backends"]["app"]["servers"]["a"]["requests"]


def test_the_units_are_sound():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", str(UNITS / "lbd.service")],
                          capture_output=True, text=True)
    exposure = float(done.stdout.rsplit("lbd.service:", 1)[1].split()[0])
    assert exposure <= 2.0


def test_ready_reload_and_status(under):
    verified = under.run("systemd-analyze", "verify", "--recursive-errors=no", "lbd.service", check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert under.show("lbd", "OOMPolicy") == "continue"
    assert under.show("lbd", "StatusText") == "1 listener, 1/1 servers up, generation 1"
    assert under.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1/").stdout == "200"
    under.write("/etc/lbd/lbd.toml", CONFIG + 'b = "127.0.0.1:9002"\n')
    under.run("systemctl", "reload", "lbd")
    assert under.status()["generation"] == 2
    until(lambda: under.show("lbd", "StatusText").endswith("generation 2"), "the status follows")
    under.write("/etc/lbd/lbd.toml", "nonsense")
    assert under.run("systemctl", "reload", "lbd", check=False).returncode != 0
    assert under.show("lbd", "ActiveState") == "active"
    assert under.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1/").stdout == "200"


def test_a_restart_refuses_and_loses_nothing(under):
    with Load(under) as load:
        until(lambda: requests(under) > 100, "load")
        before = under.show("lbd", "MainPID")
        under.run("systemctl", "restart", "lbd")
        assert under.show("lbd", "MainPID") != before
        until(lambda: requests(under) > 100, "load on the new one")
    assert set(load.ends) == {"200"}


def test_a_killed_supervisor_costs_only_what_is_in_flight(under):
    with Load(under) as load:
        until(lambda: requests(under) > 100, "load")
        under.run("systemctl", "kill", "-s", "KILL", "--kill-whom=main", "lbd")
        until(lambda: under.show("lbd", "NRestarts") == "1" and under.show("lbd", "ActiveState") == "active", "back")
        until(lambda: requests(under) > 100, "load on the new one")
    lost = {name: count for name, count in load.ends.items() if name != "200"}
    assert "ConnectionRefusedError" not in lost
    assert sum(lost.values()) <= 4   # one of each client at most
    print("lost by the kill:", lost)


def test_the_watchdog_ends_a_supervisor_that_stands_still():
    with machine("lbd.service", watchdog="3s") as inside:
        inside.run("systemctl", "start", "origin", "lbd")
        inside.run("systemctl", "kill", "-s", "STOP", "--kill-whom=main", "lbd")
        until(lambda: inside.show("lbd", "NRestarts") == "1" and inside.show("lbd", "ActiveState") == "active",
              "the watchdog restarts it", 30.0)
        assert inside.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1/").stdout == "200"
