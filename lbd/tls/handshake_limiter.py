"""The limiter of TLS handshakes: so many begin per turn of the loop, so that requests on other connections go on."""

import asyncio
from collections import deque
from typing import Protocol


class WaitingHandshake(Protocol):
    """A connection whose handshake has to wait."""

    def begin_handshake(self) -> None: ...


class HandshakeLimiter:
    """The limiter of one worker. A handshake costs as much as dozens of requests, and hundreds of clients may come at
    once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int = 8) -> None:
        self._loop = loop
        self._most = most
        self._used = 0
        self._waiting: deque[WaitingHandshake] = deque()

    def admit(self, handshake: WaitingHandshake) -> bool:
        """Whether the handshake may begin at once; else its `begin_handshake` is called when it may."""
        if self._used == self._most or self._waiting:
            self._waiting.append(handshake)
            return False
        if not self._used:
            self._loop.call_soon(self._renew)
        self._used += 1
        return True

    def _renew(self) -> None:
        if not self._waiting:
            self._used = 0
            return
        self._used = min(self._most, len(self._waiting))
        for _ in range(self._used):
            self._loop.call_soon(self._waiting.popleft().begin_handshake)
        self._loop.call_soon(self._renew)
