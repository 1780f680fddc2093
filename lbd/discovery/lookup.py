"""A look-up: the addresses of one host name, from /etc/hosts, else from DNS, in the order in which to use them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from lbd.discovery.dns_records import DnsRecords, Unanswered
from lbd.discovery.name_files import NameFiles, NameSources, search_names
from lbd.discovery.preference import preferred
from lbd.net.tasks import Tasks

LIMIT = 5.0         # seconds for one look-up, whatever servers do
GRACE = 0.5         # seconds that addresses of one family wait for those of the other
PACE = 0.001        # seconds between the beginnings of two look-ups: a burst would be lost on its way
MOST = 256          # addresses of one name that are used

LOCALHOST = ("::1", "127.0.0.1")        # RFC 6761 6.3: never asked of DNS


@dataclass(frozen=True, slots=True)
class LookupAnswer:
    """Addresses in order of preference, seconds for which they hold (None: unknown), and the families, 4 and 6,
    of which there was no answer."""

    addresses: tuple[str, ...]
    ttl: float | None = None
    silent: frozenset[int] = frozenset()


class Lookups:
    """Look-ups of names, each for itself: a name whose servers are silent keeps no other waiting. Nothing waits for a
    thread, and a look-up that is cancelled has ended."""

    def __init__(self, tasks: Tasks, files: NameFiles | None = None,
                 order: Callable[[Iterable[str]], list[str]] = preferred) -> None:
        self._tasks = tasks
        self._files = files or NameFiles()
        self._order = order
        self._query: Callable[[str, str, NameSources], Awaitable[DnsRecords]] | None = None
        self._next = 0.0        # when the next may begin, of the loop's clock

    async def __call__(self, name: str) -> LookupAnswer:
        """The addresses of a name, at most `MOST`. Raises `OSError` in words, `TimeoutError` after `LIMIT` seconds."""
        async with asyncio.timeout(LIMIT):
            known = await self._files.read()
            if name in known.hosts:
                return LookupAnswer(self._sorted(known.hosts[name]))
            if name == "localhost" or name.endswith(".localhost"):
                return LookupAnswer(self._sorted(LOCALHOST))
            now = asyncio.get_running_loop().time()
            begin = self._next = max(now, self._next + PACE)
            await asyncio.sleep(begin - now)
            return await self._search(name, known)

    async def _search(self, name: str, known: NameSources) -> LookupAnswer:
        exists, failure = False, None
        for candidate in search_names(name, known):
            if len(candidate) > 253:
                continue
            try:
                answer = await self._both(candidate, known)
            except Unanswered as error:     # of this name only, it may be: a suffix without servers
                failure = error
                continue
            if answer.addresses:
                return answer
            exists = exists or answer.ttl is None
        if failure is not None:
            raise failure
        raise OSError("DNS lists no address" if exists else "no such name")

    async def _both(self, name: str, known: NameSources) -> LookupAnswer:
        """The addresses of both families, looked up at once. Without any, `ttl` is 0 where there is no such name."""
        queries = [self._tasks.start(f"look up {name} {kind}", self._records(name, kind, known))
                 for kind in known.families]
        try:
            done, pending = await asyncio.wait(queries, return_when=asyncio.FIRST_COMPLETED)
            if pending:
                enough = any(isinstance(found := task.result(), DnsRecords) and (found.addresses or not found.exists)
                             for task in done)
                await asyncio.wait(pending, timeout=GRACE if enough else None)
        finally:
            for task in queries:
                task.cancel()
        results = {kind: task.result() for kind, task in zip(known.families, queries, strict=True)
                if task.done() and not task.cancelled()}
        answers = [records for records in results.values() if isinstance(records, DnsRecords)]
        addresses = self._sorted(address for records in answers for address in records.addresses)
        silent = frozenset(4 if kind == "A" else 6 for kind in known.families
                           if not isinstance(results.get(kind), DnsRecords))
        if addresses:
            ttl = min(records.ttl for records in answers if records.addresses)
            return LookupAnswer(addresses, ttl, silent)
        for failed in results.values():
            if isinstance(failed, Unanswered):
                raise failed
        return LookupAnswer((), None if any(records.exists for records in answers) else 0.0)

    async def _records(self, name: str, kind: str, known: NameSources) -> DnsRecords | Unanswered:
        if self._query is None:
            from lbd.discovery.queries import Queries  # late: dnspython, which a daemon without host names needs not
            self._query = Queries(self._tasks).query
        try:
            return await self._query(name, kind, known)
        except Unanswered as error:
            return error

    def _sorted(self, addresses: Iterable[str]) -> tuple[str, ...]:
        return tuple(self._order(dict.fromkeys(addresses))[:MOST])
