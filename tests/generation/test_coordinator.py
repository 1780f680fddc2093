"""The coordinator with real workers: generations move together, and a refused one changes nothing."""

import asyncio
import contextlib
import dataclasses

import pytest

from lbd.config.runtime import Override, RegistrationRequest, SavedRegistration
from lbd.errors import LbdError
from lbd.generation.successor import handover_data
from lbd.schema import BackendTls, HealthPolicy, ListenerConfig, Registration
from lbd.schema.units import Address
from lbd.stats.fields import KINDS
from lbd.stats.scoreboard import SERVER
from lbd.workers.messages import Veto
from tests.authority import Authority
from tests.generation.running import config
from tests.waiting import until


async def test_a_new_generation_is_in_force_everywhere(running):
    address = running.sockets.addresses()
    slot = running.in_force.generation.endpoints["app"][0].slot
    generation = await running.coordinator.apply_config(config("a", "b"))
    assert generation.number == 2
    assert all(process.generation is generation for process in running.fleet.serving())
    assert running.sockets.addresses() == address
    assert generation.endpoints["app"][0].slot == slot


async def test_a_refused_socket_changes_nothing(running):
    before = running.in_force.generation
    other = dataclasses.replace(config("a"), listeners={"bad": ListenerConfig(bind=(Address("192.0.2.1", 1),))})
    with pytest.raises(LbdError, match=r"listeners\.bad\.bind"):
        await running.coordinator.apply_config(other)
    assert running.in_force.generation is before


async def test_a_refused_reload_leaves_the_credentials_that_are_in_force(running, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (Authority(tmp_path / name).file for name in ("one", "two"))
    await running.coordinator.apply_config(config("a", tls=BackendTls(ca=str(one))))
    other = dataclasses.replace(config("a", tls=BackendTls(ca=str(two))),
                                listeners={"bad": ListenerConfig(bind=(Address("192.0.2.1", 1),))})
    with pytest.raises(LbdError, match=r"listeners\.bad\.bind"):
        await running.coordinator.apply_config(other)
    one.write_text("rubbish")
    await running.coordinator.apply_credentials()
    assert "ca" in running.materials.certificates.refused["backends", "app"]


class Recorded:
    """A part that notes what it is told; it fails at the steps in `fails`."""

    def __init__(self, name, steps, fails=()):
        self._name, self._steps, self._fails = name, steps, fails

    async def stage(self, old, new):
        self._note("stage", LbdError)

    async def rollback(self):
        self._note("rollback", OSError)

    def _note(self, step, error):
        self._steps.append((step, self._name))
        if step in self._fails:
            raise error(f"{step} of {self._name} failed")


async def test_a_failed_rollback_hides_neither_the_refusal_nor_the_other_parts(running, capsys):
    steps = []
    running.coordinator.parts = (Recorded("a", steps), Recorded("b", steps, ["rollback"]),
                                 Recorded("c", steps, ["stage"]))
    with pytest.raises(LbdError, match="stage of c failed"):
        await running.coordinator.apply_config(config("a", "b"))
    assert steps == [("stage", "a"), ("stage", "b"), ("stage", "c"), ("rollback", "b"), ("rollback", "a")]
    assert "rollback of b failed" in "".join(capsys.readouterr())
    assert running.in_force.generation.number == 1


async def test_more_connections_than_descriptors_allow_are_warned_of(running, capsys):
    many = dataclasses.replace(config("a").global_, max_connections=2**40)
    await running.coordinator.apply_config(dataclasses.replace(config("a"), global_=many))
    assert "few descriptors" in "".join(capsys.readouterr())
    await running.coordinator.apply_config(dataclasses.replace(config("a", "b"), global_=many))
    assert "few descriptors" not in "".join(capsys.readouterr())


async def test_names_that_change_together_are_followed_together(running, monkeypatch):
    looks = []
    monkeypatch.setattr(running.servers.schedule, "watch_targets", looks.append)
    for name in ("a", "b", "c"):
        running.servers.resolver._changed(name)
    await until(lambda: looks)
    running.servers.resolver._changed("d")
    await until(lambda: len(looks) > 1)
    assert len(looks) == 2
    monkeypatch.undo()


async def test_an_outage_is_refused_unless_forced(running):
    dead = HealthPolicy(type="tcp", timeout=5.0, interval=60.0)
    with pytest.raises(LbdError, match=r"^backends\.app: it has a usable server now and would have none"):
        await running.coordinator.apply_config(config("a", health=dead))
    assert running.in_force.generation.number == 1
    assert (await running.coordinator.apply_config(config("a", health=dead), force=True)).number == 2


async def test_a_veto_of_one_worker_stops_all(running, monkeypatch):
    process = running.fleet.serving()[1]

    async def refuse(message, *kinds):
        return Veto(2, "not that")

    monkeypatch.setattr(process, "request", refuse)
    with pytest.raises(LbdError, match="not that"):
        await running.coordinator.apply_config(config("a", "b"))
    monkeypatch.undo()
    assert running.in_force.generation.number == 1
    assert (await running.coordinator.apply_config(config("a", "b"))).number == 2


@pytest.mark.parametrize("failure", [LbdError, RuntimeError, asyncio.CancelledError])
async def test_a_change_that_ends_in_any_error_reserves_no_row(running, monkeypatch, failure):
    async def fail(generation):
        raise failure("no")

    def owned():
        return [dict(running.slots.owners(kind)) for kind in range(len(KINDS))]

    await running.coordinator.apply_config(config("a", registration=Registration()))
    before = owned()
    monkeypatch.setattr(running.fleet, "prepare", fail)
    with pytest.raises(failure):
        await running.coordinator.apply_config(config("a", "b"))
    assert owned() == before
    offer = RegistrationRequest(Address("127.0.0.1", 9))
    running.servers.registry.register(SavedRegistration("app", "c", offer), 0.0)
    with contextlib.suppress(failure):
        await running.coordinator.apply_registrations()
    assert owned() == before
    monkeypatch.undo()
    await running.coordinator.apply_registrations()
    assert ("app", "c", "127.0.0.1:9") in owned()[SERVER]


async def test_a_planned_cut_lasts_over_a_reload_until_its_server_is_back_or_gone(running):
    def planned():
        endpoints = running.servers.all_endpoints(running.in_force.generation.config)
        (endpoint,) = [endpoint for endpoint in endpoints if endpoint.name == "a"]
        return endpoint.cut

    running.servers.overrides.put_override(("app", "a"), Override("app", "a", mode="maint"))
    running.servers.cuts.plan_cut(running.servers.all_endpoints(running.in_force.generation.config), 3600.0)
    moment = planned()
    running.publisher.apply_overrides()
    await until(lambda: running.in_force.endpoints["app", "a"].cut == moment)
    generation = await running.coordinator.apply_config(config("a", "b"))
    assert generation.endpoints["app"][0].cut == planned() == moment > 0.0
    assert [name for name, _ in handover_data(running)["known"]["cuts"]] == [("app", "a")]
    running.servers.overrides.put_override(("app", "a"), None)
    running.publisher.apply_overrides()
    running.servers.overrides.put_override(("app", "a"), Override("app", "a", mode="maint"))
    assert planned() == 0.0
    running.servers.cuts.plan_cut(running.servers.all_endpoints(running.in_force.generation.config), 3600.0)
    await running.coordinator.apply_config(config("b"), force=True)
    assert running.servers.cuts.planned() == []
