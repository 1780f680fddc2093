"""Counts of requests in flight are those of all workers: four of them spread long requests as one would."""

import http.client
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from lbd_process import Lbd, free_port, until
from websockets.sync.client import connect

SERVERS = 3
WORKERS = 4
CLIENTS = 60
SAMPLES = 400


@pytest.fixture(scope="module")
def ports() -> Iterator[list[int]]:
    """Demo servers that take a fifth of a second for each request."""
    ports = [free_port() for _ in range(SERVERS)]
    children = [subprocess.Popen([sys.executable, "-m", "lbd", "demo-server", "--port", str(port), "--delay", "200ms",
                                  "--jitter", "100ms"], stdout=subprocess.PIPE, text=True) for port in ports]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline()
    yield ports
    for child in children:
        child.terminate()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def text(ports: list[int]) -> str:
    servers = "\n".join(f's{port} = "127.0.0.1:{port}"' for port in ports)
    return ('[listeners.web]\nbind = "127.0.0.1:$web"\nbackend = "app"\n'
            f'[backends.app]\nalgorithm = "least-connections"\n[backends.app.servers]\n{servers}\n')


def in_flight(lbd: Lbd) -> list[int]:
    """Requests in flight by server, as Prometheus is told."""
    lines = lbd.metrics().splitlines()
    return [int(float(line.rpartition(" ")[2])) for line in lines if line.startswith("lbd_server_in_flight{")]


@pytest.mark.slow
def test_long_requests_are_spread_evenly_over_all_workers(ports: list[int]) -> None:
    with Lbd(text(ports), workers=WORKERS) as lbd:
        over = threading.Event()

        def load() -> None:
            while not over.is_set():
                connection = http.client.HTTPConnection("127.0.0.1", lbd.port("web"), timeout=20)
                connection.request("GET", "/")
                connection.getresponse().read()
                connection.close()

        threads = [threading.Thread(target=load) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        spreads: list[int] = []

        def sampled() -> bool:
            counts = in_flight(lbd)
            assert len(counts) == SERVERS
            # Answers may come in a burst while the clients are kept from asking anew: nothing is there to spread then.
            if sum(counts) >= CLIENTS - 1:
                spreads.append(max(counts) - min(counts))
            return len(spreads) == SAMPLES

        until(sampled, "enough samples while the whole load is there", deadline=120)
        over.set()
        for thread in threads:
            thread.join()
    assert max(spreads) <= WORKERS
    assert sum(spread <= 2 for spread in spreads) >= 0.99 * SAMPLES, sorted(spreads)[-10:]


def test_open_websockets_count(ports: list[int]) -> None:
    with Lbd(text(ports), workers=WORKERS) as lbd, ExitStack() as stack:
        url = f"ws://127.0.0.1:{lbd.port('web')}/ws"
        sockets = [stack.enter_context(connect(url)) for _ in range(4 * SERVERS)]
        counts = in_flight(lbd)
        for socket in sockets:
            socket.send("still there?")
            assert socket.recv(timeout=20)
    assert sum(counts) == 4 * SERVERS
    assert max(counts) - min(counts) <= 1
