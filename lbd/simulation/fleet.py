"""The fleet: the servers of a simulated run, from the words of an option, from a configuration, or from a log."""

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from lbd import schema
from lbd.backend.snapshot import Endpoint
from lbd.errors import UsageError
from lbd.schema import units as u
from lbd.schema.units import Address
from lbd.wording import listed, nearest, shown

NAME = "simulated"      # of a backend that no configuration names
SECONDS = 0.01          # mean time of a server of which nothing is known
MOST = 5000             # servers
NAMED = 8               # servers that a sentence names

_KIND = u.duration(0.00001, 600.0)
_FORM = re.compile(r"(?:(?P<name>[^=]+)=)?(?P<time>[0-9.]+[A-Za-z]+?)(?:x(?P<weight>[0-9]+))?")


@dataclass(frozen=True, slots=True)
class SimulatedFleet:
    """`settings` are those of the backend, `seconds` the mean service time of each server by its name.

    `detect` and `recover`: seconds until checks notice that a server is gone, or back; None without checks.
    """

    name: str
    settings: schema.BackendConfig
    seconds: Mapping[str, float]
    slots: int
    detect: float | None
    recover: float | None

    @property
    def endpoints(self) -> list[Endpoint]:
        """The servers as the workers get them, each with a row of the scoreboard; names count as resolved."""
        return [Endpoint(self.name, name, server.address if server.address.literal else Address("127.0.0.1", slot + 1),
                         slot, server.weight, server.backup, server.mode, max_conns=server.max_conns or 0)
                for slot, (name, server) in enumerate(self.settings.servers.items())]

    @property
    def capacity(self) -> float:
        """Requests per second that the servers in use can answer together; infinite without slots."""
        used = [server for server in self.endpoints if server.mode == "ready" and server.weight]
        used = [server for server in used if not server.backup] or used
        return sum(self.slots / self.seconds[server.name] for server in used) if self.slots else float("inf")

    @property
    def fair(self) -> str:
        """Weights that fit the speeds of the servers, in words; "" where theirs do, or where there are many."""
        slowest = max(self.seconds.values())
        fitting = {name: min(round(slowest / seconds), 1000) for name, seconds in self.seconds.items()}
        shares = {name: self.settings.servers[name].weight / fit for name, fit in fitting.items()}
        if len(shares) > NAMED or max(shares.values()) < 1.5 * min(shares.values()):
            return ""
        return ", ".join(f"{name} {fit}" for name, fit in fitting.items())

    @property
    def weighted(self) -> bool:
        """Servers differ in weight."""
        return len({server.weight for server in self.settings.servers.values()}) > 1


@dataclass(frozen=True, slots=True)
class ServerTiming:
    """An entry of `--servers`, with optional name and weight."""

    name: str | None
    seconds: float
    weight: int | None


def parse(text: str) -> list[ServerTiming]:
    """Read `5ms,5ms,40ms`, `a=5ms,b=40msx2`; raises `UsageError`."""
    timings = []
    words = text.split(",")
    if len(words) > MOST:
        raise UsageError(f"--servers: {len(words)} are too many; at most {MOST}")
    for word in words:
        found = _FORM.fullmatch(word.strip())
        if not found:
            raise UsageError(f"--servers: {shown(word.strip())} is not TIME, TIMExWEIGHT or NAME=TIME, "
                             "like 5ms, 40msx2 or a=5ms")
        try:
            name = u.NAME.parse(found["name"]) if found["name"] else None
            weight = u.integer(0, 1000).parse(int(found["weight"])) if found["weight"] else None
            timings.append(ServerTiming(name, _KIND.parse(found["time"]), weight))
        except ValueError as error:
            raise UsageError(f"--servers: {shown(word.strip())} {error}; must be {_KIND.allowed}, "
                             "a weight from 0 to 1000") from None
    return timings


def label(place: int) -> str:
    """a, b … z, aa, ab …"""
    letters = string.ascii_lowercase
    return (label(place // 26 - 1) if place >= 26 else "") + letters[place % 26]


def from_words(timings: Sequence[ServerTiming], slots: int) -> SimulatedFleet:
    """A fleet of servers of these times, with the default checks; servers without a name are a, b, c …"""
    servers: dict[str, schema.ServerConfig] = {}
    seconds: dict[str, float] = {}
    for place, timing in enumerate(timings):
        name = timing.name or label(place)
        if name in servers:
            raise UsageError(f"--servers: {shown(name)} is there twice")
        weight = 1 if timing.weight is None else timing.weight
        servers[name] = schema.ServerConfig(Address("127.0.0.1", 10_000 + place), weight)
        seconds[name] = timing.seconds
    policy = schema.HealthPolicy()
    return SimulatedFleet(NAME, schema.BackendConfig(servers=servers), seconds, slots, *noticed(policy))


def from_config(config: schema.Config, backend: str | None, timings: Sequence[ServerTiming],
                measured: Mapping[str, float], slots: int) -> SimulatedFleet:
    """A backend of the configuration, with the times of the option, else those `measured` in a log.

    Raises `UsageError` for a backend or a server that is not there.
    """
    if not config.backends:
        raise UsageError("the configuration has no backend: give --servers instead")
    if backend is None:
        if len(config.backends) > 1:
            raise UsageError(f"--backend: which one? There are {listed(config.backends, 'and')}")
        backend = next(iter(config.backends))
    if backend not in config.backends:
        raise UsageError(f"--backend: {shown(backend)} is no backend of the configuration; must be "
                         f"{listed(config.backends)}{nearest(backend, config.backends)}")
    settings = config.backends[backend]
    servers = dict(settings.servers)
    if not servers:
        raise UsageError(f"--backend: {shown(backend)} has no servers: give --servers instead")
    given = _by_name(timings, list(servers), backend)
    for name, timing in given.items():
        if timing.weight is not None:
            servers[name] = replace(servers[name], weight=timing.weight)
    usual = fmean(measured.values()) if measured else SECONDS
    seconds = {name: given[name].seconds if name in given else measured.get(name, usual) for name in servers}
    health = config.health.get(settings.health) if isinstance(settings.health, str) else settings.health
    return SimulatedFleet(backend, replace(settings, servers=servers), seconds, slots, *noticed(health))


def from_log(measured: Mapping[str, float], slots: int) -> SimulatedFleet:
    """The servers that a log names, with the mean times found there."""
    if len(measured) > MOST:
        raise UsageError(f"--log: it names {len(measured)} servers, which are too many; at most {MOST}")
    return from_words([ServerTiming(name, max(seconds, 0.00001), None) for name, seconds in measured.items()], slots)


def noticed(policy: schema.HealthPolicy | None) -> tuple[float | None, float | None]:
    """Seconds until checks take a server down, and until they bring it back."""
    if policy is None:
        return None, None
    faster = policy.interval if policy.fast_interval is None else policy.fast_interval
    slower = policy.interval if policy.down_interval is None else policy.down_interval
    return (policy.interval + (policy.fall - 1) * faster + policy.timeout, slower + (policy.rise - 1) * faster)


def _by_name(timings: Sequence[ServerTiming], names: Sequence[str], backend: str) -> dict[str, ServerTiming]:
    """Timings without a name stand for the servers in the order of the file."""
    if any(timing.name is None for timing in timings):
        if len(timings) != len(names) or any(timing.name for timing in timings):
            raise UsageError(f"--servers: without names, one time for each of the {len(names)} servers of {backend} is "
                             f"needed; or write {names[0]}=5ms")
        return dict(zip(names, timings, strict=True))
    found: dict[str, ServerTiming] = {}
    for timing in timings:
        name = timing.name or ""
        if name not in names:
            raise UsageError(f"--servers: {shown(name)} is no server of {backend}; must be "
                             f"{listed(names)}{nearest(name, names)}")
        found[name] = timing
    return found
