"""The reload without a daemon: one at a time, folded, noted."""

import asyncio
import dataclasses

import pytest

from lbd.backend.generation import Generation
from lbd.config.read import Loaded
from lbd.config.schema import Admin, Config, Global
from lbd.config.units import Address
from lbd.control.reload import Reload
from lbd.errors import ConfigError, LbdError, Problem
from lbd.net.tasks import Tasks


class Rig:
    """Files and a machine that counts."""

    def __init__(self):
        self.config = Config()
        self.error = None
        self.refusal = None
        self.applied = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = asyncio.Event()
        self.reload = Reload(self.load, self.load(), Tasks(lambda name, error: None), self.apply, lambda plan: plan)

    def load(self, file=None):
        if self.error is not None:
            raise self.error
        return Loaded(self.config, [], ("f",), {})

    async def apply(self, loaded, force):
        self.busy.set()
        await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        self.applied.append((loaded.config, force))
        return Generation(len(self.applied) + 1, loaded.config, {}, {}, {}, {})

    def workers(self, count):
        self.config = dataclasses.replace(self.config, global_=Global(workers=count))


@pytest.fixture
async def rig():
    return Rig()


async def test_what_changes_nothing_makes_no_generation(rig):
    answer = await rig.reload.ask(False)
    assert (answer["changed"], answer["generation"], rig.applied) == (False, 1, [])


async def test_reloads_during_one_are_folded(rig):
    rig.gate.clear()
    rig.workers(2)
    first = asyncio.ensure_future(rig.reload.ask(False))
    await rig.busy.wait()
    rig.workers(3)
    others = [asyncio.ensure_future(rig.reload.ask(False)) for _ in range(5)]
    await asyncio.sleep(0)
    rig.gate.set()
    answers = await asyncio.gather(first, *others)
    assert [answer["generation"] for answer in answers] == [2, 3, 3, 3, 3, 3]
    assert [config.global_.workers for config, _ in rig.applied] == [2, 3]


@pytest.mark.parametrize("error", [LbdError("no"), ConfigError([Problem("f", 1, 1, "k", "m")])])
async def test_a_failure_is_noted_and_the_next_success_too(rig, error):
    rig.error = error
    with pytest.raises(LbdError):
        await rig.reload.ask(False)
    assert (rig.reload.last["success"], rig.reload.last["error"]) == (False, str(error))
    rig.error = None
    rig.refusal = LbdError("a worker vetoes")
    rig.workers(2)
    with pytest.raises(LbdError, match="vetoes"):
        await rig.reload.ask(True)
    rig.refusal = None
    assert (await rig.reload.ask(True))["plan"]["summary"] == "1 setting changed"
    assert (rig.reload.last["success"], rig.reload.last["plan"]) == (True, "1 setting changed")
    assert rig.applied[0][1] is True


async def test_the_plan_changes_nothing(rig):
    rig.config = Config(admin=Admin(bind=Address(path="/x")))
    plan = await rig.reload.plan("/other.toml")
    assert plan["restart"] == ["admin.bind"]
    assert rig.applied == []
    assert rig.reload.loaded.config == Config()
