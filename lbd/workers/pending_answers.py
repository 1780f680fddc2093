"""The answers that are awaited from a worker, in the order of the requests."""

import asyncio
from typing import Any

from lbd.errors import LbdError
from lbd.workers.messages import Message


class PendingAnswers:
    """Waiters for messages of certain kinds; each message goes to the first waiter for its kind."""

    def __init__(self) -> None:
        self._waiters: list[tuple[tuple[type, ...], asyncio.Future[Any]]] = []

    def expect(self, kinds: tuple[type, ...]) -> asyncio.Future[Any]:
        """A future of the next message of these kinds that no earlier waiter gets."""
        future = asyncio.get_running_loop().create_future()
        self._waiters.append((kinds, future))
        return future

    def forget(self, future: asyncio.Future[Any]) -> None:
        """Leave the message to the next waiter."""
        self._waiters = [waiter for waiter in self._waiters if waiter[1] is not future]

    def deliver(self, message: Message) -> bool:
        """Give a message to its waiter, which may have gone meanwhile; False when it answers nothing."""
        for waiter in self._waiters:
            kinds, future = waiter
            if isinstance(message, kinds):
                self._waiters.remove(waiter)
                if not future.done():
                    future.set_result(message)
                return True
        return False

    def fail(self, reason: str) -> None:
        """Raise `LbdError` in all waiters."""
        for _, future in self._waiters:
            if not future.done():
                future.set_exception(LbdError(reason))
        self._waiters.clear()
