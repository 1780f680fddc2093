"""The machine with real workers: generations move together, and a refused one changes nothing."""

import asyncio
import dataclasses
import signal

import pytest

from lbd.config.runtime import Override
from lbd.errors import LbdError
from lbd.generation.machine import Machine, worker_count
from lbd.net.tasks import Tasks
from lbd.process.messages import Veto
from lbd.schema import BackendConfig, BackendTls, Config, Global, HealthPolicy, ListenerConfig, ServerConfig
from lbd.schema.units import Address
from tests.authority import Authority
from tests.waiting import until


@pytest.fixture
async def running():
    tasks = Tasks(lambda name, error: None)
    lines = []
    machine = Machine(tasks, "json", lines.append)
    first = config("a")
    try:
        async with asyncio.timeout(30):
            await machine.start(first, machine.bind(first))
        yield machine
    finally:
        async with asyncio.timeout(30):
            await machine.stop(0.0)
            await tasks.cancel()


def config(*servers, workers=2, port=0, **settings):
    listed = {name: ServerConfig(address=Address("127.0.0.1", 9 + place)) for place, name in enumerate(servers)}
    return Config(global_=Global(workers=workers, drain_timeout=0.0),
                  listeners={"web": ListenerConfig(bind=(Address("127.0.0.1", port),), backend="app")},
                  backends={"app": BackendConfig(servers=listed, **settings)})


async def test_start(running):
    assert [process.slot for process in running.fleet.serving()] == [0, 1]
    assert all(process.generation is running.generation for process in running.fleet.serving())
    assert all(process.given["web"] for process in running.fleet.serving())


async def test_a_new_generation_is_in_force_everywhere(running):
    address = running.sockets.addresses()
    slot = running.generation.endpoints["app"][0].slot
    generation = await running.apply(config("a", "b"))
    assert generation.number == 2
    assert all(process.generation is generation for process in running.fleet.serving())
    assert running.sockets.addresses() == address
    assert generation.endpoints["app"][0].slot == slot


async def test_a_refused_socket_changes_nothing(running):
    before = running.generation
    other = dataclasses.replace(config("a"), listeners={"bad": ListenerConfig(bind=(Address("192.0.2.1", 1),))})
    with pytest.raises(LbdError, match=r"listeners\.bad\.bind"):
        await running.apply(other)
    assert running.generation is before


async def test_a_refused_reload_leaves_the_credentials_that_are_in_force(running, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (Authority(tmp_path / name).file for name in ("one", "two"))
    await running.apply(config("a", tls=BackendTls(ca=str(one))))
    other = dataclasses.replace(config("a", tls=BackendTls(ca=str(two))),
                                listeners={"bad": ListenerConfig(bind=(Address("192.0.2.1", 1),))})
    with pytest.raises(LbdError, match=r"listeners\.bad\.bind"):
        await running.apply(other)
    one.write_text("rubbish")
    await running.renew()
    assert "ca" in running.certificates.refused["backends", "app"]


async def test_names_that_change_together_are_followed_together(running, monkeypatch):
    looks = []
    monkeypatch.setattr(running.schedule, "set", looks.append)
    for name in ("a", "b", "c"):
        running.resolver._changed(name)
    await until(lambda: looks)
    running.resolver._changed("d")
    await until(lambda: len(looks) > 1)
    assert len(looks) == 2
    monkeypatch.undo()


async def test_an_outage_is_refused_unless_forced(running):
    dead = HealthPolicy(type="tcp", timeout=5.0, interval=60.0)
    with pytest.raises(LbdError, match=r"^backends\.app: it has a usable server now and would have none"):
        await running.apply(config("a", health=dead))
    assert running.generation.number == 1
    assert (await running.apply(config("a", health=dead), force=True)).number == 2


async def test_a_veto_of_one_worker_stops_all(running, monkeypatch):
    process = running.fleet.serving()[1]

    async def refuse(message, *kinds):
        return Veto(2, "not that")

    monkeypatch.setattr(process, "ask", refuse)
    with pytest.raises(LbdError, match="not that"):
        await running.apply(config("a", "b"))
    monkeypatch.undo()
    assert running.generation.number == 1
    assert (await running.apply(config("a", "b"))).number == 2


async def test_a_dead_workers_sockets_are_served_by_another(running):
    first, second = running.fleet.serving()
    before = len(second.given["web"])
    first.kill(signal.SIGKILL)
    await first.ended.wait()
    await until(lambda: len(second.given["web"]) == 2 * before)
    await until(lambda: len(running.fleet.serving()) == 2)
    assert len(second.given["web"]) == before
    assert running.fleet.slots.restarts == 1


async def test_more_and_fewer_workers(running):
    await running.apply(config("a", workers=3))
    await until(lambda: len(running.fleet.serving()) == 3)
    await running.apply(config("a", workers=1))
    (left,) = running.fleet.serving()
    assert len(left.given["web"]) == 3
    await until(lambda: len(running.fleet.processes()) == 1)


def test_auto_is_one_worker_per_usable_processor():
    assert worker_count(config("a", workers=5)) == 5
    assert 1 <= worker_count(config("a", workers=0)) <= 64


async def test_a_planned_cut_lasts_over_a_reload_until_its_server_is_back_or_gone(running):
    def planned():
        (endpoint,) = [m for m in running.endpoints.of_backend(running.generation.config, "app") if m.name == "a"]
        return endpoint.cut

    running.overrides.put(("app", "a"), Override("app", "a", mode="maint"))
    running.cuts.plan(running.endpoints.of_backend(running.generation.config, "app"), 3600.0)
    moment = planned()
    running.steered()
    await until(lambda: running._told["app", "a"].cut == moment)
    generation = await running.apply(config("a", "b"))
    assert generation.endpoints["app"][0].cut == planned() == moment > 0.0
    assert [name for name, _ in running.leave()["known"]["cuts"]] == [("app", "a")]
    running.overrides.put(("app", "a"), None)
    running.steered()
    running.overrides.put(("app", "a"), Override("app", "a", mode="maint"))
    assert planned() == 0.0
    running.cuts.plan(running.endpoints.of_backend(running.generation.config, "app"), 3600.0)
    await running.apply(config("b"), force=True)
    assert running.cuts.known() == []
