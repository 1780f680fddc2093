"""What was refused, as the log tells it: whoever makes thousands of bad requests must not fill the disk with it."""

import time
from collections.abc import Callable
from typing import Any

from lbd.log.logger import logger

LINES = 100     # in one period
PERIOD = 10.0   # seconds


class RefusalLog:
    """Logs up to `LINES` of them in each period, and then how many there were besides."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._said = 0

    def log_refusal(self, event: str, **facts: Any) -> None:
        """One more."""
        now = self._clock()
        if now - self._began >= PERIOD:
            if self._said > LINES:
                logger.warning("more admin requests were refused", count=self._said - LINES,
                               seconds=round(now - self._began, 1))
            self._began, self._said = now, 0
        self._said += 1
        if self._said <= LINES:
            logger.warning(event, **facts)
