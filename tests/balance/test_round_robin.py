"""Round robin: in turn, another start per worker, the place kept over a change of the set."""

from typing import Any

from lbd.backend.generation import Member
from lbd.backend.server import Server
from lbd.balance.round_robin import RoundRobin
from lbd.config.units import Address

REQUEST: Any = None


def servers(names: str) -> list[Server]:
    row: Any = None
    return [Server(Member("app", name, Address("127.0.0.1", 9001), 0), row) for name in names]


class Context:
    def __init__(self, worker: int = 0) -> None:
        self.worker = worker


def make(worker: int = 0) -> RoundRobin:
    context: Any = Context(worker)
    return RoundRobin(None, context)


def picks(algorithm: RoundRobin, count: int) -> str:
    return "".join(algorithm.pick(REQUEST).name for _ in range(count))


def test_takes_turns_in_the_order_of_the_file() -> None:
    one = make()
    one.rebuild(servers("abc"))
    assert picks(one, 7) == "abcabca"


def test_workers_start_at_different_servers() -> None:
    starts = []
    for worker in range(3):
        one = make(worker)
        one.rebuild(servers("abc"))
        starts.append(picks(one, 1))
    assert starts == ["a", "b", "c"]


def test_goes_on_after_the_last_one_when_the_set_changes() -> None:
    a, b, c, d = servers("abcd")
    one = make()
    one.rebuild([a, b, c])
    assert picks(one, 2) == "ab"
    one.rebuild([d, a, b, c])
    assert picks(one, 3) == "cda"
    one.rebuild([b, c])
    assert picks(one, 4) == "bcbc"


def test_a_reload_keeps_the_place() -> None:
    a, b, c = servers("abc")
    old, new = make(), make()
    old.rebuild([a, b, c])
    assert picks(old, 2) == "ab"
    new.inherit(old)
    new.rebuild([a, b, c])
    assert picks(new, 3) == "cab"
