"""The publisher: one batch for all changes, of exactly the endpoints that changed."""

import asyncio
from types import SimpleNamespace

import pytest

from lbd.backend.snapshot import Endpoint, Generation
from lbd.generation.endpoint_publisher import EndpointPublisher
from lbd.generation.in_force import InForce
from lbd.schema import Config
from lbd.schema.units import Address
from tests.waiting import until

A = Endpoint("app", "a", Address("10.0.0.1", 80), 0)
B = Endpoint("app", "b", Address("10.0.0.2", 80), 1)


class World:
    """Servers that are as the test says, and a fleet that notes what it is told."""

    def __init__(self):
        self.now = [A, B]
        self.updates = []
        self.released = []
        self.in_force = InForce()
        self.ejection = SimpleNamespace(follow_endpoints=lambda endpoints: None)
        self.publisher = EndpointPublisher(self.in_force, self, self, self)

    def all_endpoints(self, _config):
        return self.now

    def forget_cuts(self, _config):
        pass

    def update(self, endpoints):
        self.updates.append(endpoints)

    async def confirm(self):
        self.updates.append("confirm")
        return [4711]

    def release_later(self, candidates, _drain):
        self.released.append(candidates)


@pytest.fixture
async def world():
    world = World()
    world.in_force.put_generation(Generation(1, Config(), {"app": (A, B)}, {}, {}, {}))
    return world


async def test_changes_wait_for_one_batch(world):
    world.publisher.publish()
    assert world.updates == []
    for mode in ("drain", "maint"):
        world.now = [A._replace(mode=mode), B]
        world.publisher.apply_overrides()
    await until(lambda: world.updates)
    assert world.updates == [(A._replace(mode="maint"),)]
    world.publisher.publish()
    assert len(world.updates) == 1, "what was told once is not told again"


async def test_the_row_of_a_former_address_is_released(world):
    world.now = [A._replace(address=Address("10.0.0.9", 80)), B]
    world.publisher.publish()
    assert [owner for _, owner in world.released[0]] == [A.identity]


async def test_a_server_that_the_workers_do_not_have_waits_for_a_generation(world):
    world.now = [A, B, B._replace(name="c")]
    world.publisher.publish()
    assert world.updates == []


async def test_before_the_first_generation():
    world = World()
    world.publisher.apply_overrides()
    world.publisher.publish()
    assert world.updates == []


async def test_a_change_is_in_force_when_the_workers_confirm_it(world):
    world.publisher.publish()                   # so the next batch has to wait
    world.now = [A._replace(mode="drain"), B]
    world.publisher.apply_overrides()
    assert await world.publisher.wait_until_in_force() == [4711]
    assert world.updates == [(A._replace(mode="drain"),), "confirm"]


async def test_a_batch_that_fails_keeps_nobody_waiting(world, monkeypatch):
    monkeypatch.setattr(asyncio.get_running_loop(), "call_exception_handler", lambda _context: None)
    world.in_force.endpoints = None
    world.publisher.apply_overrides()
    await world.publisher.wait_until_in_force()
    assert world.updates == ["confirm"]
