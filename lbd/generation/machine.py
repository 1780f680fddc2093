"""The machine that serves: sockets, names, checks and workers, moved together from one generation to the next."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from lbd import __version__
from lbd.access_log.collector import AccessLogCollector
from lbd.backend.snapshot import Endpoint, Generation
from lbd.discovery.endpoints import Endpoints
from lbd.discovery.health_policies import host_names
from lbd.discovery.registry import Registry
from lbd.discovery.resolver import Resolver
from lbd.errors import LbdError
from lbd.generation import outage, rows, saved_health
from lbd.generation.certificates import Certificates, shown
from lbd.generation.cuts import Cuts
from lbd.generation.ejection import Ejection
from lbd.generation.handover import Handover
from lbd.generation.materials import Material, Materials
from lbd.generation.old_scoreboard import described
from lbd.generation.overrides import Overrides
from lbd.generation.tracing import Tracing
from lbd.health import CHECKS
from lbd.health.schedule import Judgement, Key, Schedule
from lbd.log.logger import logger
from lbd.net.tasks import Tasks
from lbd.process import limits, processors
from lbd.process.fleet import Fleet, FleetCallbacks
from lbd.process.messages import LogTo
from lbd.process.pipe_lines import Lines
from lbd.process.sockets import Sockets, Staged
from lbd.process.worker_process import WorkerProcess
from lbd.schema import Config
from lbd.stats import fields
from lbd.stats.scoreboard import Board
from lbd.stats.slots import Slots

MOST_WORKERS = 64
LANES = 2 * MOST_WORKERS + 2   # old and new workers overlap
PAST = 0                       # the lane for what a scoreboard of another layout has counted
LAST_LINES = 1.0               # seconds that the access log may take for what is still to be written
FLUSH_PAUSE = 0.05             # seconds at least between two flushes of news to the workers
FIRST = 2.0                    # seconds that first checks may hold up a start or a reload
LINGER = 5.0                   # seconds beyond the drain after which nobody writes to a removed row any more


def worker_count(config: Config) -> int:
    """The number of workers, `auto` resolved."""
    return config.global_.workers or min(MOST_WORKERS, processors.usable())


class Machine:
    """Everything between a configuration and served requests. `line` gets the workers' lines of log; `inherited` is
    what the version before left in this process. `bounds` are those of the histograms, in seconds."""

    def __init__(self, tasks: Tasks, log_form: str, line: Callable[[str], None],
                 inherited: Handover | None = None, bounds: Sequence[float] = fields.RESPONSE_BOUNDS) -> None:
        self.line = line
        self.replaced: Callable[[], None] = lambda: None   # called when a worker is of another version than this
        self.access = AccessLogCollector()
        self.tracing = Tracing()
        self.board = (inherited and inherited.board) or Board.create(LANES, bounds)
        self.slots = Slots(self.board)
        self.sockets = Sockets()
        self.resolver = Resolver(tasks, self._renamed)
        self.ejection = Ejection(tasks, self.board, self._flush_soon)
        self.schedule = Schedule(tasks, {name: kind.check for name, kind in CHECKS.items()}, self._judged,
                                 passed=self.ejection.passed, failed=self.resolver.on_server_down)
        self.overrides = Overrides()
        self.registry = Registry()
        self.cuts = Cuts()
        self.certificates = Certificates()
        self._materials = Materials(self.certificates)
        self.endpoints = Endpoints(self.slots, self.resolver, self.schedule, self.ejection.reason, self._steered,
                             self.certificates.client_tls)
        self.fleet = Fleet(tasks, self.sockets, self.board, log_form, FleetCallbacks(
            write_log_line=line, on_worker_hello=self.on_worker_hello, on_version_mismatch=lambda: self.replaced(),
            on_connect_failure=self.on_connect_failure, changes_since=self.endpoints.changes_since))
        self.generation: Generation | None = None
        self.state_dir = ""
        self._tasks = tasks
        self._files = limits.raise_files()
        self._given: Config | None = None   # what the files say, without registered servers
        self._told: dict[tuple[str, str], Endpoint] = {}
        self._inherited = inherited
        self.first = 1                      # number of the first generation
        self.left: dict[int, int] = {}      # workers of the version before: pid and lane
        self._past = inherited.past if inherited is not None else None
        if inherited is not None:
            self._inherit(inherited)
        self._flushing = self._renames = False      # something is still to be told, names to be followed
        self._flushed = 0.0             # when, of the loop's clock
        self._lock = asyncio.Lock()

    def _inherit(self, inherited: Handover) -> None:
        self.first = inherited.generation + 1
        self.fleet.slots.restarts = inherited.restarts
        self.left = dict(inherited.workers)
        if inherited.board is not None:
            self.slots.restore(inherited.slots)
            for lane in self.left.values():
                self.fleet.lanes.occupy(lane)
        elif self._past is not None:
            self.fleet.lanes.occupy(PAST)
        for fd in inherited.logs:
            Lines(asyncio.get_running_loop(), fd, self.line)
        saved_health.restore(inherited.known, self.schedule, self.ejection, self.cuts)

    @property
    def tasks(self) -> int:
        """Tasks that run now."""
        return len(self._tasks)

    def bind(self, config: Config) -> Staged:
        """Bind the sockets of a first configuration, and read what root alone may read; raises `LbdError`."""
        self.certificates.read(config)
        return self.sockets.stage(config.listeners, worker_count(config))

    async def start(self, config: Config, staged: Staged) -> None:
        """Bring up workers and first checks side by side, then listen. Raises `LbdError`."""
        for reader, begun in self._inherited.pipes if self._inherited is not None else ():
            self.access.adopt(reader, begun)   # not before the access log has a place to be written to
        self._given, config = config, self.registry.merged_into(config)
        material = await self._materials.read(config, self.state_dir)
        await self._follow(config)
        self.ejection.set(config)
        self._take(self._make(self.first, config, material))
        assert self.generation is not None
        if self._past is not None:
            self._past.begin(self.board, self.slots, PAST)
        up = self._tasks.start("bringing up the workers", self.fleet.start(self.generation, worker_count(config)))
        await self.schedule.first_round(FIRST, hurry=True)
        await up
        self.sockets.commit(staged)
        self.fleet.share()
        if self._inherited is not None:
            left = {(kind, identity) for kind, identity, _ in self._inherited.slots}
            self._release_later(left | (self._past.identities() if self._past is not None else set()),
                                config.global_.drain_timeout)

    def inherit(self, config: Config) -> None:
        """Take the listening sockets that the version before left; those that no bind wants are closed."""
        for name, own, sock in self._inherited.sockets if self._inherited is not None else ():
            if not self.sockets.adopt(name, sock, own, config.listeners):
                sock.close()

    def leave(self) -> dict[str, Any]:
        """Everything for the next version in this process, as `handover` has it."""
        slots = [(kind, identity, slot) for kind in range(len(fields.KINDS))
                 for identity, slot in self.slots.owners(kind).items()]
        workers = self.fleet.processes()
        return {"version": __version__, "generation": self.generation.number if self.generation else 0,
                "restarts": self.fleet.slots.restarts, "board": self.board.fd, "slots": slots,
                "sockets": [(name, own, sock.fileno()) for name, own, sock in self.sockets.all()],
                "workers": [*((process.pid, process.lane) for process in workers), *self.left.items()],
                "logs": [process.log for process in workers if process.log >= 0],
                "pipes": self.access.leave(LAST_LINES), "counted": described(self.board, self.slots),
                "known": saved_health.known(self.schedule, self.ejection, self.cuts)}

    def orphan_ended(self, pid: int) -> None:
        """A worker of the version before is gone: its lane is free."""
        lane = self.left.pop(pid, None)
        if lane is None or self._inherited is None:
            return
        if self._inherited.board is not None:
            self.fleet.lanes.release(lane)
        elif self._past is not None:
            self._past.add([lane], self.board, self.slots, PAST)

    async def apply(self, config: Config, force: bool = False, leaving: int = 0) -> Generation:
        """Put a configuration in force; `leaving` as `Sockets.stage` has it. Raises `LbdError`, and then nothing has
        changed."""
        async with self._lock:
            old = self.generation
            if old is None:
                raise LbdError("lbd is still starting; try again in a moment")
            given, config = config, self.registry.merged_into(config)
            async with contextlib.AsyncExitStack() as undo:
                undo.push_async_callback(self._follow, old.config)
                undo.callback(self.certificates.restore, self.certificates.known)
                material = await self._materials.read(config, self.state_dir)
                staged = self.sockets.stage(config.listeners, worker_count(config), leaving)
                undo.callback(self.sockets.discard, staged)
                await self._follow(old.config, config)
                await self.schedule.first_round(FIRST)
                new = self._make(old.number + 1, config, material)
                if not force:
                    outage.refuse(self.endpoints.by_backend(old.config), new)
                prepared = await self.fleet.prepare(new)
                undo.pop_all()
            self._given = given
            self._take(new)
            # Closed here before the workers close theirs: the last one to close takes what waits.
            self.sockets.release(self.sockets.commit(staged))
            await self.fleet.commit(new, prepared)
            self.fleet.resize(worker_count(config))
            await self._follow(config)
            self._flush()
            self._release_later(rows.of_generation(old), old.config.global_.drain_timeout)
            return new

    def steered(self) -> None:
        """Overrides are others now: tell the workers."""
        if self.generation is not None:
            self.cuts.follow(self.endpoints, self.generation.config)
        self._flush_soon()

    def unwanted(self) -> list[tuple[tuple[str, str], str]]:
        """Registered servers that the files have no place for any more, and why."""
        return self.registry.unwanted(self._given) if self._given is not None else []

    def in_files(self, backend: str, server: str) -> bool:
        """Whether the files have that server, registered ones left out."""
        return (self._given is not None and backend in self._given.backends
                and server in self._given.backends[backend].servers)

    def has(self, name: tuple[str, str]) -> bool:
        """Whether the workers have that server of that backend, registered ones included."""
        return name in self._told

    def in_flight(self, name: tuple[str, str]) -> int:
        """Requests in flight to that backend's server, from all workers."""
        endpoint = self._told.get(name)
        return self.board.in_flight(endpoint.slot) if endpoint is not None else 0

    async def regroup(self) -> None:
        """Registered servers came, went or changed: put them in force. Those that need a check wait for it alone."""
        async with self._lock:
            old = self.generation
            if old is None or self._given is None:
                return
            config = self.registry.merged_into(self._given)
            if config != old.config:
                try:
                    material = await self._materials.complete(old, config, self.state_dir)
                except LbdError as error:
                    logger.error("the changed set of servers is not taken over", reason=str(error))
                    return
                await self._follow(old.config, config)
                await self._reshape(old, config, material)
                await self._follow(self.generation.config if self.generation else config)

    async def renew(self) -> None:
        """The files of TLS may be others: put what they say in force. Connections go on as they began."""
        async with self._lock:
            old = self.generation
            if old is None:
                return
            material = await self._materials.read(old.config, self.state_dir)
            if material.credentials != old.credentials:
                before = set(shown(old.credentials))
                await self._reshape(old, old.config, material)
                await self._follow(old.config)
                for one in sorted(set(shown(self.generation.credentials if self.generation else {})) - before):
                    logger.info("certificate in force", at=".".join(one.place), file=one.path, names=one.names[:10],
                                days=int((one.ends - time.time()) // 86400))

    async def stop(self, timeout: float) -> None:
        """Close the sockets, so that new clients are refused and not left waiting, and drain the workers within so
        many seconds."""
        self.sockets.close()   # before the workers close theirs: the last one to close takes what waits
        self.fleet.dismiss(timeout)
        await self.fleet.stop(timeout)

    def on_worker_hello(self, process: WorkerProcess) -> None:
        """A worker is there: it gets a pipe for its lines of access log."""
        fd = self.access.pipe()
        process.send(LogTo(), (fd,))
        os.close(fd)
        self.tracing.greeted(process)

    def on_connect_failure(self, backend: str, server: str, address: str) -> None:
        """A worker could not connect there: check that server at once, or take the worker's word."""
        self.schedule.trigger(backend, server)
        if not self.schedule.judges(key := (backend, server, address)):
            self.resolver.on_connect_failure(key)

    def draining(self) -> int:
        """Requests in flight to servers that were removed or are drained, and those of workers that end."""
        stay = rows.of_servers(m for m in self._told.values() if m.mode != "drain")
        leaving = {process.lane for process in self.fleet.processes() if process.draining} | set(self.left.values())
        return rows.in_flight(self.board, self.slots, stay, leaving)

    def _make(self, number: int, config: Config, material: Material) -> Generation:
        share = limits.connections(self._files, worker_count(config), config.global_.max_connections)
        return self.endpoints.make_generation(number, config, share, *material)

    def _steered(self, endpoint: Endpoint) -> Endpoint:
        wanted = self.overrides.applied(endpoint)
        if self.registry.is_leaving((endpoint.backend, endpoint.name)):
            wanted = wanted._replace(mode="drain")      # whatever else is wanted of it
        return self.cuts.applied(wanted)

    def _take(self, generation: Generation) -> None:
        self.generation = generation
        self.board.per_server = generation.config.metrics.per_server_histograms
        self._release_later(rows.of_servers(self._told.values()), generation.config.global_.drain_timeout)
        self._told = {(m.backend, m.name): m for group in generation.endpoints.values() for m in group}
        self.resolver.forget_others(self._told)
        self.ejection.set(generation.config)
        self.ejection.follow(self._told.values())

    async def _follow(self, *configs: Config) -> None:
        """Look up and check the servers of exactly these configurations, the later ones' policies before the
        earlier ones'."""
        wanted: dict[str, float] = {}
        for config in configs:
            wanted.update(host_names(config))
        await self.resolver.follow_names(wanted)
        self.schedule.set({key: target for config in configs
                           for key, target in self.endpoints.check_targets(config).items()})

    def _judged(self, key: Key, judgement: Judgement) -> None:
        said = logger.info if judgement.health == "up" else logger.warning
        said(f"server {judgement.health}", backend=key[0], server=key[1], address=key[2], reason=judgement.reason)
        self._flush_soon()

    def _renamed(self, _name: str) -> None:
        if not self._renames:    # hundreds of names may change at once, and each look is at all of them
            self._renames = True
            self._tasks.start("following changed addresses", self._readdress())

    async def _readdress(self) -> None:
        async with self._lock:
            self._renames = False
            old = self.generation
            if old is None:
                return
            self.schedule.set(self.endpoints.check_targets(old.config))
            if self.endpoints.has_same_servers(old):
                self._flush()
                return
            await self.schedule.first_round(FIRST)
            await self._reshape(old, old.config, Material(old.secret, dict(old.credentials)))

    async def _reshape(self, old: Generation, config: Config, material: Material) -> None:
        """Another set of servers in the same configuration of the files, so the number stays."""
        try:
            new = self._make(old.number, config, material)
            prepared = await self.fleet.prepare(new)
        except LbdError as error:
            logger.error("the changed set of servers is not taken over", reason=str(error))
            return
        self._take(new)
        await self.fleet.commit(new, prepared)
        self._flush()
        self._release_later(rows.of_generation(old), old.config.global_.drain_timeout)

    def _flush_soon(self) -> None:
        if not self._flushing:   # hundreds of servers may change at once, and each flush looks at all of them
            self._flushing = True
            loop = asyncio.get_running_loop()
            loop.call_at(max(loop.time(), self._flushed + FLUSH_PAUSE), self._flush)

    def _flush(self) -> None:
        """Tell the workers what they do not know yet."""
        self._flushing = False
        self._flushed = asyncio.get_running_loop().time()
        if self.generation is None:
            return
        now = [m for group in self.endpoints.by_backend(self.generation.config).values() for m in group]
        self.cuts.follow(self.endpoints, self.generation.config)
        news = tuple(m for m in now if (m.backend, m.name) in self._told and self._told[m.backend, m.name] != m)
        if news:
            moved = (was for m in news if (was := self._told[m.backend, m.name]).address != m.address)
            if former := rows.of_servers(moved):
                self._release_later(former, self.generation.config.global_.drain_timeout)
            self._told.update({(m.backend, m.name): m for m in news})
            self.ejection.follow(self._told.values())
            self.fleet.update(news)

    def _release_later(self, candidates: set[rows.Identity], drain: float) -> None:
        asyncio.get_running_loop().call_later(drain + LINGER, self._release, candidates)

    def _release(self, candidates: set[rows.Identity]) -> None:
        if self.generation is None:
            return
        used = rows.of_generation(self.generation)
        used |= rows.of_servers(self._told.values())
        for kind, owner in candidates - used:
            self.slots.release(kind, owner)
