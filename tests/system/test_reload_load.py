"""A hundred reloads in a minute under full load: nothing fails, nothing is reset, nothing grows."""

import asyncio
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

    def text(self, number):
        """The configuration of one reload: servers, weights, algorithm and routes are others each time."""
        chosen = [place for place in range(3) if (number + place) % 3 or number % 2]
        servers = "\n".join(f's{place} = {{ address = "127.0.0.1:{self.ports[place]}", '
                            f"weight = {1 + (number + place) % 5} }}" for place in chosen)
        routes = "".join(f'[[listeners.web.routes]]\npath_prefix = "/r{at}/"\nbackend = "app"\n'
                         for at in range(number % 4))
        return TEXT.format(routes=routes, algorithm=ALGORITHMS[number % len(ALGORITHMS)], servers=servers,
                           first=self.ports[0])


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
    """Resident memory in KiB, and open descriptors, of each process."""
    found = []
    for pid in pids:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        (memory,) = (int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
        found.append((memory, len(list(Path(f"/proc/{pid}/fd").iterdir()))))
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_hundred_reloads_in_a_minute_lose_nothing():
    with Servers() as servers, Lbd(servers.text(0), settings='watch = false\ndrain_timeout = "3s"') as lbd:
        until(lambda: lbd.get("web")[0] == 200, "the servers are up")
        workers = lbd.workers()
        wrk = subprocess.Popen(["wrk", "-t1", "-c64", f"-d{SECONDS + 5:.0f}", f"http://127.0.0.1:{lbd.port('web')}/"],
                               stdout=subprocess.PIPE, text=True) if shutil.which("wrk") else None
        with Sockets(lbd.port("web")) as sockets, Load(lbd.port("web"), 4, once=True) as once, \
                Load(lbd.port("web"), 8) as kept:
            pause = threading.Event()
            begin = time.monotonic()
            early = []
            for number in range(1, RELOADS + 1):
                lbd.write(servers.text(number))
                code, answer = lbd.admin("POST", "/v1/reload")
                assert (code, answer["generation"]) == (200, number + 1)
                if number == 10:
                    early = resident([lbd.pid, *workers])
                pause.wait(max(0.0, begin + number * SECONDS / RELOADS - time.monotonic()))
        late = resident([lbd.pid, *workers])
        output = wrk.communicate()[0] if wrk else ""
        assert lbd.workers() == workers
        print(output, "once", once.answered, "kept", kept.answered, "echoes", sockets.echoes, early, late)
        assert "Socket errors" not in output
        assert "Non-2xx" not in output
        for load in (once, kept):
            assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})
        assert (sockets.failures, sockets.opened) == ([], SOCKETS)
        for (before, _), (after, _) in zip(early, late, strict=True):
            assert after <= before * 1.10
