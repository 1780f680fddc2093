"""Which servers of a pool may be used, and which one a repeat goes to."""

from collections import Counter
from collections.abc import Sequence
from itertools import count
from random import Random
from typing import Any

from lbd.backend.algorithm import Algorithm, Context, RequestFacts
from lbd.backend.pool import Pool, choose
from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint
from lbd.balance.weighted_round_robin import WeightedRoundRobin
from lbd.schema.units import Address
from lbd.stats.fields import SERVER_IN_FLIGHT
from lbd.stats.scoreboard import SERVER, Board

BOARD = Board.create(2)
SLOTS = count()


def server(name: str, in_flight: tuple[int, int] = (0, 0), **changes: Any) -> Server:
    """As this worker sees it, with so many requests in flight from this worker and another."""
    slot = next(SLOTS)
    for lane, requests in enumerate(in_flight):
        BOARD.row(lane, SERVER, slot).add(SERVER_IN_FLIGHT, requests)
    return Server(Endpoint("app", name, Address("127.0.0.1", 9001), slot, **changes), BOARD.row(0, SERVER, slot))


class First(Algorithm):
    servers: Sequence[Server] = ()

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers = servers

    def pick(self, request: RequestFacts) -> Server:
        return self.servers[0]


def pool(*servers: Server, use_all: bool = False) -> Pool:
    made = Pool(servers, First(None, None), use_all)  # type: ignore[arg-type]
    made.rebuild()
    return made


REQUEST: Any = None


def names(servers: Sequence[Server]) -> str:
    return "".join(server.name for server in servers)


def test_regular_servers_before_backups_before_those_backed_off() -> None:
    a, b, c = server("a"), server("b"), server("c", backup=True)
    assert names(choose([a, b, c], False)) == "ab"
    a.backoff.mark_failed(1.0)
    assert names(choose([a, b, c], False)) == "b"
    b.update(b.endpoint._replace(mode="drain"))
    assert names(choose([a, b, c], False)) == "c"
    c.health = "down"
    assert names(choose([a, b, c], False)) == "a"
    a.health = "down"
    assert names(choose([a, b, c], False)) == ""


def test_use_all_takes_every_ready_server_when_none_is_up() -> None:
    a, b, c = server("a", health="down"), server("b", health="ejected", backup=True), server("c", mode="maint")
    assert names(choose([a, b, c], True)) == "ab"


def test_nothing_is_picked_from_nothing() -> None:
    assert pool(server("a", health="down")).pick(REQUEST) is None


def test_algorithm_learns_of_changes_by_rebuild() -> None:
    a, b = server("a"), server("b")
    made = pool(a, b)
    assert made.pick(REQUEST) is a
    a.update(a.endpoint._replace(mode="drain"))
    made.rebuild()
    assert made.pick(REQUEST) is b


def test_a_repeat_goes_to_the_server_not_tried_that_is_least_loaded_by_all_workers() -> None:
    a, b, c = server("a"), server("b", (0, 5)), server("c", (4, 0), weight=2)
    made = pool(a, b, c)
    assert made.pick_other([a]) is c
    assert made.pick_other([a, c]) is b


def test_a_repeat_prefers_a_server_backed_off_to_one_that_was_tried() -> None:
    a, b = server("a"), server("b")
    b.backoff.mark_failed(1.0)
    assert pool(a, b).pick_other([a]) is b


def test_a_single_server_is_tried_again() -> None:
    a = server("a")
    assert pool(a).pick_other([a]) is a
    assert pool(server("b", mode="maint")).pick_other([]) is None


def test_a_full_server_is_passed_over_in_turn_so_that_the_others_keep_their_shares() -> None:
    a, b, c = server("a", weight=2), server("b", weight=4), server("c")
    made = Pool([a, b, c], WeightedRoundRobin(None, Context(BOARD, 0, Random(1))), False)
    made.rebuild()
    found = [made.pick_with_room(REQUEST, lambda one: one is not b, ()) for _ in range(30)]
    assert Counter(one.name for one in found if one) == {"a": 20, "c": 10}
    assert made.pick_with_room(REQUEST, lambda one: False, ()) is None


def test_a_full_server_leaves_its_request_to_the_least_loaded_where_no_turns_are_taken() -> None:
    a, b, c = server("a", (3, 0)), server("b"), server("c", (1, 0))
    made = pool(a, b, c)
    assert made.pick_with_room(REQUEST, lambda one: one is not b, ()) is c
    assert made.pick_with_room(REQUEST, lambda one: True, [b]) is c
