"""The check `tcp`: a connection can be opened."""

import asyncio
import contextlib
from dataclasses import dataclass

from lbd.config.units import Address
from lbd.health.check import Result, words


@dataclass(frozen=True, slots=True)
class Options:
    """It has no keys of its own."""


async def check(address: Address, options: Options, timeout: float) -> Result:
    """Connect within `timeout` seconds and close again."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        async with asyncio.timeout(timeout):
            if address.path:
                _, writer = await asyncio.open_unix_connection(address.path)
            else:
                _, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError) as error:
        return Result(False, f"connect: {words(error)}", loop.time() - started)
    seconds = loop.time() - started
    with contextlib.suppress(OSError):
        writer.transport.abort()   # no lingering TIME_WAIT for a connection that carried nothing
    return Result(True, "connected", seconds)
