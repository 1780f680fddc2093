"""The resolver: host names looked up again as answers run out, the last good answer kept, servers moved along.

No name waits for another, and nothing waits for a name longer than `PATIENCE`: a later answer is put in force then.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from lbd.backend.snapshot import Endpoint
from lbd.backend.state import Identity
from lbd.discovery.address_choice import AddressChoice
from lbd.discovery.lookup import LookupAnswer, Lookups
from lbd.health.schedule import Judgement
from lbd.log.logger import logger
from lbd.net.tasks import Tasks
from lbd.schema.units import Address

PATIENCE = 2.0  # seconds that a start or a reload waits for names that are new
SHORTEST = 1.0  # seconds at least between two look-ups of a name, unless `resolve` is shorter
HEARD = 0.1     # seconds until a server that is down moves: workers hear first that it is down, and may have to cut

Lookup = Callable[[str], Awaitable[LookupAnswer]]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class HostName:
    """A host name: its addresses as they are to be used, and why the last look-up brought none.

    `first` is set when there was an answer, or nothing waits for one any more; `wait` are the seconds until the next
    look-up, `failures` those that failed in a row.
    """

    interval: float
    began: float = 0.0
    order: tuple[str, ...] = ()
    reason: str = "not looked up yet"
    wait: float = 0.0
    failures: int = 0
    first: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Resolver:
    """All names, and the address that each server uses of its name. `changed` is called with a name that has other
    addresses than before, or one of whose servers moved to another address."""

    def __init__(self, tasks: Tasks, changed: Callable[[str], None], lookup: Lookup | None = None,
                 sleep: Sleep = asyncio.sleep) -> None:
        self._tasks = tasks
        self._changed = changed
        self._lookup = lookup or Lookups(tasks)
        self._sleep = sleep
        self._hosts: dict[str, HostName] = {}
        self._choices: dict[tuple[str, str], dict[Address, AddressChoice]] = {}   # of a server, as it is configured
        self.counts: Counter[str] = Counter(answered=0, failed=0)      # look-ups by result

    async def follow_names(self, names: Mapping[str, float]) -> None:
        """Follow exactly these names, each looked up at least every so many seconds; returns when each was looked up
        once, or for `PATIENCE` seconds in vain."""
        loop = asyncio.get_running_loop()
        for name in [name for name in self._hosts if name not in names]:
            gone = self._hosts.pop(name)
            gone.first.set()
            if gone.task is not None:
                gone.task.cancel()
        for name, interval in names.items():
            if name in self._hosts:
                self._hosts[name].interval = interval
            else:
                host = self._hosts[name] = HostName(interval, loop.time())
                host.task = self._tasks.start(f"look up {name}", self._follow(name, host))
        waiting = [host for host in self._hosts.values() if not host.first.is_set()]
        late = [loop.call_at(host.began + PATIENCE, host.first.set) for host in waiting]
        try:
            await asyncio.gather(*(host.first.wait() for host in waiting))
        finally:
            for handle in late:
                handle.cancel()

    def sorted_addresses_of(self, name: str) -> tuple[str, ...]:
        """Every address of the last good answer, sorted."""
        return tuple(sorted(self.addresses_of(name)))

    def addresses_of(self, name: str) -> tuple[str, ...]:
        """Every address of the last good answer, the one to use first in front."""
        return self._hosts[name].order if name in self._hosts else ()

    def failure_of(self, name: str) -> str:
        """The reason why the last look-up brought nothing, else ""."""
        return self._hosts[name].reason if name in self._hosts else "unknown name"

    @property
    def unresolved(self) -> int:
        """Names whose last look-up brought nothing."""
        return sum(bool(host.reason) for host in self._hosts.values())

    def locate(self, backend: str, server: str, address: Address) -> Address:
        """The address of a server that is configured with a name: one of the name's, kept as long as DNS lists it and
        it does not fail; as configured while there never was any."""
        listed = self.addresses_of(address.host)
        if not listed:
            return address
        choice = self._choices.setdefault((backend, server), {}).setdefault(address, AddressChoice(address))
        return choice.choose_among(listed, asyncio.get_running_loop().time())

    def on_server_down(self, key: Identity, _judgement: Judgement) -> None:
        """Move a server that checks find down, again it may be, to the next address of its name soon."""
        if key[:2] in self._choices:
            asyncio.get_running_loop().call_later(HEARD, self.on_connect_failure, key)

    def on_connect_failure(self, key: Identity) -> None:
        """Move a server that was not reached at this address to the next one of its name, if it is still there and
        there is another."""
        now = asyncio.get_running_loop().time()
        for choice in self._choices.get(key[:2], {}).values():
            before = str(choice.current)
            if before == key[2] and choice.mark_failed(self.addresses_of(choice.address.host), now):
                logger.warning("server not reached: next address of its name", backend=key[0], server=key[1],
                               name=choice.address.host, before=before, now=str(choice.current))
                self._changed(choice.address.host)

    def forget_others(self, servers: Mapping[tuple[str, str], Endpoint]) -> None:
        """Forget the addresses of all servers but these, by backend and name, and of these as they were configured
        before."""
        self._choices = {
            server: kept for server, choices in self._choices.items() if (endpoint := servers.get(server)) is not None
            and (kept := {address: choice for address, choice in choices.items()
                          if replace(endpoint.address, host=endpoint.host) == address})}

    async def _follow(self, name: str, host: HostName) -> None:
        while True:
            before = host.order
            await self._look_up(name, host)
            awaited = not host.first.is_set()
            host.first.set()
            if not awaited and set(before) != set(host.order):
                logger.info("addresses of a name changed", name=name, before=sorted(before), now=sorted(host.order))
                self._changed(name)
            await self._sleep(host.wait)

    async def _look_up(self, name: str, host: HostName) -> None:
        try:
            answer = await self._lookup(name)
            if not answer.addresses:
                raise OSError("DNS lists no address")
        except Exception as error:  # a look-up that breaks must not leave its name unwatched
            reason = "no answer in time" if isinstance(error, TimeoutError) else (
                getattr(error, "strerror", "") or str(error) or repr(error))
            if host.reason != reason:
                logger.warning("name not resolved", name=name, reason=reason, kept=list(host.order))
            host.reason = reason
            host.wait = min(host.interval, SHORTEST * 2 ** min(host.failures, 16))
            host.failures += 1
            self.counts["failed"] += 1
            return
        if host.order and host.reason:
            logger.info("name resolved again", name=name)
        self.counts["answered"] += 1
        host.reason, host.failures = "", 0
        host.wait = host.interval if answer.ttl is None else min(host.interval, max(SHORTEST, answer.ttl))
        # Of a family whose servers are silent nothing is known: it has not lost its addresses.
        host.order = answer.addresses + tuple(
            address for address in host.order
            if (6 if ":" in address else 4) in answer.silent and address not in answer.addresses)
