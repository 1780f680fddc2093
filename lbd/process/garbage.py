"""The garbage collection of a worker: requests make no cycles, so it waits for quiet moments."""

import asyncio
import gc
import time

TICK = 5.0        # seconds between two looks
QUIET = 0.25      # share of a processor below which a tick counts as quiet
FULL = 12         # quiet ticks between two full collections
PATIENCE = 120    # ticks without a quiet one after which a young collection happens all the same
PILE = 4          # generations after which objects are frozen even without a quiet tick


class Garbage:
    """Switches automatic collection off and collects by itself: a full collection of 10 000 clients takes 6 ms, for
    which no request should wait."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._spent = time.process_time()
        self._quiet = 0
        self._busy = 0
        self._froze = False
        self._unfrozen = PILE - 1       # generations since the last freeze; the first one is frozen at once
        gc.disable()
        loop.call_later(TICK, self._tick)

    def note_generation(self) -> None:
        """Note that another generation is in force. Its objects are frozen at the next quiet tick: that takes tens of
        milliseconds, for which requests under way at a reload would wait."""
        self._unfrozen += 1
        if self._unfrozen >= PILE:
            self.freeze()

    def freeze(self) -> None:
        """Exempt all present objects from collections: they live until the next reload. Those before them are collected
        first."""
        self._unfrozen = 0
        if self._froze:     # else what is frozen is what this process was forked with, and shares with others
            gc.unfreeze()
        self._froze = True
        gc.collect()
        gc.freeze()

    def _tick(self) -> None:
        spent = time.process_time()
        self.judge((spent - self._spent) / TICK)
        self._spent = spent
        self._loop.call_later(TICK, self._tick)

    def judge(self, share: float) -> int | None:
        """Collect if it is time, the process having used this share of a processor; returns the generation that was
        collected."""
        if share < QUIET:
            self._busy = 0
            if self._unfrozen:
                self.freeze()
                return 2
            self._quiet += 1
            generation = 2 if self._quiet % FULL == 0 else 1
        else:
            self._busy += 1
            if self._busy % PATIENCE:
                return None
            generation = 0
        gc.collect(generation)
        return generation
