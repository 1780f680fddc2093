"""A server's two axes of state, and what becomes of its back-off."""

from typing import Any

import pytest

from lbd.backend.server import Server
from lbd.backend.snapshot import Endpoint
from lbd.schema.units import Address
from lbd.stats.scoreboard import now


def server(**changes: Any) -> Server:
    values: dict[str, Any] = {"backend": "app", "name": "a", "address": Address("127.0.0.1", 9001), "slot": 0}
    return Server(Endpoint(**{**values, **changes}), row=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("mode", "health", "weight", "usable"), [
    ("ready", "up", 1, True),
    ("ready", "up", 0, False),
    ("ready", "unknown", 1, False),
    ("ready", "down", 1, False),
    ("ready", "ejected", 1, False),
    ("drain", "up", 1, False),
    ("maint", "up", 1, False),
])
def test_usable_needs_both_axes(mode: str, health: str, weight: int, usable: bool) -> None:
    assert server(mode=mode, health=health, weight=weight).usable is usable


def test_a_server_that_is_found_well_again_is_not_backed_off() -> None:
    one = server()
    one.backoff.mark_failed(1.0)
    well = Endpoint("app", "a", Address("127.0.0.1", 9001), 0)
    one.update(well)                                # as it was: that says nothing
    assert one.backoff.until
    one.update(well._replace(health="down"))
    assert one.backoff.until
    one.update(well)
    assert (one.backoff.until, one.backoff.failures) == (0.0, 0)


def test_update_takes_over_what_may_change() -> None:
    one = server()
    one.update(Endpoint("app", "a", Address("127.0.0.1", 9001), 0, weight=7, backup=True, mode="drain", health="down"))
    assert (one.weight, one.backup, one.mode, one.health) == (7, True, "drain", "down")


def test_only_a_cut_from_before_it_began_is_known() -> None:
    before, later = now() - 1.0, now() + 60.0
    assert server(cut=before).cut == before
    assert server(cut=later).cut == 0.0
