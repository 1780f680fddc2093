"""The rollout of registered servers: those that come during one share the next."""

import asyncio

import pytest

from lbd.control import registration_rollout
from lbd.control.registration_rollout import RegistrationRollout
from lbd.net.tasks import Tasks
from tests.waiting import until


class Plane:
    """A control plane whose rollouts end when they are let."""

    def __init__(self):
        self.coordinator = self
        self.began = 0
        self.allowed = asyncio.Event()

    async def apply_registrations(self):
        self.began += 1
        await self.allowed.wait()


async def test_those_that_come_meanwhile_go_along(monkeypatch):
    monkeypatch.setattr(registration_rollout, "REST", 0.0)
    plane, tasks = Plane(), Tasks(lambda name, error: pytest.fail(f"{name}: {error!r}"))
    rollout = RegistrationRollout(plane, tasks)
    for _ in range(3):
        rollout.start_soon()
    await until(lambda: plane.began == 1)
    for _ in range(3):
        rollout.start_soon()
    plane.allowed.set()
    await until(lambda: not len(tasks))
    assert plane.began == 2
    rollout.start_soon()
    await until(lambda: plane.began == 3)
    await tasks.cancel()
