"""The endpoints: their address, slot and health as resolver, checks and slots say."""

import asyncio
import dataclasses

import pytest

from lbd.discovery.endpoints import Endpoints
from lbd.discovery.health_policies import host_names
from lbd.discovery.lookup import LookupAnswer
from lbd.discovery.resolver import Resolver
from lbd.errors import LbdError
from lbd.health.check import Result
from lbd.health.schedule import Schedule
from lbd.net.tasks import Tasks
from lbd.schema import BackendConfig, Config, HealthPolicy, ListenerConfig, ServerConfig
from lbd.schema.units import Address
from lbd.stats.fields import KINDS
from lbd.stats.scoreboard import SERVER, Board
from lbd.stats.slots import Slots

TCP = HealthPolicy(type="tcp")


class World:
    """Endpoints over a real scoreboard, with DNS and checks as the test says."""

    def __init__(self):
        self.dns = {}
        self.passed = True
        self.tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error!r}"))
        self.resolver = Resolver(self.tasks, lambda name: None, self.lookup, self.never)
        self.schedule = Schedule(self.tasks, {"tcp": self.check}, lambda key, judgement: None, wait=self.never)
        self.slots = Slots(Board.create(2))
        self.endpoints = Endpoints(self.slots, self.resolver, self.schedule)

    async def lookup(self, name):
        if name not in self.dns:
            raise OSError("Name or service not known")
        return LookupAnswer(tuple(self.dns[name]))

    async def check(self, address, options, timeout):
        return Result(self.passed, "checked", 0.0)

    async def never(self, *_):
        await asyncio.Event().wait()

    async def follow(self, config):
        await self.resolver.follow_names(host_names(config))
        self.schedule.watch_targets(self.endpoints.check_targets(config))
        await self.schedule.first_round()


@pytest.fixture
async def world():
    world = World()
    yield world
    await world.tasks.cancel()


def config(servers, **settings):
    listed = {name: ServerConfig(address=address) for name, address in servers.items()}
    return Config(backends={"app": BackendConfig(servers=listed, **settings)},
                  listeners={"web": ListenerConfig(bind=(), backend="app")})


def short(generation):
    return [(endpoint.name, str(endpoint.address), endpoint.health) for endpoint in generation.endpoints["app"]]


async def test_without_checks_servers_are_up(world):
    generation = world.endpoints.make_generation(1, config({"a": Address("10.0.0.1", 80), "b": Address(path="/s")}), 7)
    assert short(generation) == [("a", "10.0.0.1:80", "up"), ("b", "unix:/s", "up")]
    assert generation.max_connections == 7
    assert set(generation.routes) == {("web", "app"), ("web", "")}


async def test_with_checks_they_are_unknown_until_checked(world):
    some = config({"a": Address("10.0.0.1", 80)}, health=TCP)
    generation = world.endpoints.make_generation(1, some, 0)
    assert short(generation) == [("a", "10.0.0.1:80", "unknown")]
    await world.follow(some)
    assert world.endpoints.changes_since(generation)[0].health == "up"
    assert world.endpoints.health_reason(some, generation.endpoints["app"][0]).startswith("checked after ")


async def test_slots_belong_to_identities(world):
    one = world.endpoints.make_generation(1, config({"a": Address("10.0.0.1", 80), "b": Address("10.0.0.2", 80)}), 0)
    two = world.endpoints.make_generation(2, config({"b": Address("10.0.0.2", 80), "a": Address("10.0.0.9", 80)}), 0)
    assert two.endpoints["app"][0].slot == one.endpoints["app"][1].slot
    assert two.endpoints["app"][1].slot not in {endpoint.slot for endpoint in one.endpoints["app"]}


async def test_a_generation_that_the_scoreboard_has_no_room_for_takes_no_slot(world):
    def owned():
        return [dict(world.slots.owners(kind)) for kind in range(len(KINDS))]

    world.endpoints.make_generation(1, config({"a": Address("10.0.0.1", 80)}), 0)
    before, room = owned(), KINDS[SERVER].capacity - 1
    many = {f"b{number}": Address("10.0.0.1", 81 + number) for number in range(room + 1)}
    larger = dataclasses.replace(config(many), listeners={"other": ListenerConfig(bind=(), backend="app")})
    with pytest.raises(LbdError, match="the scoreboard has room for 16384 servers"):
        world.endpoints.make_generation(2, larger, 0)
    assert owned() == before
    del many["b0"]
    assert len(world.endpoints.make_generation(2, config(many), 0).endpoints["app"]) == room


async def test_a_name_that_is_not_resolved_is_down_with_the_reason(world):
    some = config({"a": Address("nowhere.test", 80)})
    await world.follow(some)
    generation = world.endpoints.make_generation(1, some, 0)
    assert short(generation) == [("a", "nowhere.test:80", "down")]
    assert world.endpoints.health_reason(some, generation.endpoints["app"][0]) == (
        "nowhere.test is not resolved: Name or service not known")


async def test_a_name_is_one_server_or_one_for_each_address(world):
    world.dns["x.test"] = ["10.0.0.2", "10.0.0.1"]
    one = config({"a": Address("x.test", 80)})
    await world.follow(one)
    assert short(world.endpoints.make_generation(1, one, 0)) == [("a", "10.0.0.2:80", "up")]
    each = config({"a": Address("x.test", 80)}, resolve_all=True)
    generation = world.endpoints.make_generation(1, each, 0)
    assert short(generation) == [("a@10.0.0.1", "10.0.0.1:80", "up"), ("a@10.0.0.2", "10.0.0.2:80", "up")]
    assert world.endpoints.has_same_servers(generation)


async def test_a_server_may_be_checked_at_a_port_of_its_own_or_not_at_all(world):
    address = Address("10.0.0.1", 80)
    some = Config(backends={"app": BackendConfig(health=HealthPolicy(type="tcp", port=81), servers={
        "a": ServerConfig(address), "b": ServerConfig(address, check_port=82),
        "c": ServerConfig(address, check=False)})})
    world.passed = False
    await world.follow(some)
    targets = world.endpoints.check_targets(some)
    assert {key[1]: target.policy.port for key, target in targets.items()} == {"a": 81, "b": 82}
    generation = world.endpoints.make_generation(1, some, 0)
    assert [endpoint.health for endpoint in generation.endpoints["app"]] == ["down", "down", "up"]
    assert world.endpoints.health_reason(some, generation.endpoints["app"][2]) == ""


@pytest.mark.parametrize(("told", "begins"), [(None, b""), ("v1", b"PROXY UNKNOWN"), ("v2", b"\r\n\r\n\0\r\nQUIT\n")])
async def test_servers_that_want_a_proxy_header_get_one_from_their_checks_too(world, told, begins):
    wanted = config({"a": Address("127.0.0.1", 80)}, health=TCP, send_proxy=told)
    target, = world.endpoints.check_targets(wanted).values()
    assert target.greeting[:len(begins) or None] == begins


async def test_the_host_that_a_policy_checks_is_looked_up_too(world):
    world.dns["probe.test"] = ["10.0.0.7"]
    some = config({"a": Address("10.0.0.1", 80)}, health=HealthPolicy(type="tcp", address="probe.test"))
    target, = world.endpoints.check_targets(some).values()
    assert (target.address, target.at) == (Address("10.0.0.1", 80), "")
    await world.follow(some)
    target, = world.endpoints.check_targets(some).values()
    assert target.at == "10.0.0.7"
    assert not world.schedule.judges(("app", "a", "10.0.0.1:80"))
