"""Names: looked up again as answers run out, the last good answer kept; the test decides what DNS says."""

import asyncio

import pytest

from lbd.backend.snapshot import Endpoint
from lbd.discovery import resolver as module
from lbd.discovery.lookup import LookupAnswer
from lbd.discovery.resolver import Resolver
from lbd.health.schedule import Judgement
from lbd.net.tasks import Tasks
from lbd.schema.units import Address
from tests.waiting import until

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"
SERVER = Address("x", 80)


class Dns:
    """Says what the test tells it; each sleep of the resolver ends when the test says."""

    def __init__(self):
        self.answer = LookupAnswer((A,))
        self.changes = []
        self.waits = []
        self.sleeps = asyncio.Queue()
        self.tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error!r}"))
        self.resolver = Resolver(self.tasks, self.changes.append, self.lookup, self.sleep)

    async def lookup(self, name):
        if isinstance(self.answer, BaseException):
            raise self.answer
        if isinstance(self.answer, asyncio.Event):
            await self.answer.wait()
            return LookupAnswer((A,))
        return self.answer

    async def sleep(self, seconds):
        go = asyncio.Event()
        self.waits.append(seconds)
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
        return self.resolver.locate("app", "a", SERVER).host, self.resolver.sorted_addresses_of("x")


@pytest.fixture
async def dns():
    dns = Dns()
    yield dns
    await dns.tasks.cancel()


async def test_the_current_address_is_kept_while_it_is_listed(dns):
    await dns.resolver.follow_names({"x": 30.0})
    assert dns.now == (A, (A,))
    await dns.again(LookupAnswer((B, A)))
    assert dns.now == (A, (A, B))
    assert dns.resolver.addresses_of("x") == (B, A)
    await dns.again(LookupAnswer((B,)))
    assert dns.now == (B, (B,))
    assert dns.changes == ["x", "x"]


async def test_another_order_is_no_change(dns):
    await dns.resolver.follow_names({"x": 30.0})
    await dns.again(LookupAnswer((A, B)))
    await dns.again(LookupAnswer((B, A)))
    assert dns.changes == ["x"]


@pytest.mark.parametrize("failure", [OSError("no such name"), TimeoutError(), LookupAnswer(()),
                                     UnicodeError("too long"), ValueError()])
async def test_the_last_good_answer_is_kept(dns, failure):
    await dns.resolver.follow_names({"x": 30.0})
    await dns.again(failure)
    assert dns.now == (A, (A,))
    assert dns.resolver.failure_of("x")
    assert dns.resolver.unresolved == 1
    assert dns.changes == []
    await dns.again(LookupAnswer((A,)))
    assert dns.resolver.failure_of("x") == ""
    assert (dns.resolver.unresolved, dns.resolver.counts) == (0, {"answered": 2, "failed": 1})


async def test_a_name_that_never_resolved_comes_later(dns):
    dns.answer = OSError("no such name")
    await dns.resolver.follow_names({"x": 30.0})
    assert dns.now == ("x", ())
    assert dns.resolver.failure_of("x") == "no such name"
    await dns.again(LookupAnswer((C,)))
    assert dns.now == (C, (C,))
    assert dns.changes == ["x"]


async def test_nobody_waits_long_for_a_name(dns, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    dns.answer = asyncio.Event()
    await dns.resolver.follow_names({"x": 30.0})
    assert dns.now == ("x", ())
    assert dns.resolver.failure_of("x") == "not looked up yet"
    monkeypatch.setattr(module, "PATIENCE", 1000.0)
    async with asyncio.timeout(20):
        await dns.resolver.follow_names({"x": 30.0})    # nor again, with each reload
    dns.answer.set()
    async with asyncio.timeout(20):
        await dns.sleeps.get()
    assert dns.now == (A, (A,))
    assert dns.changes == ["x"]


@pytest.mark.parametrize(("ttl", "interval", "wait"), [
    (None, 30.0, 30.0), (5.0, 30.0, 5.0), (0.0, 30.0, 1.0), (300.0, 30.0, 30.0), (1.0, 0.2, 0.2)])
async def test_answers_are_asked_for_again_as_they_run_out(dns, ttl, interval, wait):
    dns.answer = LookupAnswer((A,), ttl)
    await dns.resolver.follow_names({"x": interval})
    await dns.sleeps.get()
    assert dns.waits == [wait]


async def test_failures_are_tried_again_soon_then_less_often(dns):
    await dns.resolver.follow_names({"x": 5.0})
    for _ in range(5):
        await dns.again(OSError("no such name"))
    await dns.again(LookupAnswer((A,)))
    await dns.again(OSError("no such name"))
    assert dns.waits == [5.0, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 1.0]


async def test_a_family_whose_servers_are_silent_keeps_its_addresses(dns):
    dns.answer = LookupAnswer((A, "fd00::1"))
    await dns.resolver.follow_names({"x": 30.0})
    await dns.again(LookupAnswer((B,), 30.0, frozenset({6})))
    assert dns.resolver.addresses_of("x") == (B, "fd00::1")
    await dns.again(LookupAnswer((B,), 30.0))
    assert dns.resolver.addresses_of("x") == (B,)


async def test_names_that_go_are_not_followed(dns):
    await dns.resolver.follow_names({"x": 30.0})
    await dns.resolver.follow_names({})
    assert dns.now == ("x", ())
    await until(lambda: not len(dns.tasks))


async def test_a_server_that_fails_moves_to_the_next_address(dns):
    dns.answer = LookupAnswer((A, B))
    await dns.resolver.follow_names({"x": 30.0})
    assert dns.now[0] == A
    dns.resolver.on_connect_failure(("app", "a", f"{B}:80"))       # of an address where it is not
    dns.resolver.on_connect_failure(("app", "other", f"{A}:80"))
    assert (dns.now[0], dns.changes) == (A, [])
    dns.resolver.on_connect_failure(("app", "a", f"{A}:80"))
    dns.resolver.on_connect_failure(("app", "a", f"{A}:80"))       # a late word of the former
    assert (dns.now[0], dns.changes) == (B, ["x"])
    assert dns.resolver.locate("other", "a", SERVER).host == A        # each server for itself
    await dns.again(LookupAnswer((A, B, C)))
    assert dns.now[0] == B


async def test_a_server_that_is_down_moves_after_workers_heard_of_it(dns, monkeypatch):
    monkeypatch.setattr(module, "HEARD", 0.0)
    dns.answer = LookupAnswer((A, B))
    await dns.resolver.follow_names({"x": 30.0})
    assert dns.now[0] == A
    dns.resolver.on_server_down(("app", "a", f"{A}:80"), Judgement("down"))
    dns.resolver.on_server_down(("app", "none", f"{A}:80"), Judgement("down"))
    assert dns.now[0] == A
    await until(lambda: dns.changes)
    assert dns.now[0] == B


async def test_where_servers_are_is_known_as_long_as_there_are_such(dns):
    dns.answer = LookupAnswer((A, B))
    await dns.resolver.follow_names({"x": 30.0})
    other = Address("x", 81)
    for address in (SERVER, other):
        assert dns.resolver.locate("app", "a", address).host == A
        dns.resolver.on_connect_failure(("app", "a", f"{A}:{address.port}"))
    endpoint = Endpoint("app", "a", Address(B, 80), 0, host="x")
    dns.resolver.forget_others({("app", "a"): endpoint})
    assert dns.resolver.locate("app", "a", SERVER).host == B
    assert dns.resolver.locate("app", "a", other).host == A
    dns.resolver.forget_others({})
    assert dns.resolver.locate("app", "a", SERVER).host == A
