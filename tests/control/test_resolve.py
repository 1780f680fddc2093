"""Names: looked up at once and again, the last good answer kept; the test decides what DNS says."""

import asyncio
import socket

import pytest

from lbd.control.resolve import Resolver
from lbd.net.tasks import Tasks


class Dns:
    """Says what the test tells it; each sleep of the resolver ends when the test says."""

    def __init__(self):
        self.answer = ["10.0.0.1"]
        self.changes = []
        self.sleeps = asyncio.Queue()
        self.tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error!r}"))
        self.resolver = Resolver(self.tasks, self.changes.append, self.lookup, self.sleep)

    async def lookup(self, name):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def sleep(self, seconds):
        go = asyncio.Event()
        self.sleeps.put_nowait(go)
        await go.wait()

    async def again(self, answer):
        """Let the next look-up happen, with this answer."""
        async with asyncio.timeout(20):
            go = await self.sleeps.get()
            self.answer = answer
            go.set()
            following = await self.sleeps.get()
        self.sleeps.put_nowait(following)

    @property
    def now(self):
        return self.resolver.current("x"), self.resolver.listed("x")


@pytest.fixture
async def dns():
    dns = Dns()
    yield dns
    await dns.tasks.cancel()


async def test_the_current_address_is_kept_while_it_is_listed(dns):
    await dns.resolver.set({"x": 30.0})
    assert dns.now == ("10.0.0.1", ("10.0.0.1",))
    await dns.again(["10.0.0.2", "10.0.0.1"])
    assert dns.now == ("10.0.0.1", ("10.0.0.1", "10.0.0.2"))
    await dns.again(["10.0.0.2"])
    assert dns.now == ("10.0.0.2", ("10.0.0.2",))
    assert dns.changes == ["x", "x"]


@pytest.mark.parametrize("failure", [socket.gaierror(-2, "Name or service not known"), TimeoutError(), [],
                                     UnicodeError("label too long")])
async def test_the_last_good_answer_is_kept(dns, failure):
    await dns.resolver.set({"x": 30.0})
    await dns.again(failure)
    assert dns.now == ("10.0.0.1", ("10.0.0.1",))
    assert dns.resolver.reason("x")
    assert dns.changes == []
    await dns.again(["10.0.0.1"])
    assert dns.resolver.reason("x") == ""


async def test_a_name_that_never_resolved_comes_later(dns):
    dns.answer = socket.gaierror(-2, "Name or service not known")
    await dns.resolver.set({"x": 30.0})
    assert dns.now == ("", ())
    assert dns.resolver.reason("x") == "Name or service not known"
    await dns.again(["10.0.0.9"])
    assert dns.now == ("10.0.0.9", ("10.0.0.9",))
    assert dns.changes == ["x"]


async def test_names_that_go_are_not_followed(dns):
    await dns.resolver.set({"x": 30.0})
    await dns.resolver.set({})
    assert dns.now == ("", ())
    async with asyncio.timeout(20):
        while len(dns.tasks):
            await asyncio.sleep(0)
