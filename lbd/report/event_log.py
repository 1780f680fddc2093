"""The event log: the last events of the daemon's own log, for `GET /v1/events`."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from typing import Any

KEPT = 1000       # events


class EventLog:
    """A ring of numbered events, the newest last; numbers begin at 1 and are never used again in this daemon."""

    def __init__(self) -> None:
        self._ring: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._number = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()

    def note(self, event: Mapping[str, Any]) -> None:
        """Keep an event; thread-safe, for any fields that a log line may have."""
        self._number += 1
        self._ring.append({"number": self._number, **json.loads(json.dumps(event, default=str))})
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    def since(self, number: int) -> dict[str, Any]:
        """The events after this number, and `last`, the number for the next call. A number from before a restart,
        greater than any present one, returns all events."""
        if number > self._number:
            number = 0
        found = [event for event in list(self._ring) if event["number"] > number]
        return {"events": found, "last": found[-1]["number"] if found else number}

    async def wait(self, number: int, seconds: float) -> dict[str, Any]:
        """Like `since`, but waits up to that many seconds for the first event."""
        self._loop = asyncio.get_running_loop()
        found = self.since(number)
        try:
            async with asyncio.timeout(seconds):
                while not found["events"]:
                    self._news.clear()
                    await self._news.wait()
                    found = self.since(number)
        except TimeoutError:
            pass
        return found
