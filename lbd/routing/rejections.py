"""The log lines of connections that a listener rejects before any request, with a limit on their number."""

import time
from collections.abc import Callable

from lbd.log.logger import logger
from lbd.stats.endings import ENDINGS

LINES = 10       # of each ending within a second: a flood of bad connections must not fill the disk
PERIOD = 1.0     # seconds


class Rejections:
    """The log lines of one listener in this process: up to `LINES` of each ending in each period, and one line with the
    number of all others."""

    __slots__ = ("_clock", "_listener", "_periods")

    def __init__(self, listener: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._listener = listener
        self._clock = clock
        self._periods: dict[int, tuple[float, int]] = {}    # by ending: its beginning, and how many there were

    def log_rejection(self, client: bytes, ending: int, reason: str = "") -> None:
        """Log that a connection of the client was rejected; without a reason the text of the ending is logged."""
        now = self._clock()
        began, count = self._periods.get(ending, (now, 0))
        if count and now - began >= PERIOD:
            self._sum_up(ending)
            began, count = now, 0
        self._periods[ending] = began, count + 1
        if count < LINES:
            logger.info("connection refused", listener=self._listener, client=client.decode("ascii", "replace") or None,
                        ending=ENDINGS[ending].name, reason=reason or ENDINGS[ending].text)

    def tick(self) -> None:
        """Sum up the lines left out of periods that are over; to be called about once a second."""
        if not self._periods:
            return
        now = self._clock()
        for ending, (began, _) in list(self._periods.items()):
            if now - began >= PERIOD:
                self._sum_up(ending)

    def _sum_up(self, ending: int) -> None:
        _, count = self._periods.pop(ending)
        if count > LINES:
            logger.info("more connections refused", listener=self._listener, ending=ENDINGS[ending].name,
                        count=count - LINES)
