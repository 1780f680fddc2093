"""The time guard of an operator's own filter: counts and logs hooks that keep the worker for too long.

What a slow hook returns counts as ever: time that is spent cannot be had back.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from lbd.exchange.filter import Filter, FilterContext
from lbd.log.logger import logger
from lbd.stats import fields
from lbd.stats.scoreboard import now

SLOWEST = 0.01      # seconds that a hook may take
QUIET = 60.0        # seconds between two lines in the log about one filter

P = ParamSpec("P")
R = TypeVar("R")

HOOKS = ("on_request", "on_request_data", "on_response", "on_response_data", "on_end")


class TimeGuard:
    """Calls the hooks of one filter, and looks at the time that they took."""

    def __init__(self, name: str, context: FilterContext) -> None:
        self._name = name
        self._context = context
        self._quiet_until = 0.0

    def guard(self, hook: Callable[P, R]) -> Callable[P, R]:
        """The hook, with its time watched."""
        @functools.wraps(hook)
        def timed(*given: P.args, **named: P.kwargs) -> R:
            begun = now()
            try:
                return hook(*given, **named)
            finally:
                spent = now() - begun
                if spent > SLOWEST:
                    self._note(hook.__name__, spent)
        return timed

    def _note(self, hook: str, spent: float) -> None:
        self._context.worker.process.add(fields.PROCESS_FILTER_ERRORS, 1)
        moment = now()
        if moment >= self._quiet_until:
            self._quiet_until = moment + QUIET
            logger.warning("a filter is slow", filter=self._name, hook=hook, ms=round(spent * 1000, 1),
                           most_ms=SLOWEST * 1000, effect="all other requests of the worker waited")


def watch_time(name: str, it: Filter, context: FilterContext) -> None:
    """Guard each hook that the filter's class overrides; one of a class with `__slots__` has no place for guards."""
    if not hasattr(it, "__dict__"):
        return
    made = TimeGuard(name, context)
    for hook in HOOKS:
        if getattr(type(it), hook) is not getattr(Filter, hook):
            setattr(it, hook, made.guard(getattr(it, hook)))
