"""The parts of a generation: run by the coordinator in order, and taken back when one of them refuses."""

import pytest

from lbd.errors import LbdError
from lbd.generation.part import Part
from tests.generation.running import config


class Recorded(Part):
    """Notes what becomes of it; `refuses` makes its stage fail."""

    def __init__(self, calls, name, refuses=False):
        self.calls, self.name, self.refuses = calls, name, refuses

    async def stage(self, old, new):
        if self.refuses:
            raise LbdError("not with me")
        self.calls.append(("stage", self.name, len(new.backends["app"].servers) - len(old.backends["app"].servers)))

    async def commit(self):
        self.calls.append(("commit", self.name))

    async def rollback(self):
        self.calls.append(("rollback", self.name))


async def test_all_are_staged_before_any_is_committed(running):
    calls = []
    running.coordinator.parts = [Recorded(calls, "one"), Recorded(calls, "two")]
    await running.coordinator.apply_config(config("a", "b"))
    assert calls == [("stage", "one", 1), ("stage", "two", 1), ("commit", "one"), ("commit", "two")]


async def test_a_part_that_refuses_takes_back_those_before_it(running):
    calls = []
    running.coordinator.parts = [Recorded(calls, "one"), Recorded(calls, "two", refuses=True), Recorded(calls, "three")]
    with pytest.raises(LbdError, match="not with me"):
        await running.coordinator.apply_config(config("a", "b"))
    assert calls == [("stage", "one", 1), ("rollback", "one")]
    assert running.in_force.generation.number == 1


async def test_a_worker_that_refuses_takes_back_all(running, monkeypatch):
    calls = []
    running.coordinator.parts = [Recorded(calls, "one"), Recorded(calls, "two")]

    async def refuse(generation):
        raise LbdError("not in my process")

    monkeypatch.setattr(running.fleet, "prepare", refuse)
    with pytest.raises(LbdError, match="not in my process"):
        await running.coordinator.apply_config(config("a", "b"))
    assert calls[2:] == [("rollback", "two"), ("rollback", "one")]
