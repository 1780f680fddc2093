"""Each algorithm in the real daemon with two workers: distribution, stickiness or preference as it is defined."""

import http.client
import threading
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from lbd_process import ROOT, Backend, Lbd, until

from lbd.balance import ALGORITHMS as KNOWN

# Backend's name: its algorithm. Servers a, b, c have the weights 3, 1, 1.
ALGORITHMS = {
    "rr": '"round-robin"', "wrr": '"weighted-round-robin"', "lc": '"least-connections"', "lt": '"least-time"',
    "url": '"url-hash"', "ip": '"source-ip-hash"', "ring": '{ name = "consistent-hash", key = "query:user" }',
    "bounded": '{ name = "consistent-hash", key = "source", balance_factor = 1.5 }',
    "drawn": '{ name = "threshold", limit = 2 }', "listed": '{ name = "threshold", limit = 2, order = "listed" }',
    "two": '"random-two-choices"', "random": '"random"', "first": '"first"',
    "maglev": '{ name = "maglev", key = "header:X-Tenant" }', "own": '"own_algorithm:Warmest"',
    "sticky": '"sticky-round-robin"', "error": '"this:Broken"', "wrong": '"this:Wrong"', "slow": '"this:Slow"',
}
FAULTY = """
import time

class Broken:
    def __init__(self, options, context): pass
    def rebuild(self, servers): self.servers = servers
    def pick(self, request): raise LookupError("lost")

class Wrong(Broken):
    def pick(self, request): return "a"

class Slow(Broken):
    def pick(self, request):
        begun = time.monotonic()
        while time.monotonic() < begun + 0.002:
            pass
        return self.servers[0]
"""
# Why an own class did not choose: what its log line begins with.
FAULTS = {"error": "LookupError: lost", "wrong": "it chose something else than one of the servers",
          "slow": "it took "}


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Backend]]:
    with Backend("a") as a, Backend("b") as b, Backend("c") as c:
        yield [a, b, c]


@pytest.fixture(scope="module")
def lbd(servers: Sequence[Backend], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lbd]:
    directory = tmp_path_factory.mktemp("own")
    (directory / "this.py").write_text(FAULTY)
    where = ", ".join(f'{server.name} = {{ address = "127.0.0.1:{server.port}", weight = {weight} }}'
                      for server, weight in zip(servers, (3, 1, 1), strict=True))
    text = '[listeners.web]\nbind = "127.0.0.1:$web"\n'
    for name, algorithm in ALGORITHMS.items():
        text += (f'[[listeners.web.routes]]\npath_prefix = "/{name}/"\nstrip_prefix = "/{name}"\nbackend = "{name}"\n'
                 f"[backends.{name}]\nalgorithm = {algorithm}\nservers = {{ {where} }}\n")
    path = f"{ROOT}:{ROOT / 'conf'}:{directory}"
    with Lbd(text, environment={"PYTHONPATH": path}) as daemon:
        yield daemon


def ask_for(lbd: Lbd, path: str, **fields: str) -> str:
    """The server that answered a request on a connection of its own, so that both workers get some."""
    connection = http.client.HTTPConnection("127.0.0.1", lbd.port("web"), timeout=20)
    connection.connect()
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in fields.items()})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    assert answer.status == 200, body
    return body.decode().split('"server": "')[1][0]


def chosen(lbd: Lbd, name: str, count: int = 60) -> Counter[str]:
    return Counter(ask_for(lbd, f"/{name}/x?user=u{number}", X_Tenant=f"t{number}") for number in range(count))


def held(lbd: Lbd, servers: Sequence[Backend], name: str, count: int) -> Counter[str]:
    """Where so many requests go that are sent one after the other and answered all at the end."""
    found: list[str] = []
    threads = []
    for server in servers:
        server.release.clear()
    for _ in range(count):
        thread = threading.Thread(target=lambda: found.append(ask_for(lbd, f"/{name}/held")))
        thread.start()
        threads.append(thread)
        until(lambda: any(server.held.acquire(blocking=False) for server in servers), "a server has the request")
    for server in servers:
        server.release.set()
    for thread in threads:
        thread.join()
    assert len(found) == count
    return Counter(found)


def test_none_is_left_out(lbd: Lbd) -> None:
    assert {backend["algorithm"] for backend in lbd.status()["backends"].values()} >= set(KNOWN)


@pytest.mark.parametrize("name", ["rr", "sticky"])
def test_round_robin_takes_turns(lbd: Lbd, name: str) -> None:
    found = chosen(lbd, name)
    assert all(abs(found[name] - 20) <= 2 for name in "abc"), found


def test_weighted_round_robin_follows_the_weights(lbd: Lbd) -> None:
    found = chosen(lbd, "wrr")
    assert all(abs(found[name] - wanted) <= 2 for name, wanted in (("a", 36), ("b", 12), ("c", 12))), found


def test_least_connections_sees_what_both_workers_sent(lbd: Lbd, servers: Sequence[Backend]) -> None:
    assert held(lbd, servers, "lc", 20) == {"a": 12, "b": 4, "c": 4}


def test_least_time_uses_all_and_shows_its_scores(lbd: Lbd) -> None:
    assert set(chosen(lbd, "lt")) <= set("abc")
    metrics = lbd.metrics()
    assert 'lbd_server_score_seconds{backend="lt",server="a"}' in metrics
    assert 'lbd_server_score_seconds{backend="rr",server="a"}' not in metrics


@pytest.mark.parametrize("name", ["url", "ring", "maglev"])
def test_equal_keys_go_to_one_server_and_different_ones_to_all(lbd: Lbd, name: str) -> None:
    found = chosen(lbd, name)
    assert set(found) == set("abc")
    assert found["a"] > found["b"]
    same = {ask_for(lbd, f"/{name}/x?user=anna", X_Tenant="t1") for _ in range(12)}
    assert len(same) == 1


def test_one_client_has_one_server(lbd: Lbd) -> None:
    assert len(chosen(lbd, "ip", 20)) == 1


def test_a_bounded_ring_passes_on_what_is_too_much(lbd: Lbd, servers: Sequence[Backend]) -> None:
    found = held(lbd, servers, "bounded", 20)
    assert sum(found.values()) == 20
    assert all(found[name] <= bound for name, bound in (("a", 18), ("b", 6), ("c", 6))), found


def test_threshold_keeps_below_its_limit(lbd: Lbd, servers: Sequence[Backend]) -> None:
    assert held(lbd, servers, "drawn", 10) == {"a": 6, "b": 2, "c": 2}


def test_threshold_can_pack_the_first_servers(lbd: Lbd, servers: Sequence[Backend]) -> None:
    assert held(lbd, servers, "listed", 7) == {"a": 6, "b": 1}


@pytest.mark.parametrize("name", ["two", "random"])
def test_chance_reaches_everyone_and_most_often_the_heaviest(lbd: Lbd, name: str) -> None:
    found = chosen(lbd, name, 100)
    assert set(found) == set("abc")
    assert found["a"] > max(found["b"], found["c"])


def test_first_is_the_first(lbd: Lbd) -> None:
    assert chosen(lbd, "first", 20) == {"a": 20}


def test_an_own_class_chooses(lbd: Lbd) -> None:
    assert sum(chosen(lbd, "own", 20).values()) == 20
    assert 'lbd_fallbacks_total{backend="own"' not in lbd.metrics()


@pytest.mark.parametrize("fault", FAULTS)
def test_an_own_class_that_fails_is_replaced_by_round_robin_counted_and_logged(lbd: Lbd, fault: str) -> None:
    found = chosen(lbd, fault, 30)
    assert all(abs(found[name] - 10) <= 2 for name in "abc"), found
    assert f'lbd_fallbacks_total{{backend="{fault}",reason="{fault}"}} 30' in lbd.metrics()
    lines = until(lambda: [line for line in lbd.logged("own algorithm fails, round-robin chooses")
                           if line["backend"] == fault], "it is said")
    assert 1 <= len(lines) <= 2      # one a minute for each worker
    assert lines[0]["reason"].startswith(FAULTS[fault])


def test_a_class_that_is_not_there_refuses_the_reload(lbd: Lbd) -> None:
    before = lbd.file.read_text()
    lbd.replace_file(before.replace("this:Broken", "this:Missing"))
    until(lambda: not lbd.status()["last_reload"]["success"], "it is refused")
    assert "this:Missing" in lbd.status()["last_reload"]["error"]
    assert sum(chosen(lbd, "error", 5).values()) == 5
    lbd.replace_file(before)
    until(lambda: lbd.status()["last_reload"]["success"], "the old file is right again")
