"""Turns over all workers of the real daemon: one order, whichever worker serves, over reloads and a worker's death."""

import signal
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from lbd_process import Backend, Lbd, until

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
{more}
backend = "app"
[[listeners.web.routes]]
path_prefix = "/weighted"
backend = "weighted"
[[listeners.web.routes]]
path_prefix = "/bounded"
strip_prefix = "/bounded"
backend = "bounded"
[backends.app]
algorithm = "round-robin"
servers = {{ a = "127.0.0.1:{a}", b = "127.0.0.1:{b}" }}
[backends.weighted.servers]
a = {{ address = "127.0.0.1:{a}", weight = 5 }}
b = "127.0.0.1:{b}"
c = "127.0.0.1:{c}"
[backends.bounded.servers]
b = {{ address = "127.0.0.1:{b}", max_conns = 1, weight = 4 }}
a = {{ address = "127.0.0.1:{a}", weight = 2 }}
c = "127.0.0.1:{c}"
"""


class Turns:
    """The daemon with three servers behind it."""

    def __init__(self, lbd: Lbd, servers: list[Backend]) -> None:
        self.lbd = lbd
        self.ports = {server.name: server.port for server in servers}
        self.servers = servers

    def text(self, more: str = "") -> str:
        return TEXT.format(more=more, **self.ports)

    def ask(self, count: int, path: str = "/") -> str:
        """Names of the servers of so many requests, one after the other, each on a connection of its own."""
        answers = [self.lbd.get("web", path) for _ in range(count)]
        assert {status for status, _ in answers} == {200}
        return "".join(body["server"] for _, body in answers)

    def counted(self) -> list[float]:
        """Requests that each worker served."""
        return [worker["requests"] for worker in self.lbd.status()["workers"]]


@pytest.fixture
def turns() -> Iterator[Turns]:
    with Backend("a") as a, Backend("b") as b, Backend("c") as c:
        ports = {"a": a.port, "b": b.port, "c": c.port}
        with Lbd(TEXT.format(more="", **ports)) as lbd:
            yield Turns(lbd, [a, b, c])


def test_requests_go_in_turn_whichever_worker_serves(turns: Turns) -> None:
    assert turns.ask(40) == "ab" * 20
    assert turns.ask(28, "/weighted") == "aabacaa" * 4
    assert min(turns.counted()) > 0


def test_a_reload_and_a_dead_worker_keep_the_turn(turns: Turns) -> None:
    lbd = turns.lbd
    assert turns.ask(9) == "ababababa"
    lbd.write(turns.text("max_body = \"1MB\""))
    lbd.send(signal.SIGHUP)
    until(lambda: lbd.status()["generation"] == 2, "the reload")
    assert turns.ask(8) == "babababa"
    victim = lbd.workers()[0]
    lbd.signal_worker(victim, signal.SIGKILL)
    until(lambda: victim not in lbd.workers() and len(lbd.workers()) == 2, "another worker")
    until(lambda: all(worker["state"] == "serving" for worker in lbd.status()["workers"]), "both serve")
    assert turns.ask(8) == "babababa"


def test_an_explanation_says_whose_turn_it_is_and_takes_none(turns: Turns) -> None:
    for expected in "ab":
        for _ in range(2):
            status, found = turns.lbd.admin("GET", f"/v1/explain?url=http://127.0.0.1:{turns.lbd.port('web')}/")
            assert status == 200, found
            assert found["chosen"] == expected
        assert turns.ask(1) == expected


def test_others_share_by_weight_while_a_server_is_full(turns: Turns) -> None:
    held = threading.Thread(target=turns.lbd.get, args=("web", "/bounded/held"))
    held.start()
    _, b, _ = turns.servers
    assert b.held.acquire(timeout=20)
    assert Counter(turns.ask(30, "/bounded/")) == {"a": 20, "c": 10}
    b.release.set()
    held.join()
