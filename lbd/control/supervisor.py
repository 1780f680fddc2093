"""The supervisor: everything that is not a request, from the first configuration to the last worker's end."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

from lbd import __version__, log
from lbd.backend.generation import Generation
from lbd.config.read import Loaded
from lbd.config.schema import Config, Global
from lbd.control import directories, doors, privileges, signals, status, view
from lbd.control.doors import Door
from lbd.control.machine import Machine, worker_count
from lbd.errors import ConfigError, LbdError
from lbd.health.schedule import wait
from lbd.http import head
from lbd.log import logger
from lbd.net.tasks import Tasks
from lbd.stats import exporter, scoreboard

Load = Callable[[], Loaded]

# What a reload cannot change, as (key, how to read it).
_FIXED: tuple[tuple[str, Callable[[Config], Any]], ...] = (
    ("admin", lambda config: config.admin),
    ("global.state_dir", lambda config: config.global_.state_dir),
    ("global.user", lambda config: config.global_.user),
    ("global.group", lambda config: config.global_.group),
)


class Supervisor:
    """The control process. `load` reads the configuration anew; `loaded` is what it gave at the start."""

    def __init__(self, load: Load, loaded: Loaded) -> None:
        self._load = load
        self._loaded = loaded
        self._form = log.form_for(loaded.config.log.format, 2)
        self._set_up_log(loaded.config)
        self._tasks = Tasks(_task_failed)
        self._machine = Machine(self._tasks, self._form, self._line)
        self._doors: list[Door] = []
        self._metrics: Door | None = None
        self._began = time.time()
        self._state = "starting"
        self._asked_to_stop = asyncio.Event()
        self._cut = asyncio.Event()
        self._last_attempt = 0.0
        self._last_reload: dict[str, Any] = {"success": True, "time": status.moment(self._began), "error": ""}
        self._reloading = asyncio.Lock()

    async def run(self) -> int:
        """Serve until told to stop; returns the exit code."""
        signals.install(asyncio.get_running_loop(), self)
        try:
            await self._start()
        except LbdError as error:
            logger.error("not started", reason=str(error))
            await self._close()
            return 1
        if not self._asked_to_stop.is_set():
            self._state = "ready"
            self._log_ready()
        await self._asked_to_stop.wait()
        await self._stop()
        return 0

    @property
    def ready(self) -> str:
        """Why lbd should get no traffic now, "" when it should."""
        return "" if self._state == "ready" else self._state

    def status(self) -> dict[str, Any]:
        """Everything that is now."""
        return {
            "version": __version__,
            "pid": os.getpid(),
            "state": self._state,
            "started": status.moment(self._began),
            "uptime_seconds": round(time.time() - self._began, 3),
            "files": list(self._loaded.files),
            "last_reload": self._last_reload,
            **status.describe(self._machine),
        }

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """The exposition for Prometheus."""
        seen = view.look(self._machine, not self._last_reload["error"], self._last_attempt, _kernels())
        return exporter.exposition(seen, self._machine.board, accept)

    async def reload(self, force: bool) -> dict[str, Any]:
        """Read the configuration again and put it in force."""
        async with self._reloading:
            try:
                generation = await self._reload(force)
            except LbdError as error:
                self._note_reload(str(error))
                for line in str(error).splitlines():
                    logger.error("reload refused; the old configuration serves on", reason=line)
                raise
            self._note_reload("")
            number = self._machine.generation.number if self._machine.generation else 0
            return {"generation": number, "changed": generation is not None}

    def handle_hup(self) -> None:
        """SIGHUP: read the configuration again; an error changes nothing and is logged."""
        self._tasks.start("reload by SIGHUP", self._reload_quietly())

    def handle_term(self) -> None:
        """SIGTERM: stop accepting, finish what is in flight within `drain_timeout`; a second one cuts at once."""
        if self._asked_to_stop.is_set():
            logger.warning("second signal: cutting every connection")
            self._cut.set()
            self._machine.fleet.cut()
        self._asked_to_stop.set()

    def handle_int(self) -> None:
        """SIGINT (Ctrl-C): as SIGTERM."""
        self.handle_term()

    async def _start(self) -> None:
        config = self._loaded.config
        owner = privileges.identity(config.global_.user, config.global_.group)
        logger.info("lbd starts", version=__version__, generation=1, kernels=_kernels(), workers=worker_count(config),
                    pid=os.getpid())
        for warning in self._loaded.warnings:
            logger.warning("configuration", finding=str(warning))
        self._machine.state_dir = directories.private(
            config.global_.state_dir, "global.state_dir", Global().state_dir, "XDG_STATE_HOME")
        if owner is not None:
            os.chown(self._machine.state_dir, *owner)
        staged = self._machine.bind(config)
        try:
            self._doors.append(doors.admin(config, self, owner))
            self._metrics = doors.metrics(config, self)
            if owner is not None:
                staged.give_to(*owner)
                privileges.drop(config.global_.user, *owner)
            for door in [*self._doors, *([self._metrics] if self._metrics else [])]:
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
        if self._state == "ready" and config.shutdown_delay:
            self._state = "stopping"
            logger.info("stopping soon; /readyz says 503", seconds=config.shutdown_delay)
            await wait(self._cut, config.shutdown_delay)
        timeout = 0.0 if self._cut.is_set() else config.drain_timeout
        self._state = "stopping"
        logger.info("stopping: no new connections; requests in flight finish", at_most_seconds=timeout)
        await self._machine.stop(timeout)
        await self._close()
        logger.info("stopped")

    async def _close(self) -> None:
        self._machine.fleet.kill()
        for door in [*self._doors, *([self._metrics] if self._metrics else [])]:
            await door.close()
        await self._tasks.cancel()

    async def _reload(self, force: bool) -> Generation | None:
        """The new generation; None when nothing changed."""
        loaded = await asyncio.to_thread(self._load)
        old = self._loaded.config
        if loaded.config == old:
            self._loaded = loaded
            logger.info("reload: nothing changed")
            return None
        for warning in loaded.warnings:
            logger.warning("configuration", finding=str(warning))
        for key, read in _FIXED:
            if read(loaded.config) != read(old):
                logger.warning("change takes effect only after a restart", key=key)
        other = loaded.config.metrics.bind != old.metrics.bind
        door = doors.metrics(loaded.config, self) if other else None
        try:
            generation = await self._machine.apply(loaded.config, force)
        except LbdError:
            if door is not None:
                await door.close()
            raise
        self._loaded = loaded
        self._set_up_log(loaded.config)
        if other:
            if door is not None:
                await door.open()
            if self._metrics is not None:
                await self._metrics.close()
            self._metrics = door
        logger.info("reloaded", generation=generation.number)
        return generation

    async def _reload_quietly(self) -> None:
        try:
            await self.reload(False)
        except (LbdError, ConfigError):
            return   # logged and noted

    def _note_reload(self, error: str) -> None:
        self._last_attempt = time.time()
        self._last_reload = {"success": not error, "time": status.moment(self._last_attempt), "error": error}

    async def _ping(self) -> None:
        while True:
            self._machine.fleet.ping()
            await asyncio.sleep(1.0)

    def _line(self, text: str) -> None:
        log.write_stderr(text + "\n")

    def _set_up_log(self, config: Config) -> None:
        log.set_up(config.log.level, self._form, log.write_stderr)

    def _log_ready(self) -> None:
        addresses = {name: [str(address) for address in found]
                     for name, found in self._machine.sockets.addresses().items()}
        logger.info("ready", listeners=addresses, admin=[str(door.address) for door in self._doors],
                    metrics=str(self._metrics.address) if self._metrics else None)


def _kernels() -> str:
    """How the kernels were built."""
    files = [str(getattr(module, "__file__", "")) for module in (head, scoreboard)]
    return "compiled" if all(file.endswith(".so") for file in files) else "not compiled"


def _task_failed(name: str, error: BaseException) -> None:
    if not isinstance(error, LbdError):   # whoever waits for the task is told of that
        logger.error("a task of the supervisor broke", task=name, exc_info=error)
