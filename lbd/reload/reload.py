"""The reload: from the present files to the next generation, or to the reason why there is none."""

import asyncio
import time
from typing import Any, Protocol

from lbd.backend.snapshot import Generation
from lbd.config.plan import Plan, compare
from lbd.config.reader import Loaded
from lbd.errors import ConfigError, LbdError
from lbd.log.logger import logger
from lbd.net.tasks import Tasks
from lbd.reload.config_source import ConfigSource
from lbd.reload.confirmation import Confirmation
from lbd.reload.generation_archive import GenerationArchive
from lbd.reload.history import History
from lbd.reload.reload_record import ReloadRecord
from lbd.reload.trial import Sampler, Trial
from lbd.schema import Config

RETRY = 10.0    # seconds until the next try, when a rollback that was due failed

Request = tuple[bool, float]   # force, and seconds within which the new generation has to be confirmed (0.0: not)


class Applier(Protocol):
    """The way down from a configuration to the workers: `Coordinator`."""

    async def apply_config(self, file_config: Config, force: bool = False) -> Generation:
        """Put a configuration in force; raises `LbdError`, and then nothing has changed."""


class PlanImpact(Protocol):
    """The figures beside a plan: `Impact`."""

    def add_impact(self, plan: Plan) -> Plan:
        """The plan with the requests and connections that it concerns now."""


class Reload:
    """All reloads and rollbacks of one daemon, one at a time: reloads that are asked for during one are folded into one
    after it. `generation` is the number of the generation in force."""

    def __init__(self, source: ConfigSource, tasks: Tasks, coordinator: Applier, impact: PlanImpact,
                 sampler: Sampler) -> None:
        self.generation = 1
        self.source = source
        self.record = ReloadRecord()
        self.confirmation = Confirmation(sampler)
        self.archive = GenerationArchive()
        self._tasks = tasks
        self._coordinator = coordinator
        self._impact = impact
        self._lock = asyncio.Lock()
        self._requests: dict[Request, asyncio.Task[dict[str, Any]]] = {}
        self._put_by_watch = False   # the generation in force was put there because a file changed

    def start_history(self, history: History, generation: int) -> None:
        """The first generation of this life, of that number, is in force: keep it for a rollback."""
        self.archive.open(history)
        self.generation = generation
        self._tasks.start("keeping the first generation", self._keep_first(self.source.loaded.config))

    async def reload(self, force: bool = False, confirm: float = 0.0) -> dict[str, Any]:
        """Read the configuration again and put it in force; returns `generation`, `changed`, `plan` and `refused`.

        With `confirm`, lbd rolls back by itself unless `confirm()` comes within so many seconds. Raises `LbdError`, and
        then nothing has changed.
        """
        if confirm:
            self.archive.require_rollback()
        answer = await self._fold((force, confirm))
        if answer["changed"] or not confirm or self.confirmation.trial is not None:
            return answer
        if not self._put_by_watch:
            raise LbdError("nothing changed, so there is nothing to confirm")
        # The watch over the files was faster than this request.
        self.confirmation.begin_trial(self.generation, confirm, self.confirmation.sample())
        return answer

    def start_reload(self, cause: str, by_watch: bool = False) -> None:
        """Begin a reload that nobody waits for; its outcome is logged and noted. `by_watch`: a file changed."""
        logger.debug("reload begins", cause=cause)
        self._tasks.start(f"reload by {cause}", self._reload_unattended(by_watch))

    async def plan(self, file: str | None) -> dict[str, Any]:
        """Describe the changes of a reload with the file, or with the files as they are now; raises `LbdError`."""
        loaded = await self.source.read_planned(file)
        plan = self._impact.add_impact(compare(self.source.loaded.config, loaded.config))
        return {"generation": self.generation, "warnings": [str(warning) for warning in loaded.warnings], **plan.data()}

    def confirm(self) -> dict[str, Any]:
        """Keep the generation that waits for it; raises `LbdError` when none does."""
        trial = self.confirmation.end_trial()
        if trial is None:
            raise LbdError("no generation waits to be confirmed")
        logger.info("generation confirmed", generation=trial.generation)
        self._put_by_watch = False
        if self.confirmation.refused_reload:
            self.confirmation.refused_reload = False
            self.start_reload("changes during the trial")
        return {"generation": self.generation}

    async def rollback(self, reason: str = "asked for") -> dict[str, Any]:
        """Put the generation before the one in force back; raises `LbdError`, and then nothing has changed."""
        async with self._lock:
            trial = self.confirmation.end_trial()
            try:
                answer = await self._put_back(reason)
            except LbdError:
                self.confirmation.resume_trial(trial)
                raise
            self.confirmation.refused_reload = False
            return answer

    def tick(self) -> None:
        """Roll back when a trial went wrong or was not confirmed in time; called once a second."""
        reason = self.confirmation.measure()
        if reason and (trial := self.confirmation.end_trial()) is not None:
            self._tasks.start("rollback", self._rollback_trial(trial, reason))

    def describe(self) -> dict[str, Any]:
        """Describe the last attempt for the status, and how many seconds a trial still has."""
        return {**self.record.last, "confirm_within_seconds": self.confirmation.seconds_left}

    async def _rollback_trial(self, trial: Trial, reason: str) -> None:
        try:
            await self.rollback(reason)
        except LbdError as error:
            logger.error("no way back from a generation that was not confirmed; it is tried again",
                         generation=trial.generation, reason=str(error), seconds=RETRY)
            await asyncio.sleep(RETRY)
            if self.generation == trial.generation:
                self.confirmation.resume_trial(trial)

    async def _put_back(self, reason: str) -> dict[str, Any]:
        loaded = await self.source.read_earlier(await self.archive.previous())
        logger.warning("going back to the generation before", reason=reason)
        answer = await self._apply(loaded, True)
        await self.archive.step_back()
        self.record.note_rollback(reason)
        return answer

    async def _fold(self, request: Request) -> dict[str, Any]:
        """Join the reload of that kind that has not begun yet, else ask for one."""
        task = self._requests.get(request)
        if task is None:
            task = self._requests[request] = self._tasks.start("reload", self._reload_next(request))
        return await asyncio.shield(task)

    async def _reload_unattended(self, by_watch: bool) -> None:
        try:
            answer = await self._fold((False, 0.0))
        except LbdError:
            return   # logged and noted
        if answer["changed"]:
            self._put_by_watch = by_watch

    async def _reload_next(self, request: Request) -> dict[str, Any]:
        async with self._lock:
            del self._requests[request]   # a request from here on may find other files
            try:
                return await self._reload_files(*request)
            except LbdError as error:
                if isinstance(error, ConfigError):
                    self.source.watch_refused(error)
                self.record.note_refused(str(error))
                raise

    async def _reload_files(self, force: bool, confirm: float) -> dict[str, Any]:
        loaded = await self.source.read_files()
        if not self.source.is_in_force(loaded):
            self.confirmation.refused_reload |= self.confirmation.trial is not None
            self.confirmation.require_no_trial()
        before = self.confirmation.sample()
        answer = await self._apply(loaded, force)
        if answer["changed"]:
            await self.archive.keep(loaded.config)
            if confirm:
                self.confirmation.begin_trial(self.generation, confirm, before)
        return answer

    async def _apply(self, loaded: Loaded, force: bool) -> dict[str, Any]:
        for problem in loaded.refused:
            logger.error("included file refused; its last good version stays", finding=str(problem))
        plan = self._impact.add_impact(compare(self.source.loaded.config, loaded.config))
        changed = not self.source.is_in_force(loaded)
        if changed:
            for warning in loaded.warnings:
                logger.warning("configuration", finding=str(warning))
            began = time.monotonic()
            self.generation = (await self._coordinator.apply_config(loaded.config, force)).number
            self._put_by_watch = False
            self.record.note_applied(self.generation, plan, time.monotonic() - began)
        else:
            self.record.note_unchanged(self.generation, plan)
        self.source.accept(loaded)
        return {"generation": self.generation, "changed": changed, "plan": plan.data(), "refused": self.source.refused}

    async def _keep_first(self, config: Config) -> None:
        async with self._lock:      # the next reload must not find the disk at work
            await self.archive.keep(config)
