"""`max_conns` and the queue with real workers and servers that count: exact, fair, and bounded under too much load."""

import asyncio
import signal
import time

import pytest
import uvloop
from lbd_process import Lbd, borrowed, until
from load import Load
from wicked import Wicked

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
algorithm = "least-connections"
queue = %(queue)d
[backends.app.timeouts]
queue = "%(wait)s"
[backends.app.servers]
a = { address = "127.0.0.1:%(a)d", max_conns = %(most)d }
b = { address = "127.0.0.1:%(b)d", max_conns = %(most)d }
"""


def test_the_bound_is_exact_with_two_workers_and_short_requests():
    with (Wicked(seconds=0.002) as a, Wicked(seconds=0.002) as b,
          borrowed(TEXT % {"a": a.port, "b": b.port, "most": 3, "queue": 1024, "wait": "10s"}) as lbd):
        with Load(lbd.port("web"), connections=48) as load:
            until(lambda: load.total > 2000, "answers")
        assert set(load.answered) == {200}
        assert load.lost == load.refused == 0
        assert max(a.most, b.most) <= 3
        assert min(a.most, b.most) == 3
        until(lambda: lbd.counted("lbd_backend_queue{") == 0, "nobody waits")
        until(lambda: lbd.counted("lbd_server_in_flight{") == 0, "nothing is in flight")
        assert lbd.counted("lbd_server_open_connections{") == a.open + b.open <= 6


def test_workers_get_their_share():
    with (Wicked(seconds=0.005) as a, Wicked(seconds=0.005) as b,
          borrowed(TEXT % {"a": a.port, "b": b.port, "most": 4, "queue": 1024, "wait": "10s"}) as lbd):
        with Load(lbd.port("web"), connections=64) as load:
            until(lambda: load.total > 300, "all are at it")
            before = {worker["slot"]: worker for worker in lbd.status()["workers"]}
            until(lambda goal=load.total + 2000: load.total > goal, "answers")
            after = {worker["slot"]: worker for worker in lbd.status()["workers"]}
        shares = [(after[slot]["requests"] - before[slot]["requests"]) / after[slot]["connections"] for slot in after]
        assert len(shares) == 2
        assert max(shares) < 1.2 * min(shares)


class Impatient:
    """Clients that ask again at once, and note how long each answer took."""

    def __init__(self, port, clients, seconds):
        self.took = {200: [], 503: []}
        self.broken = 0
        self._port, self._clients, self._end = port, clients, time.monotonic() + seconds

    def run(self):
        uvloop.run(self._run())
        return self

    async def _run(self):
        await asyncio.gather(*(self._client() for _ in range(self._clients)))

    async def _client(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while time.monotonic() < self._end:
            began = time.monotonic()
            writer.write(b"GET / HTTP/1.1\r\nHost: lbd.test\r\n\r\n")
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
            except (OSError, asyncio.IncompleteReadError):
                self.broken += 1
                return
            status = int(head[9:12])
            self.took[status].append(time.monotonic() - began)
            if status == 503:
                await asyncio.sleep(0.05)   # the pace of those who ask again
        writer.close()


@pytest.mark.slow
def test_brown_out():
    seconds = 10
    with (Wicked(seconds=0.05) as a, Wicked(seconds=0.05) as b,
          Lbd(TEXT % {"a": a.port, "b": b.port, "most": 5, "queue": 20, "wait": "500ms"}) as lbd):
        able = len(Impatient(lbd.port("web"), 10, 1).run().took[200])    # by as many as there are places; 200 at best
        clients = Impatient(lbd.port("web"), 60, seconds).run()
        assert clients.broken == 0
        assert len(clients.took[200]) > able * seconds / 2
        assert clients.took[503]
        assert max(clients.took[200]) < 0.5 + 0.05 + 5       # queue timeout, service time, and a machine that is busy
        assert max(a.most, b.most) == 5
        until(lambda: lbd.counted("lbd_backend_queue{") == 0, "nobody waits")
        until(lambda: lbd.counted("lbd_backend_in_flight{") == 0, "nothing is in flight")
        refused = sum(lbd.counted(f'lbd_endings_total{{ending="queue-{how}"}}') for how in ("full", "timeout"))
        assert refused == len(clients.took[503])
        assert lbd.get("web") == (200, "ok")


def test_a_worker_that_dies_gives_its_places_back():
    with (Wicked(seconds=0.01) as a, Wicked(seconds=0.01) as b,
          borrowed(TEXT % {"a": a.port, "b": b.port, "most": 2, "queue": 1024, "wait": "10s"}) as lbd):
        with Load(lbd.port("web"), connections=24) as load:
            until(lambda: load.total > 200, "answers")
            lbd.signal_worker(lbd.workers()[0], signal.SIGKILL)
            until(lambda goal=load.total + 300: load.total > goal, "answers again")
        assert set(load.answered) == {200}
        until(lambda: lbd.counted("lbd_backend_queue{") == 0, "nobody waits")
        until(lambda: lbd.counted("lbd_server_in_flight{") == 0, "nothing is in flight")
