"""The choice of one of a name's addresses for a server: kept while it works, else the next one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lbd.schema.units import Address

MOST = 8            # addresses of a name that are tried, the first of them: each has a row of the scoreboard
FIRST = 1.0         # seconds for which an address that failed is not tried again: doubled each time, up to LAST
LAST = 16.0
SOUND = 60.0        # seconds without a failure after which those before are forgotten


@dataclass(slots=True)
class AddressFailure:
    """The failures of an address in a row: how many, when the last one was, and until when it is not to be tried."""

    count: int = 0
    at: float = 0.0
    until: float = 0.0


@dataclass(slots=True)
class AddressChoice:
    """The address of a server that is configured with a name. `address` is as configured; `current` the one in use,
    which is literal once there was any."""

    address: Address
    current: Address | None = None
    failures: dict[str, AddressFailure] = field(default_factory=dict)

    def choose_among(self, listed: Sequence[str], now: float) -> Address:
        """The address in use at `now`, seconds: the one before if it is still listed, else the first that did not fail
        lately."""
        if self.current is None or self.current.host not in listed:
            self.failures = {host: failure for host, failure in self.failures.items()
                             if host in listed and now < failure.at + SOUND}
            self.current = replace(self.address, host=next(
                (host for host in listed if host not in self.failures), listed[0]))
        return self.current

    def mark_failed(self, listed: Sequence[str], now: float) -> bool:
        """Note that the address in use failed at `now`, seconds; True where another one takes its place. While all of
        them fail it stays, for longer from time to time."""
        if self.current is None:
            return False
        host = self.current.host
        failure = self.failures.setdefault(host, AddressFailure())
        if now >= failure.until:
            failure.count = failure.count + 1 if now < failure.at + SOUND else 1
            failure.at = now
            failure.until = now + min(FIRST * 2 ** (failure.count - 1), LAST)
        tried = listed[:MOST]
        place = tried.index(host) + 1 if host in tried else 0
        for other in (*tried[place:], *tried[:place]):
            if other != host and now >= self.failures.get(other, AddressFailure()).until:
                self.current = replace(self.address, host=other)
                return True
        return False
