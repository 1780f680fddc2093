"""The record of reloads: how many there were, how the last one ended, and what made the generation in force."""

import time
from typing import Any

from lbd.config.plan import Plan
from lbd.log.logger import logger
from lbd.log.moment import moment

SHOWN = 50   # changes of a plan that are logged and shown one by one


class ReloadRecord:
    """Written by `Reload`, read by reports. `change` is None as long as the first generation is in force."""

    def __init__(self) -> None:
        self.attempted = 0.0         # Unix time of the last attempt
        self.counts = {"applied": 0, "unchanged": 0, "refused": 0}
        self.change: dict[str, Any] | None = None
        self.last: dict[str, Any] = {"success": True, "time": moment(time.time()), "error": "", "plan": ""}

    def note_refused(self, error: str) -> None:
        """Note and log that a reload was refused."""
        self._note("refused", error=error)
        for line in error.splitlines():
            logger.error("reload refused; the old configuration serves on", reason=line)

    def note_unchanged(self, generation: int, plan: Plan) -> None:
        """Note and log that a reload changed nothing."""
        logger.info("nothing to reload: the files say what is in force", generation=generation)
        self._note("unchanged", plan=plan.summary())

    def note_applied(self, generation: int, plan: Plan, seconds: float) -> None:
        """Note and log that a reload put a generation in force, which took so many seconds."""
        _log_plan(plan)
        logger.info("reloaded", generation=generation, plan=plan.summary(), seconds=round(seconds, 3))
        self._note("applied", plan=plan.summary())
        self.change = {"generation": generation, "time": self.last["time"], "plan": plan.summary(),
                       "changes": [str(change) for change in plan.changes[:SHOWN]],
                       "more": max(0, len(plan.changes) - SHOWN)}

    def note_rollback(self, reason: str) -> None:
        """Note that the last reload was a rollback."""
        self.last["error"] = f"rolled back ({reason}); the files say something else"

    def _note(self, result: str, error: str = "", plan: str = "") -> None:
        self.counts[result] += 1
        self.attempted = time.time()
        self.last = {"success": not error, "time": moment(self.attempted), "error": error, "plan": plan}


def _log_plan(plan: Plan) -> None:
    for key in plan.restart:
        logger.warning("change takes effect only after a restart", key=key)
    for change in plan.changes[:SHOWN]:
        impact = {"requests": change.requests, "connections": change.connections}
        logger.info("change", change=str(change), **{key: count for key, count in impact.items() if count is not None})
