"""A backend over generations: what survives, what goes, and who may be picked."""

from collections.abc import Sequence
from random import Random
from typing import Any

from lbd import schema
from lbd.backend.algorithm import Algorithm, Context, RequestFacts
from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint
from lbd.schema.units import Address
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board, Row

BOARD = Board.create(2)
ANY: Any = None


def row(slot: int) -> Row:
    return BOARD.row(0, scoreboard.SERVER, slot)


def endpoint(name: str, port: int = 9000, **more: Any) -> Endpoint:
    return Endpoint("app", name, Address("127.0.0.1", port), port - 9000, **more)


class First(Algorithm):
    """Takes the first, and keeps count in `picks`."""

    servers: Sequence[Server] = ()
    picks = 0
    inherited: Any = None

    def inherit(self, previous: Any) -> None:
        self.inherited = previous
        self.picks = previous.picks

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.servers = servers

    def pick(self, request: RequestFacts) -> Server:
        self.picks += 1
        return self.servers[0]


class Last(First):
    def pick(self, request: RequestFacts) -> Server:
        return self.servers[-1]


def first() -> First:
    return First(None, Context(BOARD, 0, Random(1)))


def installed(*endpoints: Endpoint, algorithm: Algorithm | None = None, **settings: Any) -> Backend:
    backend = Backend("app", BOARD.row(0, scoreboard.BACKEND, 0))
    backend.install(schema.BackendConfig(**settings), endpoints, row, algorithm or first())
    return backend


def names(servers: Sequence[Server]) -> list[str]:
    return [server.name for server in servers]


def usable(backend: Backend) -> list[str]:
    return names(backend.pool.usable) if backend.pool is not None else []


def test_servers_live_as_long_as_their_identity() -> None:
    backend = installed(endpoint("a"), endpoint("b", 9001))
    kept, gone = backend.servers.values()
    kept.backoff.mark_failed(1.0)
    removed = backend.install(schema.BackendConfig(max_idle=3, max_requests=9),
                              [endpoint("a", weight=5), endpoint("c", 9002)], row, first())
    assert removed == [gone]
    assert gone.gone
    assert not kept.gone
    assert names(list(backend.servers.values())) == ["a", "c"]
    assert next(iter(backend.servers.values())) is kept
    assert (kept.weight, kept.max_idle, kept.max_turns, kept.backoff.until) == (5, 3, 9, 1.5)


def test_an_algorithm_inherits_from_its_own_kind_only() -> None:
    backend = installed(endpoint("a"))
    assert backend.pick(ANY) is not None
    second = first()
    backend.install(schema.BackendConfig(), [endpoint("a")], row, second)
    assert second.picks == 1
    other = Last(None, Context(BOARD, 0, Random(1)))
    backend.install(schema.BackendConfig(), [endpoint("a")], row, other)
    assert other.inherited is None


def test_update_moves_states_and_takes_effect_with_rebuild() -> None:
    backend = installed(endpoint("a"), endpoint("b", 9001))
    assert backend.update(endpoint("a", health="down"), row) == []
    assert usable(backend) == ["a", "b"]
    backend.rebuild()
    assert usable(backend) == ["b"]
    backend.update(endpoint("b", 9001, mode="drain"), row)
    backend.rebuild()
    assert usable(backend) == []
    assert backend.pick(ANY) is None
    backend.update(endpoint("a"), row)
    backend.rebuild()
    assert backend.pick(ANY) is not None


def test_another_address_is_another_server_in_the_same_place() -> None:
    backend = installed(endpoint("a"), endpoint("b", 9001), endpoint("c", 9002), max_idle=7)
    old = list(backend.servers.values())[1]
    old.max_idle = 7
    removed = backend.update(endpoint("b", 9005)._replace(weight=4), row)
    backend.rebuild()
    assert removed == [old]
    assert old.gone
    new = list(backend.servers.values())[1]
    assert (new.name, new.weight, new.max_idle, new.address.port) == ("b", 4, 7, 9005)
    assert usable(backend) == ["a", "b", "c"]
    assert backend.pool is not None
    assert backend.pool.usable[1] is new


def test_update_of_a_server_that_is_not_there_changes_nothing() -> None:
    backend = installed(endpoint("a"))
    assert backend.update(endpoint("z", 9009), row) == []
    assert names(list(backend.servers.values())) == ["a"]


def test_a_closed_backend_has_nothing_to_give() -> None:
    backend = installed(endpoint("a"), endpoint("b", 9001))
    servers = list(backend.servers.values())
    assert backend.close() == servers
    assert all(server.gone for server in servers)
    assert backend.pick(ANY) is None
    assert backend.pick_other([]) is None
    assert not backend.servers
    backend.rebuild()
    assert backend.pick(ANY) is None


def test_feedback_goes_to_the_algorithm_in_force() -> None:
    told: list[Server] = []
    algorithm = first()
    algorithm.took = algorithm.dropped = told.append
    backend = installed(endpoint("a"), algorithm=algorithm)
    assert backend.took is not None
    backend.install(schema.BackendConfig(), [endpoint("a")], row, first())
    assert backend.took is None
    assert backend.dropped is None


def test_a_name_without_an_address_is_never_usable() -> None:
    nowhere = Endpoint("app", "a", Address("nowhere.invalid", 80), 0)
    assert usable(installed(nowhere)) == []
    assert usable(installed(nowhere._replace(health="down"), when_all_down="use-all")) == []
    assert usable(installed(endpoint("b", health="down"), when_all_down="use-all")) == ["b"]


def test_another_server_for_a_repeat() -> None:
    backend = installed(endpoint("a"), endpoint("b", 9001), endpoint("c", 9002, backup=True))
    a, b, c = backend.servers.values()
    assert backend.pick_other([a]) is b
    assert backend.pick_other([a, b]) is c
    assert backend.pick_other([a, b, c]) in (a, b)


def test_the_algorithm_alone_chooses_only_where_nothing_else_has_a_say() -> None:
    backend = installed(endpoint("a"))
    assert backend.direct(ANY) is not None
    backend.gate = object()
    backend.aim()
    assert backend.direct(ANY) is None
    assert backend.pick(ANY) is not None
    backend.gate = None
    backend.aim()
    assert backend.direct(ANY) is not None
    backend.install(schema.BackendConfig(sticky=schema.Sticky()), [endpoint("a")], row, first())
    assert backend.direct(ANY) is None
    backend.close()
    assert backend.pick(ANY) is backend.direct(ANY) is None
