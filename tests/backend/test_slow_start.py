"""Slow start: who begins slowly, how the weight grows, and that the algorithm is told."""

from collections.abc import Sequence
from typing import Any

import pytest

from lbd import schema
from lbd.backend.algorithm import Algorithm, RequestFacts
from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.backend.slow_start import LEAST, STEP
from lbd.backend.snapshot import Endpoint
from lbd.schema.units import Address
from lbd.stats.scoreboard import BACKEND, SERVER, Board

SETTINGS = schema.BackendConfig(slow_start=10.0)
REQUEST: Any = None


class Told(Algorithm):
    """Knows the weights of its last rebuild."""

    weights: dict[str, float]

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.weights = {server.name: server.effective for server in servers}

    def pick(self, request: RequestFacts) -> Server:
        raise NotImplementedError


class Site:
    """A backend with servers a and b, of weight 10."""

    def __init__(self, settings: schema.BackendConfig = SETTINGS, health: str = "up") -> None:
        self.board = Board.create(1)
        self.backend = Backend("app", self.board.row(0, BACKEND, 0))
        self.endpoints = {name: Endpoint("app", name, Address("192.0.2.1", 1 + slot), slot, 10, health=health)
                        for slot, name in enumerate("ab")}
        self.install(settings)

    def install(self, settings: schema.BackendConfig = SETTINGS) -> None:
        context: Any = None
        self.backend.install(settings, [*self.endpoints.values()], lambda slot: self.board.row(0, SERVER, slot),
                             Told(None, context))

    def change(self, name: str, **changes: Any) -> None:
        self.endpoints[name] = self.endpoints[name]._replace(**changes)
        self.backend.update(self.endpoints[name], lambda slot: self.board.row(0, SERVER, slot))
        self.backend.rebuild()

    @property
    def weights(self) -> dict[str, float]:
        assert self.backend.pool is not None
        algorithm = self.backend.pool.algorithm
        assert isinstance(algorithm, Told)
        return algorithm.weights


def test_nobody_begins_slowly_when_the_process_starts() -> None:
    assert Site().weights == {"a": 10, "b": 10}
    site = Site(health="unknown")
    site.change("a", health="up")
    site.change("b", health="up")
    assert site.weights == {"a": 10, "b": 10}


def test_a_server_that_is_back_up_gets_its_weight_in_a_straight_line() -> None:
    site = Site()
    site.change("a", health="down")
    site.change("a", health="up")
    assert site.weights == {"a": pytest.approx(10 * LEAST), "b": 10}
    for now, weight in ((100.0, 1.0), (102.5, 3.25), (105.0, 5.5), (109.5, 9.55), (110.0, 10.0), (200.0, 10.0)):
        site.backend.tick(now)
        assert site.weights == {"a": pytest.approx(weight), "b": 10}
    assert not site.backend.slow_start.growing


def test_the_algorithm_is_told_a_few_times_a_second_and_only_while_something_grows() -> None:
    site = Site()
    site.change("a", health="down")
    site.change("a", health="up")
    site.backend.tick(100.0)
    site.weights.clear()
    site.backend.tick(100.0 + STEP / 2)
    assert site.weights == {}
    site.backend.tick(100.0 + STEP)
    assert site.weights != {}
    site.backend.tick(111.0)
    site.weights.clear()
    site.backend.tick(120.0)
    assert site.weights == {}


@pytest.mark.parametrize("before", [{"health": "ejected"}, {"mode": "maint"}, {"health": "down", "mode": "drain"}])
def test_back_from_anything_that_kept_it_cold(before: dict[str, str]) -> None:
    site = Site()
    site.change("a", **before)
    site.change("a", health="up", mode="ready")
    assert site.weights["a"] == pytest.approx(1.0)


def test_a_drained_server_is_warm() -> None:
    site = Site()
    site.change("a", mode="drain")
    site.change("a", mode="ready")
    assert site.weights["a"] == 10


def test_a_new_server_of_a_reload_begins_slowly_also_when_its_check_passes_later() -> None:
    site = Site()
    site.endpoints["c"] = Endpoint("app", "c", Address("192.0.2.1", 3), 2, 10)
    site.endpoints["d"] = Endpoint("app", "d", Address("192.0.2.1", 4), 3, 10, health="unknown")
    site.install()
    assert site.weights == {"a": 10, "b": 10, "c": pytest.approx(1.0)}
    site.change("d", health="up")
    assert site.weights["d"] == pytest.approx(1.0)
    site.install()      # the next reload changes nothing
    assert site.weights == {"a": 10, "b": 10, "c": pytest.approx(1.0), "d": pytest.approx(1.0)}


def test_another_address_is_another_server() -> None:
    site = Site()
    site.change("a", address=Address("192.0.2.9", 1))
    assert site.weights["a"] == pytest.approx(1.0)


def test_down_in_the_middle_begins_anew() -> None:
    site = Site()
    site.change("a", health="down")
    site.change("a", health="up")
    site.backend.tick(100.0)
    site.backend.tick(105.0)
    site.change("a", health="down")
    site.change("a", health="up")
    assert site.weights["a"] == pytest.approx(1.0)


def test_a_weight_that_changes_meanwhile_grows_on() -> None:
    site = Site()
    site.change("a", health="down")
    site.change("a", health="up")
    site.backend.tick(100.0)
    site.backend.tick(105.0)
    site.change("a", weight=100)
    assert site.weights["a"] == pytest.approx(55.0)


def test_a_reload_without_slow_start_ends_it() -> None:
    site = Site()
    site.change("a", health="down")
    site.change("a", health="up")
    site.install(schema.BackendConfig())
    assert site.weights == {"a": 10, "b": 10}
    site.backend.tick(100.0)
    site.change("a", health="down")
    site.change("a", health="up")
    assert site.weights["a"] == 10


def test_a_server_that_goes_is_forgotten() -> None:
    site = Site()
    site.change("a", health="down")
    site.change("a", health="up")
    del site.endpoints["a"]
    site.install()
    assert not site.backend.slow_start.growing
