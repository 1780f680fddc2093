"""The trend: rates and latencies from counters, and since when a server is as it is."""

from dataclasses import replace

import pytest

from lbd.generation.control_plane import ControlPlane
from lbd.net.tasks import Tasks
from lbd.report import status, trend
from lbd.report.status import describe
from lbd.report.trend import KEPT, Trend, TrendSeries
from lbd.schema import BackendConfig, Config, ListenerConfig, ServerConfig
from lbd.schema.units import Address
from lbd.stats import fields, scoreboard

CONFIG = Config(
    listeners={"web": ListenerConfig(bind=(Address("127.0.0.1", 0),), backend="app")},
    backends={"app": BackendConfig(servers={"a": ServerConfig(address=Address("127.0.0.1", 9))})})
OWNER = ("app", "a", "127.0.0.1:9")


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
async def plane():
    made = ControlPlane(Tasks(lambda name, error: None), "json", lambda line: None)
    made.in_force.generation = made.servers.endpoints.make_generation(1, CONFIG, 0)
    return made


def serve(plane, count, code="2xx", seconds=0.0):
    slot = plane.in_force.generation.endpoints["app"][0].slot
    server = plane.board.row(0, scoreboard.SERVER, slot)
    server.add(fields.SERVER_REQUESTS + fields.CODES.index(code), count)
    server.add(fields.SERVER_HEAD_SECONDS, seconds)
    route = plane.board.row(0, scoreboard.ROUTE, plane.in_force.generation.routes["web", "app"])
    route.add(fields.ROUTE_REQUESTS + fields.CODES.index(code), count)


async def test_rates_and_latency(plane):
    clock = Clock()
    seen = Trend(clock)
    seen.sample(plane)
    serve(plane, 20, seconds=1.0)
    serve(plane, 10, "5xx", seconds=0.5)
    clock.now += 1.0
    seen.sample(plane)                  # too early for a sample
    clock.now += 1.0
    seen.sample(plane)
    server = seen.series_of(scoreboard.SERVER, OWNER)
    assert (server.rate, server.error_rate, list(server.latencies)) == (15.0, 5.0, [0.05])
    assert seen.series_of(scoreboard.BACKEND, "app").error_rate == 5.0
    assert seen.series_of(scoreboard.LISTENER, "web").rate == 15.0
    clock.now += 2.0
    seen.sample(plane)
    assert list(server.latencies) == [0.05, None]


async def test_since_when(plane):
    clock = Clock()
    seen = Trend(clock)
    seen.sample(plane)
    clock.now += 5.0
    seen.sample(plane)
    assert seen.series_of(scoreboard.SERVER, OWNER).since == 1000.0
    config = replace(CONFIG, backends={"app": replace(CONFIG.backends["app"], servers={
        "a": ServerConfig(address=Address("127.0.0.1", 9), mode="drain")})})
    plane.in_force.generation = plane.servers.endpoints.make_generation(2, config, 0)
    seen.sample(plane)
    assert seen.series_of(scoreboard.SERVER, OWNER).since == 1005.0


async def test_the_status_tells_of_it(plane, monkeypatch):
    clock = Clock()
    # The wall clock was set meanwhile: "since" is told by it as it is now.
    monkeypatch.setattr(status.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(status.time, "time", lambda: clock.now + 86400.0)
    seen = Trend(clock)
    for _ in range(2):
        seen.sample(plane)
        serve(plane, 4)
        clock.now += 2.0
    assert "history" not in describe(plane, seen)["backends"]["app"]["servers"]["a"]
    found = describe(plane, seen, history=True)
    server = found["backends"]["app"]["servers"]["a"]
    assert (server["requests_per_second"], server["since"]) == (2.0, "1970-01-02T00:16:40Z")
    assert server["history"]["requests_per_second"] == [2.0]
    assert (found["listeners"]["web"]["codes"], found["backends"]["app"]["requests_per_second"]) == ({"2xx": 8}, 2.0)


async def test_what_is_gone_is_forgotten_and_shown_while_it_works(plane):
    seen = Trend(Clock())
    seen.sample(plane)
    plane.board.row(0, scoreboard.SERVER, plane.in_force.generation.endpoints["app"][0].slot).add(0, 2)
    config = replace(CONFIG, backends={"app": BackendConfig()})
    plane.in_force.generation = plane.servers.endpoints.make_generation(2, config, 0)
    seen.sample(plane)
    assert seen.series_of(scoreboard.SERVER, OWNER).since == 0.0
    assert describe(plane, seen)["draining"] == [
        {"backend": "app", "name": "a", "address": "127.0.0.1:9", "in_flight": 2}]


def test_a_row_with_another_owner_begins_anew():
    course = TrendSeries()
    for counted in ((100.0, 0.0, 100.0, 5.0), (3.0, 0.0, 3.0, 0.1), (5.0, 0.0, 5.0, 0.2)):
        course.add_sample(counted, 2.0)
    assert list(course.rates) == [1.0]


def test_no_more_is_kept_than_two_minutes():
    course = TrendSeries()
    for number in range(2 * KEPT):
        course.add_sample((float(number), 0.0, 0.0, 0.0), trend.STEP)
    assert len(course.rates) == len(course.latencies) == KEPT


async def test_before_the_first_generation(plane):
    plane.in_force.generation = None
    Trend().sample(plane)
