"""The coordinator: the two-phase change from the generation in force to the next one."""

import asyncio
import contextlib
import time
from collections.abc import Sequence

from lbd.backend.snapshot import Generation
from lbd.errors import LbdError
from lbd.generation import outage, rows
from lbd.generation.certificates import shown
from lbd.generation.endpoint_publisher import EndpointPublisher
from lbd.generation.in_force import InForce
from lbd.generation.materials import Material, Materials
from lbd.generation.part import Part
from lbd.generation.rows import Rows
from lbd.generation.server_states import ServerStates
from lbd.generation.worker_count import worker_count
from lbd.log.logger import logger
from lbd.net.tasks import Tasks
from lbd.process import limits
from lbd.process.sockets import Sockets
from lbd.schema import Config
from lbd.workers.fleet import Fleet


class Coordinator:
    """Changes the generation in force, one change at a time. A change is staged first, by every part and every worker;
    if one of them refuses, everything is taken back, and the old generation serves on.

    A new configuration makes a generation of the next number and goes through `parts` too. Other servers or credentials
    in the same configuration make one of the same number, for the workers alone.
    """

    def __init__(self, tasks: Tasks, in_force: InForce, servers: ServerStates, materials: Materials, sockets: Sockets,
                 fleet: Fleet, rows_: Rows, publisher: EndpointPublisher) -> None:
        self.parts: Sequence[Part] = ()     # staged and committed in this order
        self._tasks = tasks
        self._in_force = in_force
        self._servers = servers
        self._materials = materials
        self._sockets = sockets
        self._fleet = fleet
        self._rows = rows_
        self._publisher = publisher
        self._open_files = limits.raise_files()
        self._addresses_changed = False
        self._lock = asyncio.Lock()

    async def apply_config(self, file_config: Config, force: bool = False) -> Generation:
        """Put a configuration in force; `force`: even if a backend loses its last usable server. Raises `LbdError`, and
        then nothing has changed."""
        async with contextlib.AsyncExitStack() as undo:
            old = self._in_force.require_generation()
            for part in self.parts:
                await part.stage(old.config, file_config)
                undo.push_async_callback(_roll_back, part)
            async with self._lock:
                new = await self._next_generation(file_config, force)
            undo.pop_all()
        settings = file_config.global_
        if settings != old.config.global_:
            limits.warn(worker_count(file_config), settings.max_connections)
        for part in self.parts:
            await part.commit()
        return new

    async def apply_registrations(self) -> None:
        """Put the registered servers in force as they are now. A new one waits for its check, and holds up no other."""
        async with self._lock:
            old, file_config = self._in_force.generation, self._in_force.file_config
            if old is None or file_config is None:
                return
            config = self._servers.registry.merged_into(file_config)
            if config != old.config:
                try:
                    material = await self._materials.complete_material(old, config)
                except LbdError as error:
                    _log_kept_servers(error)
                    return
                await self._servers.watch_servers(old.config, config)
                await self._replace_generation(old, config, material)
                await self._servers.watch_servers(self._in_force.require_generation().config)

    async def apply_credentials(self) -> None:
        """Put the files of TLS in force as they are now. Connections go on as they began. Raises `LbdError`."""
        async with self._lock:
            old = self._in_force.generation
            if old is None:
                return
            material = await self._materials.read_material(old.config)
            if material.credentials == old.credentials:
                return
            before = set(shown(old.credentials))
            await self._replace_generation(old, old.config, material)
            await self._servers.watch_servers(old.config)
            for certificate in sorted(set(shown(self._in_force.require_generation().credentials)) - before):
                logger.info("certificate in force", at=".".join(certificate.place), file=certificate.path,
                            names=certificate.names[:10], days=int((certificate.ends - time.time()) // 86400))

    def apply_addresses_soon(self) -> None:
        """Put the present addresses of names in force soon. Hundreds may change at once, and each comparison is of all
        of them: so they go together."""
        if not self._addresses_changed:
            self._addresses_changed = True
            self._tasks.start("following changed addresses", self._apply_addresses())

    def build(self, number: int, config: Config, material: Material) -> Generation:
        """The generation of a configuration as its servers are now; raises `LbdError` when the scoreboard is full."""
        share = limits.connections(self._open_files, worker_count(config), config.global_.max_connections)
        return self._servers.endpoints.make_generation(number, config, share, *material)

    def put_in_force(self, generation: Generation, file_config: Config | None = None) -> None:
        """Put a generation in force in this process; `file_config` is given where the files have another one now."""
        former = rows.of_servers(self._in_force.endpoints.values())
        self._rows.release_later(former, generation.config.global_.drain_timeout)
        self._in_force.put_generation(generation)
        self._rows.follow_generation(generation)
        if file_config is not None:
            self._in_force.file_config = file_config
        self._servers.follow_generation(generation, list(self._in_force.endpoints.values()))

    async def _next_generation(self, file_config: Config, force: bool) -> Generation:
        """Stage and commit everything that the workers need."""
        old = self._in_force.require_generation()
        config = self._servers.registry.merged_into(file_config)
        async with contextlib.AsyncExitStack() as undo:
            undo.push_async_callback(self._servers.watch_servers, old.config)
            certificates = self._materials.certificates
            undo.callback(certificates.restore, certificates.accepted)
            material = await self._materials.read_material(config)
            staged = self._sockets.stage(config.listeners, worker_count(config), _port_given_up(old.config, config))
            undo.callback(self._sockets.discard, staged)
            await self._servers.watch_servers(old.config, config)
            await self._servers.first_checks()
            with self._rows.reserve(lambda: self.build(old.number + 1, config, material)) as new:
                if not force:
                    outage.refuse(self._servers.endpoints.by_backend(old.config), new)
                prepared = await self._fleet.prepare(new)
                undo.pop_all()
                self.put_in_force(new, file_config)
        # Closed here before the workers close theirs: the last one to close accepts the connections that wait.
        self._sockets.release(self._sockets.commit(staged))
        await self._fleet.commit(new, prepared)
        self._fleet.resize(worker_count(config))
        await self._servers.watch_servers(config)
        self._publisher.publish()
        self._rows.release_later(rows.of_generation(old), old.config.global_.drain_timeout)
        return new

    async def _apply_addresses(self) -> None:
        async with self._lock:
            self._addresses_changed = False
            old = self._in_force.generation
            if old is None:
                return
            self._servers.watch_addresses(old.config)
            if self._servers.endpoints.has_same_servers(old):
                self._publisher.publish()
                return
            await self._servers.first_checks()
            await self._replace_generation(old, old.config, Material(old.secret, dict(old.credentials)))

    async def _replace_generation(self, old: Generation, config: Config, material: Material) -> None:
        """Put other servers or credentials in force in the same configuration of the files: the number stays."""
        try:
            with self._rows.reserve(lambda: self.build(old.number, config, material)) as new:
                prepared = await self._fleet.prepare(new)
                self.put_in_force(new)
        except LbdError as error:
            _log_kept_servers(error)
            return
        await self._fleet.commit(new, prepared)
        self._publisher.publish()
        self._rows.release_later(rows.of_generation(old), old.config.global_.drain_timeout)


async def _roll_back(part: Part) -> None:
    """Have a part give up what it staged. A failure there must not hide why the change was refused."""
    try:
        await part.rollback()
    except Exception:
        logger.exception("a part of a refused generation was not given up", part=type(part).__name__)


def _log_kept_servers(error: LbdError) -> None:
    logger.error("the changed set of servers is not taken over", reason=str(error))


def _port_given_up(old: Config, new: Config) -> int:
    """The port that the metrics leave with this change, and that a listener may take; 0: none."""
    leaving = old.metrics.bind
    return leaving.port if leaving is not None and leaving != new.metrics.bind else 0
