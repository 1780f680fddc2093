"""The watches as a part of the generation: begun, ended and asked for as its configuration says."""

import asyncio
from types import SimpleNamespace

import pytest

from lbd.generation.in_force import InForce
from lbd.net.tasks import Tasks
from lbd.reload.file_watches import FileWatches
from lbd.schema import Config, Global


class Reload:
    """Notes reloads; `source` is its own."""

    def __init__(self, file, begun=0):
        self.source = SimpleNamespace(files=(str(file),), loaded=SimpleNamespace(begun=begun))
        self.causes = []
        self.asked = asyncio.Event()

    def start_reload(self, cause, by_watch):
        self.causes.append((cause, by_watch))
        self.asked.set()


@pytest.fixture
async def tasks():
    tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error!r}"))
    yield tasks
    await tasks.cancel()


async def test_a_changed_file_asks_for_a_reload(tmp_path, tasks):
    file = tmp_path / "lbd.toml"
    file.write_text("one")
    reload = Reload(file)
    watches = FileWatches(SimpleNamespace(in_force=InForce()), reload, tasks)
    watches.start(Config(global_=Global(watch=True)))
    file.write_text("two, by other hands")
    async with asyncio.timeout(20):
        await reload.asked.wait()
    assert reload.causes == [("a changed file", True)]
    watches.tick()


async def test_a_file_that_changed_since_it_was_read_asks_for_a_reload(tmp_path, tasks):
    file = tmp_path / "lbd.toml"
    file.write_text("one")
    reload = Reload(file, begun=file.stat().st_ctime_ns)
    file.write_text("two, before there is a watch")
    FileWatches(SimpleNamespace(in_force=InForce()), reload, tasks).start(Config(global_=Global(watch=True)))
    async with asyncio.timeout(20):
        await reload.asked.wait()
    assert reload.causes == [("a changed file", True)]


async def test_only_a_change_in_force_ends_the_watch(tmp_path, tasks):
    watches = FileWatches(SimpleNamespace(in_force=InForce()), Reload(tmp_path / "lbd.toml"), tasks)
    on, off = Config(global_=Global(watch=True)), Config(global_=Global(watch=False))
    watches.start(on)
    assert watches.mode != "off"
    await watches.stage(on, off)
    await watches.rollback()
    assert watches.mode != "off"
    await watches.stage(on, off)
    await watches.commit()
    assert watches.mode == "off"
