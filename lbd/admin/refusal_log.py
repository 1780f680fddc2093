"""The log of refused requests, limited in rate so that a flood of bad requests cannot fill the disk."""

import time
from collections.abc import Callable
from typing import Any

from lbd.log.logger import logger

LINES = 100     # in one period
PERIOD = 10.0   # seconds


class RefusalLog:
    """Logs up to `LINES` refusals in each period, and after it the number of the others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._said = 0

    def log_refusal(self, event: str, **facts: Any) -> None:
        """Log one refusal, or only count it above the limit."""
        now = self._clock()
        if now - self._began >= PERIOD:
            if self._said > LINES:
                logger.warning("more admin requests were refused", count=self._said - LINES,
                               seconds=round(now - self._began, 1))
            self._began, self._said = now, 0
        self._said += 1
        if self._said <= LINES:
            logger.warning(event, **facts)
