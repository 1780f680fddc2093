"""The status of a plane without workers."""

from types import SimpleNamespace

import pytest

from lbd.generation.control_plane import ControlPlane
from lbd.net.tasks import Tasks
from lbd.report.status import describe
from lbd.schema import BackendConfig, Config, HealthPolicy, ListenerConfig, ServerConfig
from lbd.schema.units import Address
from lbd.stats import fields, scoreboard

CONFIG = Config(
    listeners={"web": ListenerConfig(bind=(Address("127.0.0.1", 0),), backend="app")},
    backends={"app": BackendConfig(health=HealthPolicy(type="tcp"), servers={
        "a": ServerConfig(address=Address("127.0.0.1", 9), weight=3),
        "b": ServerConfig(address=Address("127.0.0.1", 10), mode="maint")})})


@pytest.fixture
async def plane():
    return ControlPlane(Tasks(lambda name, error: None), "json", lambda line: None)


async def test_before_the_first_generation(plane):
    assert describe(plane)["generation"] == 0


async def test_servers_and_their_figures(plane):
    plane.in_force.generation = plane.servers.endpoints.make_generation(1, CONFIG, 0)
    endpoint = plane.in_force.generation.endpoints["app"][0]
    plane.board.row(0, scoreboard.SERVER, endpoint.slot).add(fields.SERVER_REQUESTS + 1, 5)
    app = describe(plane)["backends"]["app"]
    assert app["algorithm"] == "weighted-round-robin"
    server = app["servers"]["a"]
    assert (server["health"], server["mode"], server["weight"]) == ("unknown", "ready", 3)
    assert (server["requests"], server["codes"], server["latency_seconds"]) == (5, {"2xx": 5}, None)


async def test_a_generation_is_that_of_all_workers(plane, monkeypatch):
    plane.in_force.generation = plane.servers.endpoints.make_generation(3, CONFIG, 0)
    workers = [SimpleNamespace(generation=SimpleNamespace(number=number)) for number in (3, 2)]
    monkeypatch.setattr(plane.fleet, "serving", lambda: workers)
    assert describe(plane)["generation"] == 2
