"""The data plane of one worker: what its control side may ask of it."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any

from lbd.backend.generation import Generation, Member
from lbd.stats.scoreboard import Board


class Plane:
    """All listeners, clients and server connections of one worker, at one generation.

    `net` opens and accepts connections (`lbd.net.sock.Poller`, or `lbd.net.loop.LoopNet`); `lane` is this process's
    lane of the scoreboard; `suspect` is called with (backend, server) when a connect to a server failed.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, net: Any, board: Board, lane: int,
                 suspect: Callable[[str, str], None]) -> None: ...

    def prepare(self, generation: Generation) -> None:
        """Build everything that the generation needs, and change nothing yet; raises `LbdError` with the reason."""

    def commit(self) -> None:
        """Put the prepared generation in force by swapping one reference."""

    def discard(self) -> None:
        """Forget the prepared generation."""

    def listen(self, listener: str, sock: socket.socket) -> None:
        """Accept connections for the listener from a bound, listening socket; the plane owns this descriptor now."""

    def unlisten(self, listener: str) -> None:
        """Stop accepting for the listener and close this process's descriptors of its sockets."""

    def update(self, members: Sequence[Member]) -> None:
        """Servers of the generation in force changed mode, health or address."""

    def drain(self, timeout: float, done: Callable[[], None]) -> None:
        """Stop accepting; let clients finish within `timeout` seconds, then cut what is left; then call `done`."""

    def cut(self) -> None:
        """Cut every connection now (second signal); `done` of a running drain is called."""
