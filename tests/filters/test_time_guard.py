"""The time guard: slow hooks of own filters are counted and logged, and what they return counts."""

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from lbd.exchange.filter import Filter, FilterContext
from lbd.exchange.streams import Requester
from lbd.filters import plugin, time_guard
from lbd.http.message import Head
from lbd.schema import FilterConfig
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board, Row
from tests.plane import Connect, Simple
from tests.rig import Rig, Stage, answer, request

from . import asked
from .own import own


class Clock:
    """The time, which a slow filter moves on."""

    now = 1000.0


class Slotted(Filter):
    """Has no place for a guard."""

    __slots__ = ()

    def on_request(self, exchange: Requester, head: Head) -> None:
        head.add(b"X-Slotted", b"1")


class Slow(Filter):
    """Takes as many seconds as the client says."""

    def on_request(self, exchange: Requester, head: Head) -> None:
        Clock.now += float(head.get(b"x-takes") or 0)
        if head.get(b"x-fails"):
            raise RuntimeError("as asked")

    def on_response_data(self, exchange: Requester, data: bytes, end: bool) -> bytes:
        Clock.now += 0.5
        return data.upper()


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Row:
    monkeypatch.setattr(time_guard, "now", lambda: Clock.now)
    return Board.create(1).row(0, scoreboard.PROCESS, 0)


def slow(process: Row) -> Filter:
    worker: Any = SimpleNamespace(process=process)
    return plugin.make(FilterConfig(f"{__name__}:Slow"), FilterContext(worker, Random(1), {}))


def test_a_slow_hook_is_counted_and_its_result_counts(process: Row, told: list[Any]) -> None:
    one = slow(process)
    assert one.on_response_data(asked.exchange(), b"x", True) == b"X"
    assert process.get(fields.PROCESS_FILTER_ERRORS) == 1
    line, = told
    assert (line["event"], line["filter"]) == ("a filter is slow", f"{__name__}:Slow")
    assert (line["hook"], line["ms"]) == ("on_response_data", 500.0)


def test_a_quick_hook_is_not(process: Row, told: list[Any]) -> None:
    slow(process).on_request(asked.exchange(), asked.request("X-Takes: 0.009"))
    assert process.get(fields.PROCESS_FILTER_ERRORS) == 0
    assert not told


def test_one_line_in_a_while(process: Row, told: list[Any]) -> None:
    one = slow(process)
    for _ in range(3):
        one.on_request(asked.exchange(), asked.request("X-Takes: 0.02"))
    assert process.get(fields.PROCESS_FILTER_ERRORS) == 3
    assert len(told) == 1
    Clock.now += time_guard.QUIET
    one.on_request(asked.exchange(), asked.request("X-Takes: 0.02"))
    assert len(told) == 2


def test_one_that_fails_late_is_slow_too(process: Row, told: list[Any]) -> None:
    with pytest.raises(RuntimeError, match="as asked"):
        slow(process).on_request(asked.exchange(), asked.request("X-Takes: 1", "X-Fails: 1"))
    assert process.get(fields.PROCESS_FILTER_ERRORS) == 1
    assert len(told) == 1


def test_only_own_hooks_are_watched(process: Row) -> None:
    assert set(time_guard.HOOKS) & set(vars(slow(process))) == {"on_request", "on_response_data"}


def test_a_class_with_slots_is_not_watched() -> None:
    head = asked.request()
    plugin.make(FilterConfig(f"{__name__}:Slotted"), asked.CONTEXT).on_request(asked.exchange(), head)
    assert head.get(b"x-slotted") == b"1"


async def test_a_chain_calls_the_guarded_hooks(simple: Simple, rig: Rig, stage: Stage, connect: Connect,
                                               told: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_guard, "SLOWEST", -1.0)
    simple(backend=own("Framed"))
    client = await connect()
    await client.send(request(method="POST", body=b"x"))
    server = await stage.accept()
    assert (await server.message())[1] == b"<x>"
    await server.send(answer(b"y"))
    assert (await client.message())[1] == b"<y>"
    assert rig.board.total(scoreboard.PROCESS, 0, fields.PROCESS_FILTER_ERRORS) == 2
    line, = [line for line in told if line["event"] == "a filter is slow"]
    assert (line["filter"], line["hook"]) == ("tests.filters.own:Framed", "on_request_data")
