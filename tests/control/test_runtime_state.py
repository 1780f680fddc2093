"""The state over a restart: kept, restored, left to the next version, and set aside when it is broken."""

import pytest

from lbd.control import runtime_state, state_file
from lbd.control.runtime_changes import RuntimeChanges
from lbd.errors import LbdError
from lbd.net.tasks import Tasks
from tests.control.world import OFFER, World
from tests.waiting import until


async def test_without_a_directory_all_is_in_force_and_nothing_is_kept(world):
    one = RuntimeChanges(world.plane, world.tasks, lambda: world.now)
    one.restore("")
    assert one.unkept == ""
    await one.override("app", "a", {"mode": "drain"}, "me")
    assert await one.register("app", "r", OFFER, "me")
    assert one.unkept == 'not kept over a restart: global.state_dir is "off"'
    left = one.leave()
    assert world.changes.leave() == ""     # the disk has it
    world.plane.overrides.restore([])
    world.plane.registry.restore([], 0.0)
    RuntimeChanges(world.plane, world.tasks, lambda: world.now).restore("", left)
    assert world.plane.overrides.override_of(("app", "a")).settings == {"mode": "drain"}
    assert world.plane.registry.entry_of(("app", "r")) is not None


async def test_what_is_left_without_a_directory_is_kept_where_there_is_one_now(world):
    one = RuntimeChanges(world.plane, world.tasks, lambda: world.now)
    one.restore("")
    await one.override("app", "a", {"mode": "drain"}, "me")
    world.changes.restore(str(world.file.parent), one.leave())
    await world.idle()
    assert [one["mode"] for one in world.kept()["overrides"]] == ["drain"]
    world.changes.restore(str(world.file.parent), "no = toml = at all")
    assert world.plane.overrides.override_of(("app", "a")) is not None


async def test_a_full_disk_refuses_new_servers_and_nothing_else(world, monkeypatch):
    def full(path, text):
        raise OSError(28, "No space left on device")

    await world.changes.register("app", "b", OFFER, "me")
    monkeypatch.setattr(state_file, "_write", full)
    await world.changes.override("app", "a", {"mode": "drain"}, "me")
    assert len(world.plane.overrides) == 1
    assert world.changes.unkept.endswith("No space left on device")
    with pytest.raises(LbdError, match="No space left"):
        await world.changes.register("app", "c", OFFER, "me")
    assert not await world.changes.register("app", "b", OFFER, "me")     # a heartbeat writes nothing
    assert len(world.plane.registry) == 1
    monkeypatch.undo()
    world.changes.tick()
    await until(lambda: not world.changes.unkept)
    assert [one["mode"] for one in world.kept()["overrides"]] == ["drain"]


async def test_everything_is_restored(world, tmp_path):
    await world.changes.override("app", "a", {"weight": 5}, "me")
    await world.changes.register("app", "b", OFFER, "me")
    other = World(tmp_path, world.tasks)
    assert other.plane.overrides.override_of(("app", "a")).weight == 5
    assert other.plane.registry.entry_of(("app", "b")).saved.offer.ttl == 10.0
    other.changes.close()


@pytest.mark.parametrize("text", ["format = 2", "", "format = 1\noverrides = 5",
                                  "format = 1\n[[overrides]]\nserver = 5",
                                  'format = 1\n[[registrations]]\nbackend = "a"\nserver = "b"'])
async def test_what_cannot_be_understood_is_set_aside(tmp_path, text):
    (tmp_path / runtime_state.FILE).write_text(text)
    world = World(tmp_path, Tasks(lambda name, error: None))
    assert not world.file.exists()
    assert (len(world.plane.overrides), len(world.plane.registry)) == (0, 0)
    world.changes.close()
