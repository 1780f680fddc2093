"""The reload: from what the files say now to the next generation, or to the reason why there is none."""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable
from typing import Any

from lbd.backend.snapshot import Generation
from lbd.config.plan import Plan, compare
from lbd.config.read import Loaded
from lbd.errors import ConfigError, LbdError
from lbd.generation.history import History
from lbd.generation.trial import Sample, Trial, Window
from lbd.log.logger import logger
from lbd.log.moment import moment
from lbd.net.offload import Offload
from lbd.net.tasks import Tasks
from lbd.schema import Config

KEEPING = 5.0   # seconds that the disk may take
AGAIN = 10.0    # seconds until the next try, when the way back that was due failed
SHOWN = 50   # changes of a plan that are logged and shown one by one

Load = Callable[..., Loaded]   # of the file given, else of lbd's own, with the documents in force as second argument
Apply = Callable[[Loaded, bool], Awaitable[Generation]]
Count = Callable[[Plan], Plan]
Wish = tuple[bool, float]      # force, and seconds within which the new generation has to be confirmed (0.0: not)


class Reload:
    """All reloads of one daemon, one at a time: those that are asked for during one are folded into one after it.

    `apply` puts a configuration in force or raises `LbdError`; `count` adds to a plan what it concerns now; `look`
    takes the figures by which a generation that waits to be confirmed is judged.
    """

    def __init__(self, load: Load, loaded: Loaded, tasks: Tasks, apply: Apply, count: Count,
                 look: Callable[[], Sample]) -> None:
        self.loaded = loaded
        self.files = loaded.files    # those to watch: of what is in force, and of what was refused since
        self.generation = 1          # number of what is in force
        self.attempted = 0.0         # Unix time of the last attempt
        self.counts = {"applied": 0, "unchanged": 0, "refused": 0}
        self.change: dict[str, Any] | None = None    # what made the generation in force, if it was not the start
        self.last: dict[str, Any] = {"success": True, "time": moment(time.time()), "error": "", "plan": ""}
        self.trial: Trial | None = None
        self.history: History | None = None
        self._load = load
        self._tasks = tasks
        self._apply = apply
        self._count = count
        self._look = look
        self._window = Window()
        self._reading = Offload("reading the configuration")
        self._planning = Offload("reading the planned configuration")   # which may be anywhere: no reload waits for it
        self._keeping = Offload("keeping the generation for a rollback", KEEPING, 1)
        self._lock = asyncio.Lock()
        self._waiting: dict[Wish, asyncio.Task[dict[str, Any]]] = {}
        self._unasked = False        # what is in force was put there because a file changed
        self._missed = False         # a reload was refused because of the trial

    def began(self, history: History, generation: int) -> None:
        """The first generation of this life, of that number, is in force."""
        self.history = history
        self.generation = generation
        self._tasks.start("keeping the first generation", self._keep_first(history, self.loaded.config))

    async def ask(self, force: bool = False, confirm: float = 0.0) -> dict[str, Any]:
        """Read the configuration again and put it in force; returns `generation`, `changed`, `plan` and `refused`.

        With `confirm`, lbd goes back by itself unless `confirm()` comes within so many seconds. Raises `LbdError`, and
        then nothing has changed.
        """
        if confirm and self.history is not None:
            self.history.possible()
        answer = await self._shared((force, confirm))
        if answer["changed"] or not confirm or self.trial is not None:
            return answer
        if not self._unasked:
            raise LbdError("nothing changed, so there is nothing to confirm")
        # The watch over the files was faster than whoever asks now.
        self._begin_trial(confirm, self._look())
        return answer

    def start(self, cause: str, unasked: bool = False) -> None:
        """Begin a reload that nobody waits for; its outcome is logged and noted. `unasked`: a file changed."""
        logger.debug("reload begins", cause=cause)
        self._tasks.start(f"reload by {cause}", self._quietly(unasked))

    def again(self) -> None:
        """Raise `LbdError` where what is in force cannot be read again."""
        if self.loaded.once:
            raise LbdError(self.loaded.once)

    async def plan(self, file: str | None) -> dict[str, Any]:
        """What a reload would do with the file, or with the files as they are now; raises `LbdError`."""
        if not file:
            self.again()
        loaded = await self._planning.run(self._load, *([file] if file else [None, self.loaded.documents]))
        plan = self._count(compare(self.loaded.config, loaded.config))
        return {"generation": self.generation, "warnings": [str(warning) for warning in loaded.warnings], **plan.data()}

    def confirm(self) -> dict[str, Any]:
        """Keep the generation that waits for it; raises `LbdError` when none does."""
        if self.trial is None:
            raise LbdError("no generation waits to be confirmed")
        logger.info("generation confirmed", generation=self.trial.generation)
        self.trial = None
        self._unasked = False
        if self._missed:
            self._missed = False
            self.start("changes during the trial")
        return {"generation": self.generation}

    async def rollback(self, reason: str = "asked for") -> dict[str, Any]:
        """Put the generation before the one in force back; raises `LbdError`, and then nothing has changed."""
        async with self._lock:
            trial, self.trial = self.trial, None
            try:
                answer = await self._go_back(reason)
            except LbdError:
                self.trial = trial
                raise
            self._missed = False
            return answer

    def tick(self) -> None:
        """To be called once a second: measures, and ends a trial that went wrong or was not confirmed."""
        now = self._look()
        self._window.add(now)
        if self.trial is None:
            return
        reason = self.trial.trouble(now)
        if not reason and asyncio.get_running_loop().time() >= self.trial.until:
            reason = "not confirmed in time"
        if reason:
            trial, self.trial = self.trial, None
            self._tasks.start("rollback", self._end_trial(trial, reason))

    @property
    def refused(self) -> list[str]:
        """What is wrong in included files whose last good version stands in for them."""
        return [str(problem) for problem in self.loaded.refused]

    def describe(self) -> dict[str, Any]:
        """For the status: the last attempt, and how many seconds a trial still has."""
        left = None if self.trial is None else round(self.trial.until - asyncio.get_running_loop().time(), 1)
        return {**self.last, "confirm_within_seconds": left}

    def _begin_trial(self, seconds: float, begin: Sample) -> None:
        self.trial = Trial(self.generation, asyncio.get_running_loop().time() + seconds, begin,
                           self._window.share(begin))
        logger.info("generation waits to be confirmed", generation=self.generation, within_seconds=seconds)

    async def _end_trial(self, trial: Trial, reason: str) -> None:
        try:
            await self.rollback(reason)
        except LbdError as error:
            logger.error("no way back from a generation that was not confirmed; it is tried again",
                         generation=trial.generation, reason=str(error), seconds=AGAIN)
            await asyncio.sleep(AGAIN)
            if self.generation == trial.generation:
                self.trial = trial

    async def _go_back(self, reason: str) -> dict[str, Any]:
        if self.history is None:
            raise LbdError("lbd is still starting; try again in a moment")
        before = await self._keeping.run(self.history.previous)
        loaded = dataclasses.replace(await self._reading.run(self._load, before), files=self.files,
                                     once=self.loaded.once)
        logger.warning("going back to the generation before", reason=reason)
        answer = await self._put(loaded, True, back=True)
        await self._keep(self.history.step_back)
        self.last["error"] = f"rolled back ({reason}); the files say something else"
        return answer

    async def _shared(self, wish: Wish) -> dict[str, Any]:
        task = self._waiting.get(wish)
        if task is None:
            task = self._waiting[wish] = self._tasks.start("reload", self._next(wish))
        return await asyncio.shield(task)

    async def _quietly(self, unasked: bool) -> None:
        try:
            answer = await self._shared((False, 0.0))
        except LbdError:
            return   # logged and noted
        if answer["changed"]:
            self._unasked = unasked

    async def _next(self, wish: Wish) -> dict[str, Any]:
        async with self._lock:
            del self._waiting[wish]   # what is asked for from here on may find other files
            try:
                return await self._do(*wish)
            except LbdError as error:
                if isinstance(error, ConfigError):
                    self.files = tuple(dict.fromkeys((*self.loaded.files, *error.files)))
                self._note("refused", str(error))
                for line in str(error).splitlines():
                    logger.error("reload refused; the old configuration serves on", reason=line)
                raise

    async def _do(self, force: bool, confirm: float) -> dict[str, Any]:
        self.again()
        loaded = await self._reading.run(self._load, None, self.loaded.documents)
        if self.trial is not None and not self._same(loaded):
            self._missed = True
            raise LbdError(f"generation {self.trial.generation} waits to be confirmed: "
                           "lbd confirm or lbd rollback first")
        begin = self._look()
        answer = await self._put(loaded, force)
        if answer["changed"] and confirm:
            now = self._look()   # of what changed, only servers that are in force now can be lost
            self._begin_trial(confirm, dataclasses.replace(begin, usable=now.usable))
        return answer

    def _same(self, loaded: Loaded) -> bool:
        """Whether it says what is in force; what is included counts, not how."""
        return dataclasses.replace(loaded.config, include=self.loaded.config.include) == self.loaded.config

    async def _put(self, loaded: Loaded, force: bool, back: bool = False) -> dict[str, Any]:
        """Put what was loaded in force."""
        for problem in loaded.refused:
            logger.error("included file refused; its last good version stays", finding=str(problem))
        plan = self._count(compare(self.loaded.config, loaded.config))
        if self._same(loaded):
            self.loaded, self.files = loaded, loaded.files
            logger.info("nothing to reload: the files say what is in force", generation=self.generation)
            self._note("unchanged", plan=plan.summary())
            return {"generation": self.generation, "changed": False, "plan": plan.data(),
                    "refused": self.refused}
        for warning in loaded.warnings:
            logger.warning("configuration", finding=str(warning))
        began = time.monotonic()
        generation = await self._apply(loaded, force)
        self.loaded, self.files = loaded, loaded.files
        self.generation = generation.number
        self._unasked = False
        self._tell(plan, time.monotonic() - began)
        self._note("applied", plan=plan.summary())
        self.change = {"generation": self.generation, "time": self.last["time"], "plan": plan.summary(),
                       "changes": [str(change) for change in plan.changes[:SHOWN]],
                       "more": max(0, len(plan.changes) - SHOWN)}
        if self.history is not None and not back:
            await self._keep(self.history.keep, loaded.config)
        return {"generation": generation.number, "changed": True, "plan": plan.data(),
                "refused": self.refused}

    async def _keep_first(self, history: History, config: Config) -> None:
        async with self._lock:      # the next one must not find the disk at work
            await self._keep(history.keep, config)

    async def _keep(self, work: Callable[..., None], *args: Any) -> None:
        """Write to the history; what does not come of it costs the way back, nothing else."""
        try:
            await self._keeping.run(work, *args)
        except (LbdError, OSError) as error:
            logger.warning("generation not kept for a rollback", reason=str(error))

    def _tell(self, plan: Plan, seconds: float) -> None:
        for key in plan.restart:
            logger.warning("change takes effect only after a restart", key=key)
        for change in plan.changes[:SHOWN]:
            concerned = {"requests": change.requests, "connections": change.connections}
            logger.info("change", change=str(change), **{key: n for key, n in concerned.items() if n is not None})
        logger.info("reloaded", generation=self.generation, plan=plan.summary(), seconds=round(seconds, 3))

    def _note(self, result: str, error: str = "", plan: str = "") -> None:
        self.counts[result] += 1
        self.attempted = time.time()
        self.last = {"success": not error, "time": moment(self.attempted), "error": error, "plan": plan}
