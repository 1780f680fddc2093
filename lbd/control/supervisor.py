"""The supervisor: starts the control plane, hands signals down to it, and ends it."""

import asyncio
import contextlib
import os
from collections.abc import Sequence

from lbd import __version__
from lbd.access_log.sinks import sink
from lbd.config.reader import Loaded
from lbd.control import signals
from lbd.control.admin_server import bind_admin_server
from lbd.control.api_server import ApiServer
from lbd.control.daemon_log import DaemonLog
from lbd.control.lifecycle import READY, STOPPING, Lifecycle
from lbd.control.metrics_part import MetricsPart
from lbd.control.operations import Operations
from lbd.control.runtime_changes import RuntimeChanges
from lbd.control.service import Service
from lbd.control.succession import Succession
from lbd.control.upgrade import Upgrade
from lbd.errors import LbdError
from lbd.generation import handover, startup
from lbd.generation.control_plane import ControlPlane
from lbd.generation.log_outputs import AccessLogOutput, TracingOutput
from lbd.generation.successor import LAST_LINES
from lbd.generation.tracing import spans
from lbd.generation.worker_count import worker_count
from lbd.log.logger import logger
from lbd.net import children
from lbd.net.tasks import Tasks, happens
from lbd.process import directories, limits, privileges, socket_owners
from lbd.process.orphans import Orphans
from lbd.process.sockets import Staged
from lbd.reload.config_source import ConfigSource, Load
from lbd.reload.file_watches import FileWatches
from lbd.reload.history import History
from lbd.reload.impact import Impact
from lbd.reload.reload import Reload
from lbd.reload.trial import Sampler
from lbd.report.kernels import build_of_kernels
from lbd.schema import Config

FAREWELL = 2.0     # seconds for clients of the API servers, and for tasks, at the end


class Supervisor:
    """The control process. `load` reads the configuration anew; `loaded` is its first result."""

    def __init__(self, load: Load, loaded: Loaded) -> None:
        config = loaded.config
        self._log = DaemonLog(config)
        self._tasks = Tasks(_task_failed)
        self._life = Lifecycle()
        self._plane = plane = ControlPlane(self._tasks, self._log.form, self._log.write_line,
                                           handover.receive(os.environ, os.getpid()), config.metrics.buckets)
        self._changes = RuntimeChanges(plane, self._tasks)
        self._service = Service(plane)
        self._orphans = Orphans(plane.predecessor.on_worker_exit)
        self._reload = Reload(ConfigSource(load, loaded), self._tasks, plane.coordinator,
                              Impact(plane.board, plane.in_force, plane.servers.overrides),
                              Sampler(plane.board, plane.in_force, plane.servers))
        self._watches = FileWatches(plane, self._reload, self._tasks)
        self._admin: ApiServer | None = None
        self._metrics = MetricsPart(plane.sockets)
        self._succession = Succession(plane, self._changes, self._service, self._log, self._metrics)
        self._upgrade = Upgrade(self._tasks, self._reload, plane.predecessor.upgrades, self._succession)
        self.operations = Operations(self._life, plane, self._log, self._changes, self._reload, self._upgrade,
                                     self._watches)
        plane.worker_events.on_version_mismatch = self._on_version_mismatch
        plane.coordinator.parts = (self._service, self._log, AccessLogOutput(plane.access_log),
                                   TracingOutput(plane.tracing, plane.fleet), self._watches, self._metrics)

    async def run(self) -> int:
        """Serve until told to stop; returns the exit code."""
        try:
            return await self._live()
        except Exception:
            logger.exception("the supervisor broke")
            return 1
        finally:
            self._log.output.flush(LAST_LINES)

    async def _live(self) -> int:
        signals.install(asyncio.get_running_loop(), self)
        config = self._reload.source.loaded.config
        try:
            await self._start(config)
        except LbdError as error:
            logger.error("not started", reason=str(error))
            await self._close()
            return 1
        if not self._life.stop.is_set():
            self._life.state = READY
            self._reload.start_history(History(self._plane.materials.state_dir),
                                       self._plane.predecessor.next_generation)
            self._log_ready()
            self._service.settled()
            self._dismiss_orphans()
            self._watches.start(config)
        await self._life.stop.wait()
        await self._stop()
        return 0

    def handle_usr2(self) -> None:
        """SIGUSR2: become the version on disk, in place, if it takes the running configuration."""
        self._upgrade.start_upgrade("SIGUSR2")

    def handle_hup(self) -> None:
        """SIGHUP: read the configuration again; an error changes nothing and is logged."""
        self._reload.start_reload("SIGHUP")

    def handle_term(self) -> None:
        """SIGTERM: stop accepting, finish what is in flight within `drain_timeout`; a second one cuts at once."""
        if self._life.stop.is_set():
            logger.warning("second signal: cutting every connection")
            self._life.cut.set()
            self._plane.fleet.dismiss(0.0)
            self._plane.fleet.cut()
        self._life.stop.set()

    def handle_int(self) -> None:
        """SIGINT (Ctrl-C): as SIGTERM."""
        self.handle_term()

    def handle_quit(self) -> None:
        """SIGQUIT (Ctrl-\\, and what images made for nginx stop with): as SIGTERM."""
        self.handle_term()

    def handle_usr1(self) -> None:
        """SIGUSR1: open the file of the access log anew, after it was moved away."""
        self._plane.access_log.reopen()

    async def _start(self, config: Config) -> None:
        owner = privileges.identity(config.global_.user, config.global_.group)
        privileges.keep_from_children()
        logger.info("lbd starts", version=__version__, generation=self._plane.predecessor.next_generation,
                    kernels=build_of_kernels(), workers=worker_count(config), pid=os.getpid())
        limits.warn(worker_count(config), config.global_.max_connections)
        for warning in self._reload.source.loaded.warnings:
            logger.warning("configuration", finding=str(warning))
        self._plane.materials.state_dir = directories.state(config.global_.state_dir, owner)
        self._changes.restore(self._plane.materials.state_dir, self._plane.predecessor.runtime)
        self._service.adopt(config)
        self._plane.predecessor.give_sockets(self._plane.sockets, config.listeners)
        staged = startup.bind(self._plane, config)
        try:
            self._bind_api_servers(config, owner)
            if owner is not None:
                staged.give_to(*owner)
                privileges.drop(config.global_.user, *owner)
            self._plane.access_log.use(sink(config.log.access))
            self._plane.tracing.use(spans(config.tracing), ())
            for server in self._api_servers():
                await server.open()
            self._tasks.start("pings", self._tick_every_second())
            await self._start_workers(config, staged)
        except LbdError:
            self._plane.sockets.discard(staged)
            raise

    def _bind_api_servers(self, config: Config, owner: tuple[int, int] | None) -> None:
        """Bind the servers of the daemon itself while root may."""
        predecessor = self._plane.predecessor
        self._admin = bind_admin_server(config, self.operations, owner, predecessor.server_socket("admin"))
        self._succession.admin = self._admin
        self._metrics.bind(config, self.operations, owner, predecessor.server_socket("metrics"))

    async def _start_workers(self, config: Config, staged: Staged) -> None:
        """Start the workers, unless a signal to stop comes first."""
        start = self._tasks.start("start", startup.start(self._plane, config, staged))
        stop = self._tasks.start("signal while starting", self._life.stop.wait())
        await asyncio.wait([start, stop], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if start.done():
            start.result()
        else:
            start.cancel()
            self._plane.sockets.discard(staged)

    async def _stop(self) -> None:
        config = self._reload.source.loaded.config.global_
        self._service.stopping(config.shutdown_delay + config.drain_timeout)
        if self._life.is_ready and config.shutdown_delay:
            self._life.state = STOPPING
            logger.info("stopping soon; /readyz says 503", seconds=config.shutdown_delay)
            await happens(self._life.cut, config.shutdown_delay)
        timeout = 0.0 if self._life.cut.is_set() else config.drain_timeout
        self._life.state = STOPPING
        logger.info("stopping: no new connections; requests in flight finish", at_most_seconds=timeout)
        await startup.stop(self._plane, timeout)
        await self._close()
        logger.info("stopped")

    async def _close(self) -> None:
        self._plane.fleet.kill()
        for server in self._api_servers():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await server.close()
        if unfinished := await self._tasks.cancel(FAREWELL):
            logger.warning("tasks did not end in time", tasks=unfinished)
        self._orphans.close()
        self._changes.close()
        self._plane.access_log.close(LAST_LINES)
        self._plane.tracing.close(LAST_LINES)

    def _on_version_mismatch(self) -> None:
        self._upgrade.start_upgrade("another version on disk", quietly=True)

    def _api_servers(self) -> Sequence[ApiServer]:
        return [server for server in (self._admin, self._metrics.server) if server is not None]

    def _dismiss_orphans(self) -> None:
        """Have the workers of a dead supervisor on the same addresses leave, now that there are others."""
        bound = [address for addresses in self._plane.sockets.addresses().values() for address in addresses]
        ports, paths = {address.port for address in bound} - {0}, {address.path for address in bound} - {""}
        orphans = socket_owners.find_orphans(ports, paths)
        self._orphans.dismiss([*self._plane.predecessor.workers, *orphans])

    async def _tick_every_second(self) -> None:
        while True:
            self._plane.fleet.ping()
            children.reap()
            for clocked in (self._reload, self._service, self._changes, self._watches, self.operations):
                clocked.tick()
            for server in self._api_servers():
                if server.misfits:
                    self._on_version_mismatch()
                if server.secure:
                    self._tasks.start("renewal of an API server's certificate", server.renew())
            await asyncio.sleep(1.0)

    def _log_ready(self) -> None:
        addresses = {name: [str(address) for address in bound]
                     for name, bound in self._plane.sockets.addresses().items()}
        logger.info("ready", listeners=addresses, admin=[str(self._admin.address)] if self._admin else [],
                    metrics=str(self._metrics.server.address) if self._metrics.server else None)


def _task_failed(name: str, error: BaseException) -> None:
    if not isinstance(error, LbdError):   # that one is for the caller that waits for the task
        logger.error("a task of the supervisor broke", task=name, exc_info=error)
