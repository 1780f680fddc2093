"""lbd.simulation.events: events come in the order of their times, and the clock with them."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from lbd.simulation.events import EventQueue
from lbd.simulation.workload import FIRST
from lbd.stats.scoreboard import freeze, now


@pytest.fixture
def ended() -> list[Any]:
    return []


@pytest.fixture
def events(ended: list[Any]) -> Iterator[EventQueue]:
    yield EventQueue(lambda when, flight, ending: ended.append((when, flight, ending)))
    freeze(None)


def flight(slot: int) -> Any:
    return SimpleNamespace(server=SimpleNamespace(slot=slot))


def test_times_decide_and_then_the_order_of_calls(events: EventQueue, ended: list[Any]) -> None:
    first, second = flight(0), flight(0)
    events.end_at(FIRST + 2, second, 1)
    events.end_at(FIRST + 1, first, 2)
    events.call_at(FIRST + 2, lambda when: ended.append((when, now(), events.now)))
    events.run_until(FIRST + 1)
    assert ended == [(FIRST + 1, first, 2)]
    events.run_until(FIRST + 5)
    assert ended[1:] == [(FIRST + 2, second, 1), (FIRST + 2, FIRST + 2, FIRST + 2)]
    assert events.now == FIRST + 2


def test_flights_of_one_server_are_taken_out_and_put_back(events: EventQueue, ended: list[Any]) -> None:
    late, other, soon = flight(3), flight(4), flight(3)
    for when, each in ((FIRST + 9, late), (FIRST + 5, other), (FIRST + 7, soon)):
        events.end_at(when, each, 0)
    events.call_at(FIRST + 6, lambda when: None)
    removed = events.remove_flights(3)
    assert [each for _, each in removed] == [soon, late]
    events.put_back(FIRST + 1, *removed[1], 8)
    events.run_until(FIRST + 10)
    assert ended == [(FIRST + 1, late, 8), (FIRST + 5, other, 0)]
