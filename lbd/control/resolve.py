"""Host names of servers: looked up off the loop at start and again and again, the last good answer kept."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from lbd.log import logger
from lbd.net.tasks import Tasks

TIMEOUT = 5.0   # seconds for one look-up
MOST = 256      # addresses of one name that are used

Lookup = Callable[[str], Awaitable[list[str]]]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class Host:
    """What is known of one name: every address that DNS listed last, the one in use, and why there is none."""

    interval: float
    listed: tuple[str, ...] = ()
    current: str = ""
    reason: str = "not looked up yet"
    first: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


async def lookup(name: str) -> list[str]:
    """The addresses of a name in the system's order of preference; raises `OSError`."""
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Resolver:
    """All names. `changed` is called with a name whose addresses are others than before."""

    def __init__(self, tasks: Tasks, changed: Callable[[str], None], lookup: Lookup = lookup,
                 sleep: Sleep = asyncio.sleep) -> None:
        self._tasks = tasks
        self._changed = changed
        self._lookup = lookup
        self._sleep = sleep
        self._hosts: dict[str, Host] = {}

    async def set(self, names: Mapping[str, float]) -> None:
        """Follow exactly these names, each looked up every so many seconds; returns when each was looked up once."""
        for name in [name for name in self._hosts if name not in names]:
            gone = self._hosts.pop(name)
            gone.first.set()
            if gone.task is not None:
                gone.task.cancel()
        for name, interval in names.items():
            if name in self._hosts:
                self._hosts[name].interval = interval
            else:
                host = self._hosts[name] = Host(interval)
                host.task = self._tasks.start(f"look up {name}", self._follow(name, host))
        await asyncio.gather(*(host.first.wait() for host in self._hosts.values()))

    def listed(self, name: str) -> tuple[str, ...]:
        """Every address of the last good answer, sorted."""
        return self._hosts[name].listed if name in self._hosts else ()

    def current(self, name: str) -> str:
        """The one address in use, "" if there was never any: kept as long as DNS lists it."""
        return self._hosts[name].current if name in self._hosts else ""

    def reason(self, name: str) -> str:
        """Why the last look-up brought nothing, else ""."""
        return self._hosts[name].reason if name in self._hosts else "unknown name"

    async def _follow(self, name: str, host: Host) -> None:
        while True:
            before = host.listed, host.current
            await self._update(name, host)
            known = host.first.is_set()
            host.first.set()
            if known and before != (host.listed, host.current):
                logger.info("addresses of a name changed", name=name, before=list(before[0]), now=list(host.listed))
                self._changed(name)
            await self._sleep(host.interval)

    async def _update(self, name: str, host: Host) -> None:
        try:
            async with asyncio.timeout(TIMEOUT):
                found = list(dict.fromkeys(await self._lookup(name)))[:MOST]
        except (OSError, TimeoutError, UnicodeError) as error:
            reason = "no answer in time" if isinstance(error, TimeoutError) else getattr(error, "strerror", "") or str(
                error)
            if host.reason != reason:
                logger.warning("name not resolved", name=name, reason=reason, kept=list(host.listed))
            host.reason = reason
            return
        if not found:
            host.reason = "DNS lists no address"
            return
        host.reason = ""
        host.listed = tuple(sorted(found))
        if host.current not in host.listed:
            host.current = found[0]
