"""The schedule: when servers are checked and what follows, with a clock that the test turns."""

import asyncio
import errno

import pytest
import structlog.testing

from lbd.health.check import Result
from lbd.health.schedule import Judgement, Schedule, Target
from lbd.net.tasks import Tasks
from lbd.schema import HealthPolicy
from lbd.schema.units import Address
from tests.waiting import until

KEY = ("app", "a", "127.0.0.1:1")
PASS = Result(True, "GET /: 200", 0.01)
FAIL = Result(False, "GET /: 503", 0.02)


class World:
    """A schedule whose checks answer what the test says, and whose waits end when the test says."""

    def __init__(self):
        self.failures = []
        self.changes = []
        self.passes = []
        self.subjects = []
        self.waits = asyncio.Queue()
        self.results = asyncio.Queue()
        self.asked = asyncio.Queue()
        self.tasks = Tasks(lambda name, error: self.failures.append(error))
        self.schedule = Schedule(self.tasks, {"tcp": self.check},
                                 lambda key, judgement: self.changes.append((key, judgement.health)),
                                 wait=self.wait, dice=lambda: 0.5,
                                 passed=lambda key, judgement: self.passes.append(key))

    async def check(self, subject, options, timeout):
        self.subjects.append(subject)
        self.asked.put_nowait(subject)
        result = await self.results.get()
        if isinstance(result, Exception):
            raise result
        return result

    async def wait(self, event, seconds):
        go = asyncio.Event()
        self.waits.put_nowait((seconds, go, event))
        await go.wait()

    async def give(self, *results):
        """Let one check after the other end so; returns the waits that followed, in seconds."""
        seen = []
        for result in results:
            self.results.put_nowait(result)
            async with asyncio.timeout(20):
                seconds, go, _ = await self.waits.get()
            seen.append(seconds)
            go.set()
        return seen


@pytest.fixture
async def world():
    world = World()
    yield world
    await world.tasks.cancel()
    assert world.failures == []


def target(port=1, **policy):
    settings = {"interval": 2.0, "rise": 2, "fall": 3, **policy}
    return Target(Address("127.0.0.1", port), HealthPolicy(type="tcp", **settings))


async def test_the_first_check_decides_at_once(world):
    world.schedule.watch_targets({KEY: target()})
    assert world.schedule.judgement_of(KEY).health == "unknown"
    await world.give(PASS)
    await world.schedule.first_round()
    assert world.schedule.judgement_of(KEY).health == "up"
    assert world.changes == [(KEY, "up")]


async def test_rise_and_fall(world):
    world.schedule.watch_targets({KEY: target()})
    await world.give(PASS, FAIL, FAIL, PASS, FAIL, FAIL)
    assert world.schedule.judgement_of(KEY).health == "up"
    await world.give(FAIL)
    assert world.schedule.judgement_of(KEY).health == "down"
    assert world.schedule.judgement_of(KEY).reason == "GET /: 503 after 20 ms, 3 of 3 failed"
    await world.give(PASS, FAIL, PASS, PASS)
    assert [health for _, health in world.changes] == ["up", "down", "up"]


async def test_intervals(world):
    world.schedule.watch_targets({KEY: target(fast_interval=0.5, down_interval=9.0)})
    assert await world.give(PASS, FAIL, FAIL, FAIL, PASS, PASS) == [2.0, 0.5, 0.5, 9.0, 0.5, 2.0]


async def test_one_that_never_answers_delays_no_other(world):
    other = ("app", "b", "127.0.0.1:2")
    stuck = asyncio.Event()

    async def check(subject, options, timeout):
        if subject.address.port == 1:
            await stuck.wait()
        return PASS

    schedule = Schedule(world.tasks, {"tcp": check}, lambda key, judgement: None, wait=world.wait, dice=lambda: 0.5)
    schedule.watch_targets({KEY: target(1), other: target(2)})
    async with asyncio.timeout(20):
        await world.waits.get()
    assert schedule.judgement_of(other).health == "up"
    assert schedule.judgement_of(KEY).health == "unknown"


async def test_a_policy_change_keeps_the_state(world):
    world.schedule.watch_targets({KEY: target()})
    await world.give(PASS)
    world.schedule.watch_targets({KEY: target(interval=7.0)})
    assert world.schedule.judgement_of(KEY).health == "up"
    assert await world.give(FAIL) == [7.0]
    assert world.schedule.judgement_of(KEY).health == "up"


async def test_what_was_known_before_goes_on(world):
    world.schedule.watch_targets({KEY: target()})
    await world.give(PASS, FAIL)
    heir = World()
    heir.schedule.restore({KEY: world.schedule.judgements()[KEY], ("app", "b", "127.0.0.1:2"): Judgement()})
    heir.schedule.watch_targets({KEY: target()})
    await heir.schedule.first_round()   # nothing to wait for
    assert heir.schedule.judgement_of(KEY).health == "up"
    assert await heir.give(FAIL, FAIL) == [2.0, 2.0]
    assert heir.changes == [(KEY, "down")]
    await heir.tasks.cancel()


async def test_a_server_that_goes_is_forgotten_and_waits_end(world):
    world.schedule.watch_targets({KEY: target()})
    round_of = asyncio.ensure_future(world.schedule.first_round())
    async with asyncio.timeout(20):
        await world.asked.get()
    assert not round_of.done()
    world.schedule.watch_targets({})
    async with asyncio.timeout(20):
        await round_of
    assert world.schedule.judgement_of(KEY) is None


async def test_a_trigger_asks_for_a_check_at_once(world):
    world.schedule.watch_targets({KEY: target()})
    world.results.put_nowait(PASS)
    async with asyncio.timeout(20):
        _, _, soon = await world.waits.get()
    world.schedule.trigger("app", "other")
    assert not soon.is_set()
    world.schedule.trigger("app", "a")
    assert soon.is_set()


async def test_reasons_say_how_far_a_change_is(world):
    world.schedule.watch_targets({KEY: target()})
    reasons = []
    for result in (PASS, FAIL, FAIL, FAIL, FAIL, PASS, PASS):
        await world.give(result)
        reasons.append(world.schedule.judgement_of(KEY).reason.rpartition(", ")[2])
    assert reasons == ["1 of 1 passed", "1 of 3 failed", "2 of 3 failed", "3 of 3 failed", "3 of 3 failed",
                       "1 of 2 passed", "2 of 2 passed"]
    assert world.passes == [KEY] * 3


async def test_what_a_check_keeps_is_closed_with_its_server_or_its_policy(world):
    class Kept:
        closed = asyncio.Event()

        def close(self):
            self.closed.set()

    for after in ({KEY: target(interval=9.0)}, {}):
        world.schedule.watch_targets({KEY: target()})
        await world.give(PASS)
        assert (world.subjects[-1].backend, world.subjects[-1].server) == ("app", "a")
        kept = world.subjects[-1].kept = Kept()
        world.schedule.watch_targets(after)
        async with asyncio.timeout(20):
            await kept.closed.wait()
        kept.closed.clear()


async def test_a_policy_may_name_another_place_to_check(world):
    world.schedule.watch_targets({KEY: target(port=9, address="127.0.0.9")})
    await world.give(PASS)
    assert world.subjects[-1].address == Address("127.0.0.9", 9)


async def test_first_checks_run_at_once_and_then_spread(world):
    dice = iter((0.0, 1.0, 1.0))
    schedule = Schedule(world.tasks, {"tcp": world.check}, lambda key, judgement: None, wait=world.wait,
                        dice=lambda: next(dice))
    schedule.watch_targets({KEY: target()})
    assert await world.give(PASS, PASS, PASS) == pytest.approx([1.0, 2.2, 2.2])


async def test_a_check_that_cannot_be_done_changes_nothing(world):
    lacking = OSError(errno.EMFILE, "Too many open files")
    with structlog.testing.capture_logs() as lines:
        world.schedule.watch_targets({KEY: target(fall=1)})
        await world.give(lacking)
        await world.schedule.first_round()                  # nobody waits for what cannot be had
        assert world.schedule.judgement_of(KEY).health == "unknown"
        await world.give(PASS, lacking, lacking)
    judgement = world.schedule.judgement_of(KEY)
    assert (judgement.health, judgement.skipped, judgement.failures) == ("up", 3, 0)
    assert judgement.reason == "GET /: 200 after 10 ms, 1 of 1 passed"
    assert world.passes == [KEY]
    assert [(line["reason"], line["log_level"]) for line in lines] == [("Too many open files", "warning")]


async def test_a_check_that_breaks_is_a_failure(world):
    world.schedule.watch_targets({KEY: target()})
    await world.give(RuntimeError("oh"))
    assert world.schedule.judgement_of(KEY).health == "down"
    assert "oh" in world.schedule.judgement_of(KEY).reason


def test_the_judgement_counts():
    judgement = Judgement()
    policy = HealthPolicy(type="tcp")
    for result in (PASS, FAIL, PASS):
        judgement.count_result(result, policy)
    assert (judgement.passes, judgement.failures) == (2, 1)


async def test_whoever_is_down_is_told_of_with_each_failure(world):
    told = []

    async def check(subject, options, timeout):
        return FAIL

    schedule = Schedule(world.tasks, {"tcp": check}, lambda key, judgement: None, wait=once(3),
                        failed=lambda key, judgement: told.append((key, judgement.health)))
    schedule.watch_targets({KEY: target()})
    await until(lambda: len(told) >= 3)
    assert told == [(KEY, "down")] * 3
    assert schedule.judges(KEY)


async def test_a_host_without_an_address_fails_its_checks(world):
    async def check(subject, options, timeout):
        return PASS

    policy = HealthPolicy(type="tcp", address="probe.test")
    schedule = Schedule(world.tasks, {"tcp": check}, lambda key, judgement: None, wait=once(1))
    schedule.watch_targets({KEY: Target(Address("127.0.0.1", 1), policy)})
    await schedule.first_round()
    assert schedule.judgement_of(KEY).last.reason == "probe.test is not resolved"
    schedule.watch_targets({KEY: Target(Address("127.0.0.1", 1), policy, at="127.0.0.9")})
    await until(lambda: schedule.judgement_of(KEY).passing)
    assert not schedule.judges(KEY)


def once(times):
    """A wait that returns so often, then never."""
    left = [times]

    async def wait(event, seconds):
        left[0] -= 1
        if left[0] <= 0:
            await asyncio.Event().wait()
    return wait
