"""The planned cuts: whom they are applied to, and when they are no more."""

from collections.abc import Iterable
from typing import Any

import pytest

from lbd.backend.snapshot import Endpoint
from lbd.generation.cuts import Cuts
from lbd.schema import BackendConfig, Config
from lbd.schema.units import Address

CONFIG = Config(backends={"app": BackendConfig(), "other": BackendConfig()})
A = Endpoint("app", "a", Address("10.0.0.1", 80), 0, mode="maint")
B = A._replace(name="b", mode="drain")


class Endpoints:
    """Servers as they are now."""

    def __init__(self, *endpoints: Endpoint) -> None:
        self.endpoints = endpoints
        self.asked: list[str] = []

    def of_backend(self, config: Config, name: str) -> Iterable[Endpoint]:
        assert name in config.backends
        self.asked.append(name)
        return [endpoint for endpoint in self.endpoints if endpoint.backend == name]


@pytest.fixture
def cuts() -> Cuts:
    return Cuts(lambda: 100.0)


def follow(cuts: Cuts, *endpoints: Endpoint, config: Config = CONFIG) -> None:
    known: Any = Endpoints(*endpoints)
    cuts.forget_returned(known, config)
    assert set(known.asked) <= {"app"}


def test_who_was_taken_out_is_cut_at_its_moment(cuts: Cuts) -> None:
    cuts.plan_cut([A, B], 30.0)
    cuts.plan_cut([B], 0.0)
    assert (cuts.add_cut(A).cut, cuts.add_cut(B).cut) == (130.0, 100.0)
    assert cuts.add_cut(A._replace(name="c")).cut == 0.0
    assert cuts.add_cut(A._replace(mode="ready")).cut == 0.0


def test_it_lasts_while_the_server_is_out(cuts: Cuts) -> None:
    cuts.plan_cut([A, B], 30.0)
    follow(cuts, A, B._replace(mode="ready"))
    assert (cuts.add_cut(A).cut, cuts.add_cut(B).cut) == (130.0, 0.0)     # out again, but not to be cut
    follow(cuts, A)
    assert cuts.add_cut(A).cut == 130.0
    follow(cuts)
    assert cuts.planned() == []


def test_a_backend_that_is_gone(cuts: Cuts) -> None:
    cuts.plan_cut([A], 30.0)
    follow(cuts, A, config=Config())
    assert cuts.planned() == []


def test_called_off(cuts: Cuts) -> None:
    cuts.plan_cut([A], 30.0)
    cuts.plan_cut([A, B], None)
    assert cuts.planned() == []


def test_there_and_back(cuts: Cuts) -> None:
    cuts.plan_cut([A], 30.0)
    other = Cuts()
    other.restore_plans(dict(cuts.planned()))
    assert other.add_cut(A).cut == 130.0
