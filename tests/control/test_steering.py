"""The steering over a machine that is only pretended: what is refused, kept, undone, and what ends by itself."""

import asyncio
import tomllib

import pytest

from lbd.backend.snapshot import Endpoint, Generation
from lbd.control import steering, store
from lbd.control.steering import Steering
from lbd.discovery.registry import Registry
from lbd.errors import ConfigError, Conflict, Forbidden, InvalidChange, LbdError, NotReady, UnknownTarget
from lbd.generation.cuts import Cuts
from lbd.generation.overrides import Overrides
from lbd.net.tasks import Tasks
from lbd.schema import BackendConfig, Config, Global, Registration, ServerConfig
from lbd.schema.units import Address
from tests.waiting import until

CONFIG = Config(global_=Global(drain_timeout=0.0), backends={
    "app": BackendConfig(servers={"a": ServerConfig(Address("10.0.0.1", 80))}, registration=Registration(most=2)),
    "closed": BackendConfig(servers={"a": ServerConfig(Address("10.0.0.1", 80))})})


class Machine:
    """The parts of a machine that are steered."""

    def __init__(self):
        self.overrides = Overrides()
        self.registry = Registry()
        self.cuts = Cuts(lambda: 100.0)
        self.left = {}
        endpoints = {name: (Endpoint(name, "a", Address("10.0.0.1", 80), 0),) for name in CONFIG.backends}
        self.generation = Generation(1, CONFIG, endpoints, {}, {}, {})
        self.told = 0
        self.regrouped = 0
        self.flying = 0
        self.endpoints = self

    def of_backend(self, _config, backend):
        """The endpoints with what the overrides say of their mode."""
        return [endpoint._replace(mode=override.mode or "ready" if override is not None else "ready")
                for endpoint in self.generation.endpoints[backend]
                for override in (self.overrides.of((backend, endpoint.name)) or self.overrides.of((backend, "")),)]

    def steered(self):
        self.told += 1
        self.cuts.follow(self, CONFIG)

    async def regroup(self):
        self.regrouped += 1

    def unwanted(self):
        return self.registry.unwanted(CONFIG)

    def in_files(self, backend, server):
        return server in CONFIG.backends[backend].servers

    def has(self, name):
        return name[1] in {endpoint.name for endpoint in self.generation.endpoints.get(name[0], ())}

    def in_flight(self, _name):
        return self.flying


class World:
    """A steering with a machine, a clock, and a file."""

    def __init__(self, path, tasks):
        self.machine = Machine()
        self.now = 1000.0
        self.machine.overrides = Overrides(lambda: self.now, lambda: self.now)
        self.tasks = tasks
        self.file = path / steering.FILE
        self.steering = Steering(self.machine, tasks, lambda: self.now)
        self.steering.restore(str(path))

    def kept(self):
        return tomllib.loads(self.file.read_text())

    async def idle(self):
        await until(lambda: not len(self.tasks))


@pytest.fixture
async def world(tmp_path, monkeypatch):
    monkeypatch.setattr(steering, "LOOK", 0.0)
    world = World(tmp_path, Tasks(lambda name, error: pytest.fail(f"{name}: {error!r}")))
    yield world
    await world.tasks.cancel()
    world.steering.close()


OFFER = {"address": "10.0.0.2:80", "ttl": "10s"}


async def test_an_override_is_in_force_and_kept(world):
    await world.steering.change("app", "a", {"mode": "drain", "reason": "disk", "for": "1m"}, "me")
    assert world.machine.told == 1
    assert world.steering.overrides() == [{
        "backend": "app", "server": "a", "mode": "drain", "who": "me", "reason": "disk", "at": "1970-01-01T00:16:40Z",
        "until": "1970-01-01T00:17:40Z"}]
    assert [one["mode"] for one in world.kept()["overrides"]] == ["drain"]
    await world.steering.change("app", "a", {"weight": 3}, "me")
    assert world.machine.overrides.of(("app", "a")).settings == {"mode": "drain", "weight": 3}
    await world.steering.change("app", "a", {"weight": None, "mode": None}, "me")
    assert world.steering.overrides() == []


async def test_a_cut_is_planned_and_called_off(world):
    cuts = world.machine.cuts
    await world.steering.change("app", "a", {"mode": "maint", "cut": "30s", "reason": "disk", "for": "1m"}, "me")
    assert cuts.known() == [(("app", "a"), 130.0)]
    assert "cut" not in world.kept()["overrides"][0]
    await world.steering.change("app", "", {"cut": "0s"}, "me")
    assert cuts.known() == [(("app", "a"), 100.0)]
    override = world.machine.overrides.of(("app", "a"))
    assert (override.reason, override.until) == ("disk", world.now + 60.0)      # as it was
    assert world.machine.overrides.of(("app", "")) is None
    await world.steering.change("app", "a", {"mode": "maint", "cut": None}, "me")
    assert cuts.known() == []
    await world.steering.change("app", "a", {"mode": "drain", "cut": "1s"}, "me")
    await world.steering.change("app", "a", {"mode": "ready"}, "me")
    assert cuts.known() == []


@pytest.mark.parametrize("wishes", [{"cut": "0s"}, {"mode": "ready", "cut": "0s"}, {"weight": 0, "cut": "30s"}])
@pytest.mark.parametrize("server", ["a", ""])
async def test_what_takes_requests_is_not_cut(world, wishes, server):
    with pytest.raises(InvalidChange, match="takes requests; give mode drain or maint with it"):
        await world.steering.change("app", server, wishes, "me")
    assert (world.steering.overrides(), world.machine.cuts.known()) == ([], [])


async def test_workers_from_before_an_upgrade_cannot_be_told(world):
    assert "upgrade" not in await world.steering.change("app", "a", {"mode": "maint", "cut": "0s"}, "me")
    world.machine.left = {4711: 3}
    assert "before the upgrade" in await world.steering.change("app", "a", {"mode": "maint", "cut": "0s"}, "me")
    assert await world.steering.change("app", "a", {"cut": None}, "me") == ""


async def test_a_backend_is_cut_without_the_servers_that_stay(world):
    await world.steering.change("closed", "", {"mode": "maint"}, "me")
    await world.steering.change("closed", "a", {"mode": "ready"}, "me")
    with pytest.raises(InvalidChange, match="closed takes requests"):
        await world.steering.change("closed", "", {"mode": "maint", "cut": "1s"}, "me")
    await world.steering.change("app", "", {"mode": "maint", "cut": "1s"}, "me")
    assert world.machine.cuts.known() == [(("app", "a"), 101.0)]


async def test_without_a_directory_all_is_in_force_and_nothing_is_kept(world):
    one = Steering(world.machine, world.tasks, lambda: world.now)
    one.restore("")
    assert one.unkept == ""
    await one.change("app", "a", {"mode": "drain"}, "me")
    assert await one.register("app", "r", OFFER, "me")
    assert one.unkept == 'not kept over a restart: global.state_dir is "off"'
    left = one.leave()
    assert world.steering.leave() == ""     # the disk has it
    world.machine.overrides.load([])
    world.machine.registry.load([], 0.0)
    Steering(world.machine, world.tasks, lambda: world.now).restore("", left)
    assert world.machine.overrides.of(("app", "a")).settings == {"mode": "drain"}
    assert world.machine.registry.of(("app", "r")) is not None


async def test_what_is_left_without_a_directory_is_kept_where_there_is_one_now(world):
    one = Steering(world.machine, world.tasks, lambda: world.now)
    one.restore("")
    await one.change("app", "a", {"mode": "drain"}, "me")
    world.steering.restore(str(world.file.parent), one.leave())
    await world.idle()
    assert [one["mode"] for one in world.kept()["overrides"]] == ["drain"]
    world.steering.restore(str(world.file.parent), "no = toml = at all")
    assert world.machine.overrides.of(("app", "a")) is not None


async def test_a_full_disk_refuses_new_servers_and_nothing_else(world, monkeypatch):
    def full(path, text):
        raise OSError(28, "No space left on device")

    await world.steering.register("app", "b", OFFER, "me")
    monkeypatch.setattr(store, "_write", full)
    await world.steering.change("app", "a", {"mode": "drain"}, "me")
    assert len(world.machine.overrides) == 1
    assert world.steering.unkept.endswith("No space left on device")
    with pytest.raises(LbdError, match="No space left"):
        await world.steering.register("app", "c", OFFER, "me")
    assert not await world.steering.register("app", "b", OFFER, "me")     # a heartbeat writes nothing
    assert len(world.machine.registry) == 1
    monkeypatch.undo()
    world.steering.tick()
    await until(lambda: not world.steering.unkept)
    assert [one["mode"] for one in world.kept()["overrides"]] == ["drain"]


async def test_a_heartbeat_during_a_registration_that_fails_is_refused_with_it(world, monkeypatch):
    failures = [OSError(28, "No space left on device")]

    def once_full(path, text):
        if failures:
            raise failures.pop()

    monkeypatch.setattr(store, "_write", once_full)
    answers = await asyncio.gather(*(world.steering.register("app", "b", OFFER, "me") for _ in range(2)),
                                   return_exceptions=True)
    assert [isinstance(answer, LbdError) for answer in answers] == [True, True]
    assert len(world.machine.registry) == 0


@pytest.mark.parametrize("server", ["a", ""])
async def test_the_last_server_goes_with_a_word(world, server):
    assert await world.steering.change("app", server, {"weight": 5}, "me") == ""
    assert await world.steering.change("app", server, {"mode": "drain"}, "me") == "no server of app is left"
    assert await world.steering.change("app", server, {"mode": "maint"}, "me") == ""     # there was none any more
    assert await world.steering.change("app", server, {"mode": "ready"}, "me") == ""
    assert await world.steering.change("app", server, {"mode": "maint"}, "me") == "no server of app is left"


async def test_servers_that_do_not_follow_their_backend_are_named(world):
    await world.steering.change("app", "a", {"weight": 7}, "me")
    assert await world.steering.change("app", "", {"weight": 5}, "me") == (
        "overrides of their own keep a (weight 7) as they are; steer these by name, or end those with "
        "lbd overrides BACKEND/SERVER --clear")
    assert await world.steering.change("app", "", {"weight": 7}, "me") == ""


async def test_a_drain_that_is_over_leaves_nothing(world):
    await world.steering.change("app", "a", {"mode": "drain"}, "me")
    await world.steering.change("app", "a", {"mode": "ready"}, "me")
    assert world.steering.overrides() == []
    await world.steering.change("app", "", {"mode": "drain"}, "me")
    await world.steering.change("app", "a", {"mode": "ready"}, "me")        # which its backend is not
    assert [one["mode"] for one in world.steering.overrides()] == ["drain", "ready"]


@pytest.mark.parametrize(("backend", "server", "wishes", "error", "words"), [
    ("none", "a", {"mode": "drain"}, UnknownTarget, "there is no backend"),
    ("app", "x", {"mode": "drain"}, UnknownTarget, "no server"),
    ("app", "a", {}, InvalidChange, "nothing to change"), ("app", "a", {"mode": "x"}, ConfigError, "mode")])
async def test_refused_changes(world, backend, server, wishes, error, words):
    with pytest.raises(error, match=words):
        await world.steering.change(backend, server, wishes, "me")
    assert world.machine.told == 0


async def test_overrides_end(world):
    await world.steering.change("app", "a", {"mode": "drain", "for": "5s"}, "me")
    await world.steering.change("app", "", {"weight": 2}, "me")
    await world.steering.change("closed", "a", {"weight": 2}, "me")
    world.now += 5.0
    world.steering.tick()
    await world.idle()
    assert [one["backend"] for one in world.kept()["overrides"]] == ["app", "closed"]
    assert await world.steering.clear("app", "", "me") == 1
    assert await world.steering.clear("", "", "me") == 1
    assert await world.steering.clear("", "", "me") == 0
    assert world.kept()["overrides"] == []


async def test_a_registration_is_kept_and_repeated(world):
    assert await world.steering.register("app", "b", OFFER, "me")
    assert not await world.steering.register("app", "b", OFFER, "me")
    assert await world.steering.register("app", "b", {**OFFER, "weight": 2}, "me")
    await world.idle()
    assert world.machine.regrouped >= 1
    assert world.kept()["registrations"] == [
        {"backend": "app", "server": "b", "who": "me", "offer": {"address": "10.0.0.2:80", "weight": 2, "ttl": "10s"}}]


@pytest.mark.parametrize(("backend", "server", "offer", "error"), [
    ("none", "b", OFFER, UnknownTarget), ("closed", "b", OFFER, Forbidden), ("app", "a", OFFER, Conflict),
    ("app", "../b", OFFER, InvalidChange), ("app", "b", {"address": "127.0.0.1:80"}, Forbidden),
    ("app", "b", {"address": "x.example:80"}, Forbidden)])
async def test_refused_registrations(world, backend, server, offer, error):
    with pytest.raises(error):
        await world.steering.register(backend, server, offer, "me")
    assert len(world.machine.registry) == 0


async def test_not_more_than_the_policy_allows(world):
    for name in "bc":
        await world.steering.register("app", name, OFFER, "me")
    with pytest.raises(Conflict, match="no more may be"):
        await world.steering.register("app", "d", OFFER, "me")
    assert not await world.steering.register("app", "c", OFFER, "me")


async def test_it_drains_before_it_goes(world):
    patient = Config(backends=CONFIG.backends)
    world.machine.generation = Generation(1, patient, world.machine.generation.endpoints, {}, {}, {})
    await world.steering.register("app", "b", OFFER, "me")
    world.machine.flying = 1
    assert not await world.steering.deregister("app", "b", 0.0, "me")
    assert world.machine.registry.leaving(("app", "b"))
    assert "registrations" not in world.kept()   # a restart does not bring it back
    world.machine.flying = 0
    async with asyncio.timeout(20):
        assert await world.steering.deregister("app", "b", 10.0, "me")
    with pytest.raises(UnknownTarget, match="no server"):
        await world.steering.deregister("app", "b", 0.0, "me")
    with pytest.raises(Conflict, match="one of the configuration"):
        await world.steering.deregister("app", "a", 0.0, "me")


async def test_one_that_comes_back_stays(world):
    await world.steering.register("app", "b", OFFER, "me")
    await world.steering.deregister("app", "b", 0.0, "me")
    assert await world.steering.register("app", "b", OFFER, "me")
    await world.idle()
    assert world.machine.registry.of(("app", "b")) is not None


async def test_silence_ends_a_registration(world, monkeypatch):
    await world.steering.register("app", "b", OFFER, "me")
    world.machine.registry.of(("app", "b")).heard -= 11.0
    world.steering.tick()
    await world.idle()
    assert len(world.machine.registry) == 0
    assert "registrations" not in world.kept()


async def test_everything_is_restored(world, tmp_path):
    await world.steering.change("app", "a", {"weight": 5}, "me")
    await world.steering.register("app", "b", OFFER, "me")
    other = World(tmp_path, world.tasks)
    assert other.machine.overrides.of(("app", "a")).weight == 5
    assert other.machine.registry.of(("app", "b")).kept.offer.ttl == 10.0
    other.steering.close()


@pytest.mark.parametrize("text", ["format = 2", "", "format = 1\noverrides = 5",
                                  "format = 1\n[[overrides]]\nserver = 5",
                                  'format = 1\n[[registrations]]\nbackend = "a"\nserver = "b"'])
async def test_what_cannot_be_understood_is_set_aside(tmp_path, text):
    (tmp_path / steering.FILE).write_text(text)
    world = World(tmp_path, Tasks(lambda name, error: None))
    assert not world.file.exists()
    assert (len(world.machine.overrides), len(world.machine.registry)) == (0, 0)
    world.steering.close()


async def test_nothing_before_the_first_generation(world):
    world.machine.generation = None
    world.steering.tick()
    with pytest.raises(NotReady, match="still starting"):
        world.steering.backends()


async def test_one_that_went_may_register_again_before_the_workers_have_forgotten_it(world):
    await world.steering.register("app", "b", OFFER, "me")
    merged = world.machine.registry.merged(CONFIG)
    await world.steering.deregister("app", "b", 0.0, "me")
    await world.idle()
    world.machine.generation = Generation(1, merged, world.machine.generation.endpoints, {}, {}, {})
    assert await world.steering.register("app", "b", OFFER, "me")


async def test_one_that_is_on_its_way_out_is_not_one_of_the_files(world):
    await world.steering.register("app", "b", OFFER, "me")
    merged = world.machine.registry.merged(CONFIG)
    await world.steering.deregister("app", "b", 0.0, "me")
    await world.idle()
    endpoints = {**world.machine.generation.endpoints, "app": (Endpoint("app", "b", Address("10.0.0.2", 80), 1),)}
    world.machine.generation = Generation(1, merged, endpoints, {}, {}, {})
    assert not await world.steering.deregister("app", "b", 0.0, "me")   # the workers still have it
