"""The check `tcp`: a connection can be opened."""

import asyncio
from dataclasses import dataclass
from typing import Any

from lbd.errors import shortage
from lbd.health.check import Result, Subject, words
from lbd.health.dial import dial


@dataclass(frozen=True, slots=True)
class TcpOptions:
    """The options of the check, which has no keys of its own."""


async def check(subject: Subject, options: TcpOptions, timeout: float) -> Result:
    """Connect within `timeout` seconds and close again."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    transport: Any   # uvloop's inherits nothing of asyncio's
    try:
        async with asyncio.timeout(timeout):
            transport, _ = await dial(asyncio.Protocol, subject.reached)
    except (OSError, TimeoutError) as error:
        if shortage(error):
            raise
        return Result(False, f"connect: {words(error)}", loop.time() - started)
    seconds = loop.time() - started
    if subject.greeting:
        transport.write(subject.greeting)
        transport.close()
    else:
        transport.abort()   # no lingering TIME_WAIT for a connection that carried nothing
    return Result(True, "connected", seconds)
