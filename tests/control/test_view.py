"""The view that the exporter gets."""

import pytest

from lbd.config.schema import Backend, Config, HealthPolicy, Listener, Server
from lbd.config.units import Address
from lbd.control.machine import Machine
from lbd.control.view import look
from lbd.net.tasks import Tasks

CONFIG = Config(
    listeners={"web": Listener(bind=(Address("127.0.0.1", 0),), backend="app")},
    backends={"app": Backend(health=HealthPolicy(type="tcp"), servers={
        "a": Server(address=Address("127.0.0.1", 9), weight=3),
        "b": Server(address=Address("127.0.0.1", 10), mode="maint")})})


@pytest.fixture
async def machine():
    return Machine(Tasks(lambda name, error: None), "json", lambda line: None)


async def test_before_the_first_generation(machine):
    assert look(machine, True, 0.0, "compiled").generation == 0


async def test_the_view(machine):
    machine.generation = machine.roster.generation(4, CONFIG, 0)
    seen = look(machine, False, 9.0, "compiled")
    assert (seen.generation, seen.reload_success, seen.reload_time) == (4, False, 9.0)
    assert [(server.name, server.state, server.up, server.check_seconds) for server in seen.servers] == [
        ("a", "unknown", False, None), ("b", "maint", False, None)]
    assert seen.build["kernels"] == "compiled"
