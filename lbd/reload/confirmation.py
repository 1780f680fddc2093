"""The confirmation of a generation within a time, and its trial until then ("commit confirmed" of routers)."""

import asyncio
import dataclasses

from lbd.errors import LbdError
from lbd.log.logger import logger
from lbd.reload.trial import Sample, Sampler, Trial, Window


class Confirmation:
    """At most one trial at a time, begun and ended by `Reload`, which also notes in `refused_reload` that a reload was
    refused meanwhile."""

    def __init__(self, sampler: Sampler) -> None:
        self.trial: Trial | None = None
        self.refused_reload = False
        self._sampler = sampler
        self._window = Window()

    @property
    def seconds_left(self) -> float | None:
        """The time in which the generation can still be confirmed; None without a trial."""
        return None if self.trial is None else round(self.trial.until - asyncio.get_running_loop().time(), 1)

    def require_no_trial(self) -> None:
        """Raise `LbdError` while a generation waits to be confirmed."""
        if self.trial is not None:
            raise LbdError(f"generation {self.trial.generation} waits to be confirmed: "
                           "lbd confirm or lbd rollback first")

    def sample(self) -> Sample:
        """The figures of now."""
        return self._sampler.sample()

    def begin_trial(self, generation: int, seconds: float, before: Sample) -> None:
        """Wait so long for the confirmation of a generation; `before` are the figures before it was in force."""
        # Only servers that are in force now can be lost by the change.
        begin = dataclasses.replace(before, usable=self.sample().usable)
        self.trial = Trial(generation, asyncio.get_running_loop().time() + seconds, begin, self._window.share(begin))
        logger.info("generation waits to be confirmed", generation=generation, within_seconds=seconds)

    def end_trial(self) -> Trial | None:
        """End the trial, if there is one, and return it for `resume_trial`."""
        trial, self.trial = self.trial, None
        return trial

    def resume_trial(self, trial: Trial | None) -> None:
        """Go on with a trial: the rollback failed."""
        self.trial = trial

    def measure(self) -> str:
        """Take a sample; returns the reason to roll back now (the trial goes wrong, or its time is over), else "".
        Called once a second."""
        now = self.sample()
        self._window.add(now)
        if self.trial is None:
            return ""
        reason = self.trial.trouble(now)
        if not reason and asyncio.get_running_loop().time() >= self.trial.until:
            reason = "not confirmed in time"
        return reason
