"""Blocking work off the loop: each call in a thread of its own, with a limit of time."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from lbd.errors import LbdError

LONGEST = 30.0   # seconds: a configuration of thousands of routes, or as many certificates, on a busy host
MOST = 4         # calls of one kind at once

T = TypeVar("T")


class Offload:
    """Calls of one kind; `what` names it in errors ("reading the configuration").

    A call that hangs, as on a disk that does not answer, is given up after `seconds` and keeps its thread, which ends
    with the call or with the process. While `most` threads hang, further calls are refused at once.
    """

    def __init__(self, what: str, seconds: float = LONGEST, most: int = MOST) -> None:
        self._what = what
        self._seconds = seconds
        self._most = most
        self._running: set[threading.Thread] = set()

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work(*args)` in a thread; `LbdError` when it takes too long or others hang already."""
        if self.busy >= self._most:
            raise LbdError(f"{self._what} hangs since an earlier time: a disk does not answer")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        thread = threading.Thread(target=self._call, args=(loop, done, work, args), name=self._what, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            raise LbdError(f"{self._what}: no more threads may be started") from None
        self._running.add(thread)
        try:
            async with asyncio.timeout(self._seconds):
                return await done
        except TimeoutError:
            if done.cancelled():
                raise LbdError(f"{self._what} takes longer than {self._seconds:g} s: a disk does not answer") from None
            return done.result()        # the TimeoutError is the work's own, or came in the same turn as the result

    @property
    def busy(self) -> int:
        """Calls that have not returned."""
        return len(self._running)

    def finish(self, seconds: float) -> None:
        """Wait for the calls that have not returned, for so long at most, blocking."""
        end = time.monotonic() + seconds
        for thread in self._running:
            thread.join(max(0.0, end - time.monotonic()))

    def _call(self, loop: asyncio.AbstractEventLoop, done: "asyncio.Future[T]", work: Callable[..., T],
              args: tuple[Any, ...]) -> None:
        """Run the work in the thread, and hand its outcome to the loop, if that still runs."""
        thread = threading.current_thread()
        with contextlib.suppress(RuntimeError):
            try:
                outcome = work(*args)
            except BaseException as error:
                loop.call_soon_threadsafe(self._returned, thread, done, error, None)
            else:
                loop.call_soon_threadsafe(self._returned, thread, done, None, outcome)

    def _returned(self, thread: threading.Thread, done: "asyncio.Future[T]", error: BaseException | None,
                  outcome: Any) -> None:
        self._running.discard(thread)
        if done.done():        # without a waiter any more
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(outcome)
