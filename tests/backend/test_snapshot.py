"""Generations travel between processes as they are, and show no secrets."""

import pickle
from dataclasses import FrozenInstanceError

import pytest

from lbd import schema
from lbd.backend.snapshot import HEALTH, MODES, Endpoint, Generation
from lbd.schema.units import Address

MEMBER = Endpoint("app", "a", Address("127.0.0.1", 9001), 3)
GENERATION = Generation(1, schema.Config(), {"app": (MEMBER,)}, {"app": 0}, {"web": 0}, {("web", "app"): 0},
                        secret=b"very secret")


def test_an_endpoint_is_ready_and_up_unless_said_otherwise() -> None:
    assert (MEMBER.weight, MEMBER.backup, MEMBER.mode, MEMBER.health) == (1, False, "ready", "up")
    assert MEMBER.mode in MODES
    assert MEMBER.health in HEALTH


def test_it_survives_the_way_to_a_worker() -> None:
    assert pickle.loads(pickle.dumps(GENERATION)) == GENERATION


def test_it_never_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        GENERATION.number = 2  # type: ignore[misc]


def test_the_secret_is_not_shown() -> None:
    assert "very secret" not in repr(GENERATION)
