"""The supervisor: everything that is not a request, from the first configuration to the last worker's end."""

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lbd import __version__
from lbd.access_log.sinks import sink
from lbd.backend.snapshot import Generation
from lbd.config.read import Loaded
from lbd.control import signals, upgrade
from lbd.control.admin_server import bind_admin_server
from lbd.control.api_server import ApiServer
from lbd.control.metrics_server import bind_metrics_server
from lbd.control.runtime_changes import RuntimeChanges
from lbd.control.service import Service
from lbd.errors import LbdError
from lbd.generation import handover
from lbd.generation.config_watch import ConfigWatch
from lbd.generation.history import History
from lbd.generation.impact import counted
from lbd.generation.machine import LAST_LINES, Machine, worker_count
from lbd.generation.reload import Load, Reload
from lbd.generation.renewal import Renewal
from lbd.generation.tracing import spans
from lbd.generation.trial import sample
from lbd.http import head
from lbd.log import logger as log
from lbd.log.logger import logger
from lbd.log.moment import moment
from lbd.log.output import LogOutput
from lbd.net import children
from lbd.net.offload import Offload
from lbd.net.tasks import Tasks, happens
from lbd.process import directories, holders, limits, privileges
from lbd.process.orphans import Orphans
from lbd.report import metrics_view, settings, status
from lbd.report.event_log import EventLog
from lbd.report.explain import Question, explain
from lbd.report.trend import Trend
from lbd.schema import Config
from lbd.stats import scoreboard
from lbd.stats.scrape import scrape

FAREWELL = 2.0     # seconds for visitors of a door, and for tasks, at the end
TICKET = 30.0      # seconds in which a request can be explained live


class Supervisor:
    """The control process. `load` reads the configuration anew; `loaded` is what it gave at the start."""

    def __init__(self, load: Load, loaded: Loaded) -> None:
        self._loaded = loaded
        self._output = LogOutput()
        self._opening = Offload("opening the access log")
        self._events = EventLog()
        self._form = log.form_for(loaded.config.log.format, 2)
        self._set_up_log(loaded.config)
        self._tasks = Tasks(_task_failed)
        self._handover = handover.take(os.environ, os.getpid())
        self._machine = Machine(self._tasks, self._form, lambda line: self._output.write(line + "\n"), self._handover,
                                loaded.config.metrics.buckets)
        self._runtime_changes = RuntimeChanges(self._machine, self._tasks)
        self._service = Service(self._machine)
        self._renewal = Renewal(self._machine, self._tasks)
        self._trend = Trend()
        self._orphans = Orphans(self._machine.orphan_ended)
        self._admin: ApiServer | None = None
        self._metrics: ApiServer | None = None
        self._began = time.monotonic()
        self._state = "starting"
        self._asked_to_stop = asyncio.Event()
        self._cut = asyncio.Event()
        self._reload = Reload(load, loaded, self._tasks, self._apply, lambda plan: counted(plan, self._machine),
                              lambda: sample(self._machine))
        self._upgrade = upgrade.Upgrade(self._tasks, self._reload, self._handover.upgrades if self._handover else 0,
                                        self._leave, self._stay, self._needed)
        self._machine.replaced = lambda: self._upgrade.start("a worker of another version", quietly=True)
        self._following = ConfigWatch(self._tasks, lambda: self._reload.files, self._files_changed)

    async def run(self) -> int:
        """Serve until told to stop; returns the exit code."""
        try:
            return await self._live()
        except Exception:
            logger.exception("the supervisor broke")
            return 1
        finally:
            self._output.flush(LAST_LINES)

    async def _live(self) -> int:
        signals.install(asyncio.get_running_loop(), self)
        try:
            await self._start()
        except LbdError as error:
            logger.error("not started", reason=str(error))
            await self._close()
            return 1
        if not self._asked_to_stop.is_set():
            self._state = "ready"
            self._reload.began(History(self._machine.state_dir), self._machine.first)
            self._log_ready()
            self._service.settled()
            self._take_over()
            self._follow_files()
        await self._asked_to_stop.wait()
        await self._stop()
        return 0

    @property
    def ready(self) -> str:
        """Why lbd should get no traffic now, "" when it should."""
        return "" if self._state == "ready" else self._state

    @property
    def steering(self) -> RuntimeChanges:
        """What may be changed while it runs."""
        return self._runtime_changes

    def status(self, history: bool = False) -> dict[str, Any]:
        """Everything that is now; with `history` how each server did in the last two minutes."""
        now = status.describe(self._machine, self._trend, history)
        self._runtime_changes.annotate(now["backends"])
        return {
            "version": __version__,
            "pid": os.getpid(),
            "state": self._state,
            "time": moment(time.time()),
            "started": status.then(self._began),
            "uptime_seconds": round(time.monotonic() - self._began, 3),
            "upgrades": self._upgrade.before,
            "degraded": self._reload.refused,
            "files": list(self._reload.loaded.files),
            "watch": self._following.manner(self._renewal.polls),
            "last_reload": self._reload.describe(),
            "last_change": self._reload.change,
            "unkept": self._runtime_changes.unkept,
            **now,
        }

    def settings(self, secrets: bool = False) -> dict[str, Any]:
        """Every key of the configuration in force, and where its value is from."""
        return settings.describe(self._machine, self._loaded.places, secrets)

    def metrics(self, accept: str, query: Mapping[str, str]) -> tuple[bytes, str]:
        """The exposition for Prometheus; ValueError for a query that means nothing."""
        refused = {problem.file for problem in self._reload.loaded.refused}
        seen = metrics_view.look(self._machine, self._reload, _kernels(), refused, self._output.dropped)
        return scrape(seen, self._machine.board, accept, query, self._loaded.config.metrics.max_series)

    def explain(self, method: str, url: str, headers: Sequence[str], client: str, listener: str) -> dict[str, Any]:
        """Where such a request would go now, and why; `LbdError` for one that is none."""
        serving, generation = self._machine.fleet.serving(), self._machine.generation
        if generation is None or not serving:
            raise LbdError("no worker serves")
        now = replace(generation, endpoints=self._machine.endpoints.by_backend(generation.config))
        return explain(Question(method, url, headers, client, listener), now, self._machine.board, serving[0].lane)

    async def ticket(self) -> dict[str, Any]:
        """A word for one request that is to be explained by its answer; `LbdError` when the workers do not take it."""
        made = secrets.token_hex(16)
        await self._machine.fleet.explain(made.encode(), TICKET)
        return {"ticket": made, "seconds": TICKET}

    async def events(self, since: int, wait: float) -> dict[str, Any]:
        """What happened after that number, or does within so many seconds."""
        return await self._events.wait(since, wait)

    async def reload(self, force: bool, confirm: float = 0.0) -> dict[str, Any]:
        """Read the configuration again and put it in force."""
        return await self._reload.ask(force, confirm)

    async def plan(self, file: str | None) -> dict[str, Any]:
        """What a reload would do."""
        return await self._reload.plan(file)

    def confirm(self) -> dict[str, Any]:
        """Keep the generation that waits for it."""
        return self._reload.confirm()

    async def rollback(self) -> dict[str, Any]:
        """Go back to the generation before."""
        return await self._reload.rollback()

    async def upgrade(self) -> dict[str, Any]:
        """Become the version on disk, in place; raises `LbdError` when it does not take the configuration."""
        if self._state != "ready":
            raise LbdError(f"lbd is {self._state}")
        return await self._upgrade.ask()

    def _leave(self) -> dict[str, Any]:
        """What the next version gets."""
        self._output.flush(LAST_LINES)
        self._service.reloading()
        doors = {name: door.sock.fileno() for name, door in (("admin", self._admin), ("metrics", self._metrics))
                 if door is not None}
        return {**self._machine.leave(), "doors": doors, "runtime": self._runtime_changes.leave()}

    def _needed(self) -> list[str]:
        generation = self._machine.generation
        return upgrade.files(generation.config) if generation is not None else []

    def _stay(self) -> None:
        self._machine.access.stay()
        self._service.settled()

    def handle_usr2(self) -> None:
        """SIGUSR2: become the version on disk, in place, if it takes the running configuration."""
        self._upgrade.start("SIGUSR2")

    def handle_hup(self) -> None:
        """SIGHUP: read the configuration again; an error changes nothing and is logged."""
        self._reload.start("SIGHUP")

    def handle_term(self) -> None:
        """SIGTERM: stop accepting, finish what is in flight within `drain_timeout`; a second one cuts at once."""
        if self._asked_to_stop.is_set():
            logger.warning("second signal: cutting every connection")
            self._cut.set()
            self._machine.fleet.dismiss(0.0)
            self._machine.fleet.cut()
        self._asked_to_stop.set()

    def handle_int(self) -> None:
        """SIGINT (Ctrl-C): as SIGTERM."""
        self.handle_term()

    def handle_quit(self) -> None:
        """SIGQUIT (Ctrl-\\, and what images made for nginx stop with): as SIGTERM."""
        self.handle_term()

    def handle_usr1(self) -> None:
        """SIGUSR1: open the file of the access log anew, after it was moved away."""
        self._machine.access.reopen()

    async def _start(self) -> None:
        config = self._loaded.config
        owner = privileges.identity(config.global_.user, config.global_.group)
        privileges.keep_from_children()
        logger.info("lbd starts", version=__version__, generation=self._machine.first, kernels=_kernels(),
                    workers=worker_count(config), pid=os.getpid())
        limits.warn(worker_count(config), config.global_.max_connections)
        for warning in self._loaded.warnings:
            logger.warning("configuration", finding=str(warning))
        self._machine.state_dir = directories.state(config.global_.state_dir, owner)
        self._runtime_changes.restore(self._machine.state_dir, self._handover.runtime if self._handover else "")
        self._service.adopt(config)
        self._machine.inherit(config)
        staged = self._machine.bind(config)
        left = self._handover.doors if self._handover is not None else {}
        try:
            self._admin = bind_admin_server(config, self, owner, left.get("admin"))
            self._metrics = bind_metrics_server(config, self, owner, left.get("metrics"))
            if owner is not None:
                staged.give_to(*owner)
                privileges.drop(config.global_.user, *owner)
            self._machine.access.use(sink(config.log.access))
            self._machine.tracing.use(spans(config.tracing), ())
            for door in self._open_doors():
                await door.open()
            self._tasks.start("pings", self._ping())
            start = self._tasks.start("start", self._machine.start(config, staged))
            stop = self._tasks.start("signal while starting", self._asked_to_stop.wait())
            await asyncio.wait([start, stop], return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            if start.done():
                start.result()
            else:
                start.cancel()
                self._machine.sockets.discard(staged)
        except LbdError:
            self._machine.sockets.discard(staged)
            raise

    async def _stop(self) -> None:
        config = self._loaded.config.global_
        self._service.stopping(config.shutdown_delay + config.drain_timeout)
        if self._state == "ready" and config.shutdown_delay:
            self._state = "stopping"
            logger.info("stopping soon; /readyz says 503", seconds=config.shutdown_delay)
            await happens(self._cut, config.shutdown_delay)
        timeout = 0.0 if self._cut.is_set() else config.drain_timeout
        self._state = "stopping"
        logger.info("stopping: no new connections; requests in flight finish", at_most_seconds=timeout)
        await self._machine.stop(timeout)
        await self._close()
        logger.info("stopped")

    async def _close(self) -> None:
        self._machine.fleet.kill()
        for door in self._open_doors():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await door.close()
        if left := await self._tasks.cancel(FAREWELL):
            logger.warning("tasks did not end in time", tasks=left)
        self._orphans.close()
        self._runtime_changes.close()
        self._machine.access.close(LAST_LINES)
        self._machine.tracing.close(LAST_LINES)

    async def _apply(self, loaded: Loaded, force: bool) -> Generation:
        """Put a configuration in force, the metrics' door too; raises `LbdError`, and then nothing has changed."""
        elsewhere = loaded.config.log.access != self._loaded.config.log.access
        retraced = loaded.config.tracing != self._loaded.config.tracing
        other = loaded.config.metrics.bind != self._loaded.config.metrics.bind
        leaving = self._metrics.address.port if other and self._metrics is not None else 0
        shared = {leaving, *self._machine.sockets.ports()}
        async with contextlib.AsyncExitStack() as undo:
            if (access := await self._opening.run(sink, loaded.config.log.access) if elsewhere else None) is not None:
                undo.callback(access.close)
            if (traces := spans(loaded.config.tracing) if retraced else None) is not None:
                undo.callback(traces.close)
            if (door := bind_metrics_server(loaded.config, self, shared=shared) if other else None) is not None:
                undo.push_async_callback(door.close)
            self._service.reloading()
            try:
                generation = await self._machine.apply(loaded.config, force, leaving)
            finally:
                self._service.settled()
            undo.pop_all()
        if loaded.config.global_ != self._loaded.config.global_:
            limits.warn(worker_count(loaded.config), loaded.config.global_.max_connections)
        self._loaded = loaded
        self._set_up_log(loaded.config)
        if elsewhere:
            self._machine.access.use(access)
        if retraced:
            self._machine.tracing.use(traces, self._machine.fleet.processes())
        self._follow_files()
        if other:
            if door is not None:
                await door.open()
            if self._metrics is not None:
                await self._metrics.drain()
            self._metrics = door
        return generation

    def _open_doors(self) -> list[ApiServer]:
        return [door for door in (self._admin, self._metrics) if door is not None]

    def _take_over(self) -> None:
        """Workers of a dead supervisor on the same addresses leave, now that there are others."""
        bound = [address for found in self._machine.sockets.addresses().values() for address in found]
        left = holders.orphans({address.port for address in bound} - {0}, {address.path for address in bound} - {""})
        self._orphans.dismiss([*self._machine.left, *left])

    def _follow_files(self) -> None:
        """Watch the files, or no longer, as the configuration in force says."""
        self._renewal.follow()
        self._following.follow(self._loaded.config.global_.watch)

    def _files_changed(self) -> None:
        self._reload.start("a changed file", unasked=True)

    async def _ping(self) -> None:
        while True:
            self._machine.fleet.ping()
            if os.getpid() == 1:
                children.reap()
            self._reload.tick()
            self._service.tick()
            self._runtime_changes.tick()
            self._renewal.tick()
            self._trend.look(self._machine)
            for door in self._open_doors():
                if door.secure:
                    self._tasks.start("renewal of a door", door.renew())
            await asyncio.sleep(1.0)

    def _set_up_log(self, config: Config) -> None:
        log.set_up(config.log.level, self._form, self._output.write, self._events.note)

    def _log_ready(self) -> None:
        addresses = {name: [str(address) for address in found]
                     for name, found in self._machine.sockets.addresses().items()}
        logger.info("ready", listeners=addresses, admin=[str(self._admin.address)] if self._admin else [],
                    metrics=str(self._metrics.address) if self._metrics else None)


def _kernels() -> str:
    """How the kernels were built."""
    files = [str(getattr(module, "__file__", "")) for module in (head, scoreboard)]
    return "compiled" if all(file.endswith(".so") for file in files) else "not compiled"


def _task_failed(name: str, error: BaseException) -> None:
    if not isinstance(error, LbdError):   # whoever waits for the task is told of that
        logger.error("a task of the supervisor broke", task=name, exc_info=error)
