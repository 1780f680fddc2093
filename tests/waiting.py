"""Waiting of asynchronous tests for what no event tells them."""

import asyncio
from collections.abc import Callable

LIMIT = 20.0    # seconds
PAUSE = 0.002


async def until(condition: Callable[[], object], limit: float = LIMIT, pause: float = PAUSE) -> None:
    """Turn the loop until the condition is true, looking at it every `pause` seconds (0: every turn).

    Raises `TimeoutError` after `limit` seconds.
    """
    async with asyncio.timeout(limit):
        while not condition():
            await asyncio.sleep(pause)


async def turn(times: int = 1) -> None:
    """Let the loop go round: tasks run that may, and what is due by then has happened."""
    for _ in range(times):
        await asyncio.sleep(0)
