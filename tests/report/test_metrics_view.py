"""The view that the exporter gets."""

import os
from types import SimpleNamespace

import pytest

from lbd.generation.control_plane import ControlPlane
from lbd.net.tasks import Tasks
from lbd.report.metrics_view import make_view
from lbd.schema import BackendConfig, Config, HealthPolicy, ListenerConfig, ServerConfig
from lbd.schema.units import Address
from lbd.stats.exporter import DAEMON_METRICS
from lbd.stats.fields import SERVER_IN_FLIGHT
from lbd.stats.scoreboard import SERVER

CONFIG = Config(
    listeners={"web": ListenerConfig(bind=(Address("127.0.0.1", 0),), backend="app")},
    backends={"app": BackendConfig(health=HealthPolicy(type="tcp"), servers={
        "a": ServerConfig(address=Address("127.0.0.1", 9), weight=3),
        "b": ServerConfig(address=Address("127.0.0.1", 10), mode="maint")})})

RELOAD = SimpleNamespace(last={"success": False}, attempted=9.0, counts={"refused": 2})


@pytest.fixture
async def plane():
    return ControlPlane(Tasks(lambda name, error: None), "json", lambda line: None)


async def test_before_the_first_generation(plane):
    assert make_view(plane, RELOAD, "compiled").generation == 0


async def test_the_view(plane):
    plane.in_force.generation = plane.servers.endpoints.make_generation(4, CONFIG, 0)
    seen = make_view(plane, RELOAD, "compiled")
    assert seen.generation == 4
    assert seen.daemon["lbd_config_last_reload_success"] is False
    assert seen.daemon["lbd_config_last_reload_timestamp_seconds"] == 9.0
    assert [(server.name, server.state, server.up, server.check_seconds) for server in seen.servers] == [
        ("a", "unknown", False, None), ("b", "maint", False, None)]
    assert seen.build["kernels"] == "compiled"
    assert seen.daemon["lbd_config_reloads"] == {("refused",): 2}
    assert set(seen.daemon) <= {metric.name for metric in DAEMON_METRICS}
    supervisor, = seen.processes
    assert (supervisor.name, supervisor.lane) == ("supervisor", None)
    assert supervisor.files <= len(os.listdir("/proc/self/fd"))
    assert supervisor.memory > 1 << 20


async def test_requests_that_drain(plane):
    plane.coordinator.put_in_force(plane.servers.endpoints.make_generation(4, CONFIG, 0))
    first, second = (endpoint.slot for endpoint in plane.in_force.generation.endpoints["app"])
    for slot, count in ((first, 3), (second, 2)):
        plane.board.row(1, SERVER, slot).add(SERVER_IN_FLIGHT, count)
    assert make_view(plane, RELOAD, "compiled").daemon["lbd_draining_requests"] == 0
    plane.predecessor.workers = {os.getpid(): 1}      # a worker of the version before
    assert make_view(plane, RELOAD, "compiled").daemon["lbd_draining_requests"] == 5
    plane.predecessor.workers = {}
    plane.board.row(1, SERVER, plane.slots.allocate(SERVER, ("app", "gone", "127.0.0.1:8"))).add(SERVER_IN_FLIGHT, 7)
    assert make_view(plane, RELOAD, "compiled").daemon["lbd_draining_requests"] == 7
