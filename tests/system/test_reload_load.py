"""A hundred reloads in a minute under full load: nothing fails, nothing is reset, nothing grows."""

import asyncio
import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from lbd_process import ROOT, Lbd, free_port, until
from load import Load
from websockets.asyncio.client import connect as websocket

RELOADS = 100
SECONDS = 60.0
SOCKETS = 20
ALGORITHMS = ("round-robin", "weighted-round-robin", "least-connections", "least-time", "random-two-choices")

TEXT = """
[timeouts]
server_idle = "2s"
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
backlog = 1024
{routes}
[[listeners.web.routes]]
path = "/ws"
backend = "ws"
[backends.app]
algorithm = "{algorithm}"
[backends.app.servers]
{servers}
[backends.ws.servers]
a = "127.0.0.1:{first}"
"""


class Servers:
    """Three demo servers, processes of their own."""

    def __init__(self):
        self.ports = [free_port() for _ in range(3)]
        self.processes = [subprocess.Popen(
            [sys.executable, "-m", "lbd", "demo-server", "--port", str(port), "--name", f"s{place}"], cwd=ROOT,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for place, port in enumerate(self.ports)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()

    def chosen(self, number):
        """Which servers generation `number` + 1 has."""
        return [place for place in range(3) if (number + place) % 3 or number % 2]

    def text(self, number):
        """The configuration of one reload: servers, weights, algorithm and routes are others each time."""
        chosen = self.chosen(number)
        servers = "\n".join(f's{place} = {{ address = "127.0.0.1:{self.ports[place]}", '
                            f"weight = {1 + (number + place) % 5} }}" for place in chosen)
        routes = "".join(f'[[listeners.web.routes]]\npath_prefix = "/r{at}/"\nbackend = "app"\n'
                         for at in range(number % 4))
        return TEXT.format(routes=routes, algorithm=ALGORITHMS[number % len(ALGORITHMS)], servers=servers,
                           first=self.ports[0])


class InForce:
    """Which servers were in force when, and who answered what."""

    def __init__(self):
        self.answers = []      # when asked, when answered, by whom
        self._spans = []       # from the beginning of a generation's reload to the end of the next one's

    def note(self, sent, answered, body):
        """An answer came."""
        self.answers.append((sent, answered, json.loads(body)["server"]))

    def begins(self, places):
        """A reload is asked for that brings these servers."""
        self._spans.append([time.monotonic(), float("inf"), {f"s{place}" for place in places}])

    def done(self):
        """It has happened: the generation before is in force no longer."""
        for span in self._spans[:-1]:
            span[1] = min(span[1], time.monotonic())

    def strangers(self):
        """Answers of servers that were in force at no moment of their requests."""
        found = []
        for sent, answered, name in self.answers:
            if not any(begin <= answered and sent <= end and name in names for begin, end, names in self._spans):
                found.append((sent, name))
        return found


def at_rest(lbd):
    """Open descriptors of the supervisor and the workers, once no connection to or from anybody is left, and the
    supervisor's tasks."""
    def quiet():
        status = lbd.status()
        return (not sum(server["connections"] for backend in status["backends"].values()
                        for server in backend["servers"].values())
                and not sum(listener["connections"] for listener in status["listeners"].values()))
    until(quiet, "no connection is left")
    wanted = ("lbd_open_files{", "lbd_supervisor_tasks ")
    return dict(line.split() for line in lbd.metrics().splitlines() if line.startswith(wanted))


class Sockets:
    """WebSockets that echo all the time, in a thread."""

    def __init__(self, port):
        self.port = port
        self.echoes = 0
        self.opened = 0
        self.failures = []
        self._over = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over = True
        self._thread.join()

    async def _all(self):
        await asyncio.gather(*(self._one(number) for number in range(SOCKETS)))

    async def _one(self, number):
        try:
            async with websocket(f"ws://127.0.0.1:{self.port}/ws", open_timeout=20) as socket:
                self.opened += 1
                while not self._over:
                    await socket.send(f"{number}")
                    assert await asyncio.wait_for(socket.recv(), 20) == f"{number}"
                    self.echoes += 1
                    await asyncio.sleep(0.1)
        except Exception as error:
            self.failures.append(repr(error))


def resident(pids):
    """Resident memory in KiB of each process."""
    return [int(line.split()[1]) for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmRSS:")]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_hundred_reloads_in_a_minute_lose_nothing():
    force = InForce()
    with Servers() as servers, Lbd(servers.text(0), settings='watch = false\ndrain_timeout = "3s"') as lbd:
        force.begins(servers.chosen(0))
        until(lambda: lbd.get("web")[0] == 200, "the servers are up")
        workers = lbd.workers()
        before = at_rest(lbd)
        wrk = subprocess.Popen(["wrk", "-t1", "-c64", f"-d{SECONDS + 5:.0f}", f"http://127.0.0.1:{lbd.port('web')}/"],
                               stdout=subprocess.PIPE, text=True) if shutil.which("wrk") else None
        with Sockets(lbd.port("web")) as sockets, Load(lbd.port("web"), 4, once=True, note=force.note) as once, \
                Load(lbd.port("web"), 8, note=force.note) as kept:
            pause = threading.Event()
            begin = time.monotonic()
            early = []
            for number in range(1, RELOADS + 1):
                lbd.write(servers.text(number))
                force.begins(servers.chosen(number))
                code, answer = lbd.admin("POST", "/v1/reload")
                assert (code, answer["generation"]) == (200, number + 1)
                force.done()
                if number == 10:
                    early = resident([lbd.pid, *workers])
                pause.wait(max(0.0, begin + number * SECONDS / RELOADS - time.monotonic()))
            echoed = sockets.echoes
            until(lambda: sockets.echoes >= echoed + SOCKETS, "the WebSockets echo still")
        late = resident([lbd.pid, *workers])
        output = wrk.communicate()[0] if wrk else ""
        assert lbd.workers() == workers
        print(output, "once", once.answered, "kept", kept.answered, "echoes", sockets.echoes, early, late)
        assert "Socket errors" not in output
        assert "Non-2xx" not in output
        for load in (once, kept):
            assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})
        assert (sockets.failures, sockets.opened) == ([], SOCKETS)
        assert force.strangers() == []
        assert len(force.answers) == once.total + kept.total
        for before_load, after_load in zip(early, late, strict=True):
            assert after_load <= before_load * 1.10
        print(before, at_rest(lbd))
        until(lambda: at_rest(lbd) == before, "descriptors and tasks are back to their number")
