"""Look-ups against a real server of the test: hosts, search lists, both families, and servers that say nothing."""

import contextlib

import pytest

from lbd.discovery import lookup as module
from lbd.discovery.lookup import LookupAnswer, Lookups
from lbd.discovery.name_files import NameFiles
from lbd.net.tasks import Tasks
from tests.discovery.name_server import NameServer
from tests.waiting import until

ZONE = {
    "app.test": {"A": ["10.0.0.1"], "AAAA": ["fd00::1"], "ttl": 7},
    "xn--bcher-kva.test": {"A": ["10.0.0.2"]},
    "db.corp.test": {"A": ["10.0.0.3"]},
    "a.b": {"A": ["10.0.0.4"]}, "a.b.corp.test": {"A": ["10.0.0.5"]},
    "six.test": {"A": ["10.0.0.6"], "silent": "AAAA"},
    "half.test": {"silent": "AAAA"},
    "empty.test": {}, "dead.test": {"silent": True}, "broken.test": {"rcode": "REFUSED"},
    "many.test": {"A": [f"10.1.{number // 200}.{number % 200 + 1}" for number in range(600)]},
    "filtered.test": {"A": ["0.0.0.0"], "AAAA": ["::"]},
}


class World:
    """Look-ups that read the files of the test; `resolv` are lines beside the server."""

    def __init__(self, path):
        self.path = path
        self.tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error!r}"))
        self.server = NameServer(lambda: ZONE)
        files = NameFiles(str(path / "resolv.conf"), str(path / "hosts"), self.server.port)
        self.find = Lookups(self.tasks, files, order=lambda found: sorted(found))
        self.write("")

    def write(self, resolv, hosts=""):
        (self.path / "resolv.conf").write_text(f"nameserver 127.0.0.1\nsearch corp.test\n{resolv}\n")
        (self.path / "hosts").write_text(hosts)


@pytest.fixture
async def world(tmp_path):
    world = World(tmp_path)
    yield world
    await world.tasks.cancel()
    world.server.close()


@pytest.mark.parametrize(("name", "wanted"), [
    ("app.test", LookupAnswer(("10.0.0.1", "fd00::1"), 7.0)),
    ("xn--bcher-kva.test", LookupAnswer(("10.0.0.2",), 30.0)),
    ("db", LookupAnswer(("10.0.0.3",), 30.0)),
    ("a.b", LookupAnswer(("10.0.0.4",), 30.0)),
    ("localhost", LookupAnswer(("127.0.0.1", "::1"))),
    ("app.localhost", LookupAnswer(("127.0.0.1", "::1"))),
    ("six.test", LookupAnswer(("10.0.0.6",), 30.0, frozenset({6})))])
async def test_what_is_found(world, name, wanted):
    assert await world.find(name) == wanted


async def test_with_more_dots_wanted_suffixes_come_first(world):
    world.write("options ndots:2")
    assert (await world.find("a.b")).addresses == ("10.0.0.5",)


async def test_a_name_in_hosts_is_not_asked_for(world):
    world.write("", "10.9.9.9 app.test\n::9 app.test\n")
    assert await world.find("app.test") == LookupAnswer(("10.9.9.9", "::9"))
    assert world.server.asked == []


async def test_only_one_family_is_asked_for_where_the_file_says_so(world):
    world.write("options no-aaaa")
    assert await world.find("app.test") == LookupAnswer(("10.0.0.1",), 7.0)


@pytest.mark.parametrize(("name", "reason"), [
    ("nowhere.test", "no such name"), ("empty.test", "DNS lists no address"), ("broken.test", "127.0.0.1: REFUSED")])
async def test_what_is_not_found(world, name, reason):
    with pytest.raises(OSError, match=f"^{reason}$"):
        await world.find(name)


async def test_no_more_addresses_than_can_be_used(world):
    assert len((await world.find("many.test")).addresses) == module.MOST


async def test_addresses_that_are_no_servers_are_none(world):
    with pytest.raises(OSError, match="DNS lists no address"):
        await Lookups(world.tasks, world.find._files)("filtered.test")


@pytest.mark.parametrize("name", ["dead.test", "half.test"])
async def test_silence_ends_after_a_while(world, monkeypatch, name):
    monkeypatch.setattr(module, "LIMIT", 0.3)
    with pytest.raises(TimeoutError):
        await world.find(name)
    await until(lambda: not len(world.tasks))


async def test_silence_is_of_its_own_name_alone(world):
    dead = [world.tasks.start("dead", anyway(world.find("dead.test"))) for _ in range(200)]
    assert (await world.find("app.test")).ttl == 7.0
    assert not any(task.done() for task in dead)
    await world.tasks.cancel()
    assert len(world.tasks) == 0


async def test_names_too_long_for_a_suffix_are_asked_for_without(world):
    name = ".".join(["a" * 61] * 4)
    with pytest.raises(OSError, match="no such name"):
        await world.find(name)
    assert set(world.server.asked) == {name}


async def anyway(found):
    with contextlib.suppress(TimeoutError):
        await found
