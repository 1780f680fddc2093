"""The schedule of health checks and the judgement of their results: one loop per server, none waits for another."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from lbd.backend.state import Identity
from lbd.health.check import Check, Result, Secured, Subject, words
from lbd.log.logger import logger
from lbd.net.tasks import Tasks, happens
from lbd.schema import HealthPolicy
from lbd.schema.units import Address

JITTER = 0.1   # share of an interval by which it varies, so that checks do not march in step
PHASE = 0.5    # the same after the first check
QUIET = 60.0   # seconds between two lines in the log about checks that this machine cannot do


@dataclass(frozen=True, slots=True)
class Target:
    """A server to check, how, and the bytes with which each connection to it begins. Where the policy names a host
    instead of the server's own, `at` is its IP address, "" while there is none."""

    address: Address
    policy: HealthPolicy
    greeting: bytes = b""
    secured: Secured | None = None
    at: str = ""


@dataclass(slots=True)
class Judgement:
    """The judgement of a server: `health` is unknown, up or down; `streak` counts equal results in a row, of which
    `needed` make a difference; `skipped` counts checks that could not be done here, which say nothing of the server."""

    health: str = "unknown"
    last: Result | None = None
    streak: int = 0
    needed: int = 1
    passes: int = 0
    failures: int = 0
    checked: float = 0.0    # when the last result came, of the monotonic clock
    skipped: int = 0

    @property
    def passing(self) -> bool:
        """Whether the last check passed."""
        return self.last is not None and self.last.passed

    @property
    def seconds(self) -> float:
        """Duration of the last check."""
        return self.last.seconds if self.last is not None else 0.0

    @property
    def reason(self) -> str:
        """The last result and how often it came: "GET /healthz: 503 after 12 ms, 3 of 3 failed"."""
        last = self.last
        if last is None:
            return "not checked yet"
        counted = f"{min(self.streak, self.needed)} of {self.needed} {'passed' if last.passed else 'failed'}"
        return f"{last.reason} after {last.seconds * 1000:.0f} ms, {counted}"

    def count_result(self, result: Result, policy: HealthPolicy) -> bool:
        """Count a result; true when the health changed by it. The first check decides at once."""
        self.streak = self.streak + 1 if self.last is not None and result.passed == self.last.passed else 1
        self.last = result
        self.checked = time.monotonic()
        if result.passed:
            self.passes += 1
        else:
            self.failures += 1
        wanted = "up" if result.passed else "down"
        self.needed = 1 if self.health == "unknown" else policy.rise if result.passed else policy.fall
        if self.health == wanted or self.streak < self.needed:
            return False
        self.health = wanted
        return True

    def interval(self, policy: HealthPolicy) -> float:
        """Seconds to the next check, without jitter."""
        if self.health != ("up" if self.passing else "down"):
            return policy.fast_interval if policy.fast_interval is not None else policy.interval
        if self.health == "down" and policy.down_interval is not None:
            return policy.down_interval
        return policy.interval


@dataclass(slots=True)
class ServerWatch:
    """A server under watch: `first` is set once there is a result, `soon` asks for a check at once."""

    target: Target
    subject: Subject
    judgement: Judgement = field(default_factory=Judgement)
    first: asyncio.Event = field(default_factory=asyncio.Event)
    soon: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Round:
    """A wait for first checks: `decided` once every backend has a server that passed or none that is still unchecked,
    `complete` once no server is unchecked."""

    def __init__(self, watches: Mapping[Identity, ServerWatch]) -> None:
        self.decided = asyncio.Event()
        self.complete = asyncio.Event()
        self._unchecked = {key for key, watch in watches.items() if not watch.first.is_set()}
        self._left = Counter(key[0] for key in self._unchecked)
        self._undecided = set(self._left) - {key[0] for key, watch in watches.items() if watch.judgement.passing}
        self._look()

    def checked(self, key: Identity, passed: bool) -> None:
        """Note that a first check is done, or will not be."""
        if key not in self._unchecked:
            return
        self._unchecked.discard(key)
        self._left[key[0]] -= 1
        if passed or not self._left[key[0]]:
            self._undecided.discard(key[0])
        self._look()

    def _look(self) -> None:
        if not self._undecided:
            self.decided.set()
        if not self._unchecked:
            self.complete.set()


Wait = Callable[[asyncio.Event, float], Awaitable[None]]


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set, at most so long; then it is set."""
    handle = asyncio.get_running_loop().call_later(seconds, event.set)
    try:
        await event.wait()
    finally:
        handle.cancel()


class Schedule:
    """All servers that are checked. `changed` is called with key and judgement when a server's health changes,
    `passed` after each check that passes, `failed` after each that fails and finds the server down."""

    def __init__(self, tasks: Tasks, checks: Mapping[str, Check], changed: Callable[[Identity, Judgement], None],
                 wait: Wait = wait, dice: Callable[[], float] = random.random,
                 passed: Callable[[Identity, Judgement], None] | None = None,
                 failed: Callable[[Identity, Judgement], None] | None = None) -> None:
        self._tasks = tasks
        self._checks = checks
        self._changed = changed
        self._passed = passed
        self._failed = failed
        self._wait = wait
        self._dice = dice
        self._watches: dict[Identity, ServerWatch] = {}
        self._quiet_until = 0.0
        self._before: dict[Identity, Judgement] = {}
        self._rounds: set[Round] = set()

    def watch_targets(self, targets: Mapping[Identity, Target]) -> None:
        """Watch exactly these. A server that was watched before keeps its judgement, also under another policy."""
        for key in [key for key in self._watches if key not in targets]:
            gone = self._watches.pop(key)
            self._end(gone)
            self._checked(key, gone)   # no check of it will come that a round could wait for
        for key, target in targets.items():
            known = self._watches.get(key)
            if known is not None and known.target == target:
                continue
            watch = ServerWatch(target, Subject(_place(target), key[0], key[1], target.greeting, target.secured,
                                                at=target.at))
            if known is not None:
                watch.judgement, watch.first = known.judgement, known.first
                self._end(known)
            elif (before := self._before.pop(key, None)) is not None:
                watch.judgement = before
                watch.first.set()
            self._watches[key] = watch
            watch.task = self._tasks.start(f"check {key[0]}/{key[1]}", self._run(key, watch))

    async def first_round(self, seconds: float | None = None, hurry: bool = False) -> None:
        """Wait until every server has been checked once, each at most its own timeout long.

        After so many seconds only those backends are waited for of which no server passed and some are unchecked: they
        would count as lost. In a hurry nothing else is waited for, and only for so many seconds.
        """
        own = Round(self._watches)
        self._rounds.add(own)
        try:
            if not await happens(own.decided if hurry else own.complete, seconds) and not hurry:
                await own.decided.wait()
        finally:
            self._rounds.discard(own)

    def trigger(self, backend: str, server: str) -> None:
        """Check this server at once."""
        for key, watch in self._watches.items():
            if key[:2] == (backend, server):
                watch.soon.set()

    def judges(self, key: Identity) -> bool:
        """Whether checks tell how the server is at this very address, and not at a host that the policy names."""
        watch = self._watches.get(key)
        return watch is not None and watch.target.policy.address is None

    def judgements(self) -> dict[Identity, Judgement]:
        """The judgements of all servers."""
        return {key: watch.judgement for key, watch in self._watches.items()}

    def restore(self, judgements: Mapping[Identity, Judgement]) -> None:
        """Take judgements from before of servers that are not watched yet: their checks go on from there."""
        self._before = {key: judgement for key, judgement in judgements.items() if judgement.last is not None}

    def judgement_of(self, key: Identity) -> Judgement | None:
        """The judgement of a server; None if it is not checked."""
        watch = self._watches.get(key)
        return None if watch is None else watch.judgement

    def _checked(self, key: Identity, watch: ServerWatch) -> None:
        if not watch.first.is_set():
            watch.first.set()
            for waiting in self._rounds:
                waiting.checked(key, watch.judgement.passing)

    def _end(self, watch: ServerWatch) -> None:
        if watch.task is not None:
            watch.task.cancel()

    async def _run(self, key: Identity, watch: ServerWatch) -> None:
        policy, judgement = watch.target.policy, watch.judgement
        share = PHASE   # the first checks all run at once: from then on they spread over the interval
        try:
            while True:
                watch.soon.clear()
                result = await self._check(watch)
                changed = result is not None and judgement.count_result(result, policy)
                self._checked(key, watch)
                if changed:
                    self._changed(key, judgement)
                if result is not None and result.passed and self._passed is not None:
                    self._passed(key, judgement)
                elif result is not None and judgement.health == "down" and self._failed is not None:
                    self._failed(key, judgement)
                await self._wait(watch.soon, judgement.interval(policy) * (1 + share * (2 * self._dice() - 1)))
                share = JITTER
        finally:
            watch.subject.release()

    async def _check(self, watch: ServerWatch) -> Result | None:
        """Check the server; None where the check could not be done."""
        policy = watch.target.policy
        if not watch.subject.reached.literal:
            return Result(False, f"{watch.subject.address.host} is not resolved", 0.0)
        try:
            return await self._checks[policy.type](watch.subject, policy.options, policy.timeout)
        except TimeoutError:
            return Result(False, "timeout", policy.timeout)
        except OSError as error:
            self._skip(watch, words(error))
            return None
        except Exception as error:  # a check that breaks must not leave its server unwatched
            return Result(False, f"the check itself failed: {error!r}", 0.0)

    def _skip(self, watch: ServerWatch, reason: str) -> None:
        """Count a check that could not be done, and log one line for all of them: the cause is this host."""
        watch.judgement.skipped += 1
        now = asyncio.get_running_loop().time()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET
            logger.warning("health checks cannot be done, servers keep their state", reason=reason,
                           backend=watch.subject.backend, server=watch.subject.server)


def _place(target: Target) -> Address:
    """The address to check: the policy may name another host or port than the server's own."""
    address, policy = target.address, target.policy
    if not address.path and (policy.address or policy.port):
        return Address(policy.address or address.host, policy.port or address.port)
    return address
