"""The reload: from what the files say now to the next generation, or to the reason why there is none."""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable
from typing import Any

from lbd.backend.generation import Generation
from lbd.config.plan import Plan, compare
from lbd.config.read import Loaded
from lbd.control.status import moment
from lbd.errors import ConfigError, LbdError
from lbd.log import logger
from lbd.net.tasks import Tasks

SHOWN = 50   # changes of a plan that are logged one by one

Load = Callable[..., Loaded]   # of the file given, else of those that lbd was started with
Apply = Callable[[Loaded, bool], Awaitable[Generation]]
Count = Callable[[Plan], Plan]


class Reload:
    """All reloads of one daemon, one at a time: those that are asked for during one are folded into one after it.

    `apply` puts a configuration in force or raises `LbdError`; `count` adds to a plan what it concerns now.
    """

    def __init__(self, load: Load, loaded: Loaded, tasks: Tasks, apply: Apply, count: Count) -> None:
        self.loaded = loaded
        self.files = loaded.files    # those to watch: of what is in force, and of what was refused since
        self.generation = 1          # number of what is in force
        self.attempted = 0.0         # Unix time of the last attempt
        self.last: dict[str, Any] = {"success": True, "time": moment(time.time()), "error": "", "plan": ""}
        self._load = load
        self._tasks = tasks
        self._apply = apply
        self._count = count
        self._lock = asyncio.Lock()
        self._waiting: dict[bool, asyncio.Task[dict[str, Any]]] = {}

    async def ask(self, force: bool) -> dict[str, Any]:
        """Read the configuration again and put it in force; returns `generation`, `changed` and `plan`.

        Raises `LbdError`, and then nothing has changed.
        """
        task = self._waiting.get(force)
        if task is None:
            task = self._waiting[force] = self._tasks.start("reload", self._next(force))
        return await asyncio.shield(task)

    def start(self, cause: str) -> None:
        """Begin a reload that nobody waits for; its outcome is logged and noted."""
        logger.debug("reload asked for", cause=cause)
        self._tasks.start(f"reload by {cause}", self._quietly())

    async def plan(self, file: str | None) -> dict[str, Any]:
        """What a reload would do with the file, or with the files as they are now; raises `ConfigError`."""
        loaded = await asyncio.to_thread(self._load, *([file] if file else []))
        plan = self._count(compare(self.loaded.config, loaded.config))
        return {"generation": self.generation, "warnings": [str(warning) for warning in loaded.warnings], **plan.data()}

    async def _quietly(self) -> None:
        try:
            await self.ask(False)
        except LbdError:
            return   # logged and noted

    async def _next(self, force: bool) -> dict[str, Any]:
        async with self._lock:
            del self._waiting[force]   # what is asked for from here on may find other files
            try:
                return await self._do(force)
            except LbdError as error:
                if isinstance(error, ConfigError):
                    self.files = tuple(dict.fromkeys((*self.loaded.files, *error.files)))
                self._note(str(error), "")
                for line in str(error).splitlines():
                    logger.error("reload refused; the old configuration serves on", reason=line)
                raise

    async def _do(self, force: bool) -> dict[str, Any]:
        loaded = await asyncio.to_thread(self._load)
        return await self._put(loaded, force)

    async def _put(self, loaded: Loaded, force: bool) -> dict[str, Any]:
        """Put what was loaded in force."""
        plan = self._count(compare(self.loaded.config, loaded.config))
        if dataclasses.replace(loaded.config, include=self.loaded.config.include) == self.loaded.config:
            self.loaded, self.files = loaded, loaded.files
            logger.debug("reload: nothing changed")
            self._note("", plan.summary())
            return {"generation": self.generation, "changed": False, "plan": plan.data()}
        for warning in loaded.warnings:
            logger.warning("configuration", finding=str(warning))
        began = time.monotonic()
        generation = await self._apply(loaded, force)
        self.loaded, self.files = loaded, loaded.files
        self.generation = generation.number
        for key in plan.restart:
            logger.warning("change takes effect only after a restart", key=key)
        for change in plan.changes[:SHOWN]:
            logger.info("change", change=str(change), requests=change.requests, connections=change.connections)
        logger.info("reloaded", generation=generation.number, plan=plan.summary(),
                    seconds=round(time.monotonic() - began, 3))
        self._note("", plan.summary())
        return {"generation": generation.number, "changed": True, "plan": plan.data()}

    def _note(self, error: str, plan: str) -> None:
        self.attempted = time.time()
        self.last = {"success": not error, "time": moment(self.attempted), "error": error, "plan": plan}
