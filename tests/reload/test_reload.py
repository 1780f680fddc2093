"""The reload without a daemon: one at a time, folded, noted."""

import asyncio
import contextlib
import dataclasses
import threading

import pytest

from lbd.backend.snapshot import Generation
from lbd.config.reader import Loaded
from lbd.errors import ConfigError, LbdError, Problem
from lbd.net.tasks import Tasks
from lbd.reload import reload
from lbd.reload.config_source import ConfigSource
from lbd.reload.reload import Reload
from lbd.reload.trial import Sample
from lbd.schema import Admin, Config, Global
from lbd.schema.units import Address


class Rig:
    """Files, and a coordinator that counts."""

    def __init__(self):
        self.config = Config()
        self.kept = {}
        self.error = None
        self.refusal = None
        self.applied = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = asyncio.Event()
        self.figures = Sample()
        self.tasks = Tasks(lambda name, error: None)
        self.reload = Reload(ConfigSource(self.load, self.load()), self.tasks, self, self, self)

    def load(self, file=None, good=None):
        if file is not None and file in self.kept:
            return Loaded(self.kept[file], [], (file,), {})
        if self.error is not None:
            raise self.error
        return Loaded(self.config, [], ("f",), {})

    def add_impact(self, plan):
        return plan

    def sample(self):
        return self.figures

    async def apply_config(self, config, force):
        self.busy.set()
        await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        self.applied.append((config, force))
        return Generation(len(self.applied) + 1, config, {}, {}, {}, {})

    async def tasks_done(self):
        """Everything that was begun is over."""
        while len(self.tasks):
            await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)

    def workers(self, count):
        self.config = dataclasses.replace(self.config, global_=Global(workers=count))


async def begun(work):
    """A task for it that has run until it waits for something."""
    turn = asyncio.Event()
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().call_soon(turn.set)   # after the task's first step
    await turn.wait()
    return task


@pytest.fixture
async def rig():
    return Rig()


async def test_what_changes_nothing_makes_no_generation(rig):
    answer = await rig.reload.reload(False)
    assert (answer["changed"], answer["generation"], rig.applied) == (False, 1, [])


async def test_reloads_during_one_are_folded(rig):
    rig.gate.clear()
    rig.workers(2)
    first = asyncio.ensure_future(rig.reload.reload(False))
    await rig.busy.wait()
    rig.workers(3)
    others = [await begun(rig.reload.reload(False)) for _ in range(5)]
    rig.gate.set()
    answers = await asyncio.gather(first, *others)
    assert [answer["generation"] for answer in answers] == [2, 3, 3, 3, 3, 3]
    assert [config.global_.workers for config, _ in rig.applied] == [2, 3]


@pytest.mark.parametrize("error", [LbdError("no"), ConfigError([Problem("f", 1, 1, "k", "m")])])
async def test_a_failure_is_noted_and_the_next_success_too(rig, error):
    rig.error = error
    with pytest.raises(LbdError):
        await rig.reload.reload(False)
    assert (rig.reload.record.last["success"], rig.reload.record.last["error"]) == (False, str(error))
    rig.error = None
    rig.refusal = LbdError("a worker vetoes")
    rig.workers(2)
    with pytest.raises(LbdError, match="vetoes"):
        await rig.reload.reload(True)
    rig.refusal = None
    assert (await rig.reload.reload(True))["plan"]["summary"] == "1 setting changed"
    assert (rig.reload.record.last["success"], rig.reload.record.last["plan"]) == (True, "1 setting changed")
    assert rig.applied[0][1] is True
    assert (rig.reload.record.change["generation"], rig.reload.record.change["plan"]) == (2, "1 setting changed")
    assert "workers" in rig.reload.record.change["changes"][0]
    with contextlib.suppress(LbdError):
        await rig.reload.reload(False)
    assert rig.reload.record.change["plan"] == "1 setting changed", "what changed nothing is no change"


async def test_the_plan_changes_nothing(rig):
    rig.config = Config(admin=Admin(bind=Address(path="/x")))
    plan = await rig.reload.plan("/other.toml")
    assert plan["restart"] == ["admin.bind"]
    assert rig.applied == []
    assert rig.reload.source.loaded.config == Config()


async def test_plans_that_hang_keep_no_reload_from_its_files(rig):
    disk = threading.Event()
    load = rig.reload.source._load
    rig.reload.source._load = lambda *asked: (disk.wait(20) if asked == ("/slow.toml",) else None, load(*asked))[1]
    plans = [await begun(rig.reload.plan("/slow.toml")) for _ in range(10)]
    try:
        rig.workers(2)
        assert (await rig.reload.reload())["changed"]
    finally:
        disk.set()
    await asyncio.gather(*plans, return_exceptions=True)


class Memory:
    """A history in memory, whose files the rig can load."""

    def __init__(self, rig):
        self.rig = rig
        self.names = []
        self.off = False

    def keep(self, config):
        self.names.append(f"kept {len(self.names)}")
        self.rig.kept[self.names[-1]] = config

    def possible(self):
        if self.off:
            raise LbdError("no way back")

    def previous(self):
        if len(self.names) < 2:
            raise LbdError("none")
        return self.names[-2]

    def step_back(self):
        self.names.pop()


@pytest.fixture
async def trying(rig):
    rig.reload.start_history(Memory(rig), 1)
    rig.workers(2)
    return rig


async def test_there_and_back(trying):
    await trying.reload.reload()
    trying.workers(3)
    await trying.reload.reload()
    assert (await trying.reload.rollback())["generation"] == 4
    assert trying.applied[-1] == (Config(global_=Global(workers=2)), True)
    await trying.reload.rollback()
    assert trying.applied[-1][0] == Config()
    assert trying.reload.source.files == ("f",)
    assert "the files say something else" in trying.reload.record.last["error"]
    with pytest.raises(LbdError, match="none"):
        await trying.reload.rollback()
    assert (await trying.reload.reload())["changed"]


async def test_what_cannot_be_read_again_is_refused_after_a_way_back_too(trying):
    await trying.reload.reload()
    trying.reload.source.loaded = dataclasses.replace(trying.reload.source.loaded, files=(), once="it came once")
    trying.reload.source.files = ()
    trying.workers(3)
    for again in (trying.reload.reload(), trying.reload.plan(None)):
        with pytest.raises(LbdError, match="it came once"):
            await again
    assert (await trying.reload.rollback())["changed"]
    with pytest.raises(LbdError, match="it came once"):
        await trying.reload.reload()
    assert trying.reload.source.files == ()


async def test_the_first_generation_is_kept_before_the_next(rig):
    history, disk = Memory(rig), threading.Event()
    keep = history.keep
    history.keep = lambda config: (disk.wait(20), keep(config))
    rig.reload.start_history(history, 1)
    rig.workers(2)
    asked = asyncio.ensure_future(rig.reload.reload())
    await asyncio.wait([asked], timeout=0.2)    # it has time not to wait for the disk
    disk.set()
    assert (await asked)["changed"]
    assert [rig.kept[name].global_.workers for name in history.names] == [0, 2]


async def test_no_trial_without_a_way_back(trying):
    trying.reload.archive._history.off = True
    with pytest.raises(LbdError, match="no way back"):
        await trying.reload.reload(confirm=60.0)
    assert trying.applied == []
    assert (await trying.reload.reload())["changed"]


async def test_confirmed_in_time(trying):
    await trying.reload.reload(confirm=60.0)
    assert 0 < trying.reload.describe()["confirm_within_seconds"] <= 60
    trying.workers(3)
    with pytest.raises(LbdError, match="waits to be confirmed"):
        await trying.reload.reload()
    trying.reload.tick()
    trying.reload.confirm()
    with pytest.raises(LbdError, match="no generation waits"):
        trying.reload.confirm()
    await trying.reload.reload()
    assert [config.global_.workers for config, _ in trying.applied] == [2, 3]


async def back(rig):
    async with asyncio.timeout(20):
        while "rolled back" not in rig.reload.record.last["error"]:
            rig.reload.tick()
            await rig.tasks_done()
    assert rig.applied[-1] == (Config(), True)


async def test_not_confirmed(trying):
    await trying.reload.reload(confirm=1e-9)
    await back(trying)


async def test_trouble_ends_it_early(trying):
    await trying.reload.reload(confirm=1000.0)
    trying.figures = Sample({("web", "app"): (200.0, 100.0)})
    await back(trying)
    assert "50.0% of 200 answers were 5xx" in trying.reload.record.last["error"]


def broken(rig, name, *errors):
    """The history fails so often before it works."""
    left, real = list(errors), getattr(rig.reload.archive._history, name)

    def work():
        if left:
            raise left.pop(0)
        return real()

    setattr(rig.reload.archive._history, name, work)


async def test_a_disk_that_forgets_nothing_is_no_failure_of_the_way_back(trying):
    await trying.reload.reload()
    broken(trying, "step_back", OSError(30, "Read-only file system"))
    assert (await trying.reload.rollback())["changed"]
    assert "the files say something else" in trying.reload.record.last["error"]


async def test_a_way_back_that_fails_leaves_the_trial(trying):
    await trying.reload.reload(confirm=60.0)
    broken(trying, "previous", LbdError("a disk does not answer"))
    with pytest.raises(LbdError, match="does not answer"):
        await trying.reload.rollback()
    trying.workers(3)
    with pytest.raises(LbdError, match="waits to be confirmed"):
        await trying.reload.reload()
    await trying.reload.rollback()
    assert trying.reload.confirmation.trial is None


async def test_what_is_not_confirmed_is_taken_back_at_last(trying, monkeypatch):
    monkeypatch.setattr(reload, "RETRY", 0.0)
    await trying.reload.reload(confirm=1e-9)
    broken(trying, "previous", LbdError("a disk does not answer"), LbdError("nor now"))
    await back(trying)


async def test_what_the_watch_put_in_force_can_be_confirmed_too(trying):
    trying.reload.start_reload("a changed file", by_watch=True)
    await trying.tasks_done()
    answer = await trying.reload.reload(confirm=60.0)
    assert not answer["changed"]
    assert trying.reload.confirmation.trial is not None
    trying.reload.confirm()
    with pytest.raises(LbdError, match="nothing to confirm"):
        await trying.reload.reload(confirm=60.0)
