"""The registry: the servers that registered themselves, and how long each of them stays."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import tomli_w

from lbd.config.runtime import SavedRegistration, write
from lbd.net.ip_addresses import unmapped
from lbd.schema import Config, Registration, ServerConfig
from lbd.schema.units import Address

MOST = 20_000   # registered servers of all backends

Name = tuple[str, str]   # backend and server


@dataclass(slots=True)
class Entry:
    """One registered server. `heard` is when it was last heard of, `leaving` since when it drains (0.0: it stays), both
    of the loop's clock; `save` is the number of the save that keeps it (`Store`)."""

    kept: SavedRegistration
    heard: float
    leaving: float = 0.0
    save: int = 0
    server: ServerConfig = field(init=False)
    text: str = field(init=False)   # as it is kept: made once, since all are written whenever one changes

    def __post_init__(self) -> None:
        self.take(self.kept)

    def take(self, kept: SavedRegistration) -> None:
        """It offers itself in this way from now on."""
        self.kept = kept
        written = write(kept)
        offer = written.pop("offer")
        self.text = f"[[registrations]]\n{tomli_w.dumps(written)}[registrations.offer]\n{tomli_w.dumps(offer)}"
        self.server = ServerConfig(address=kept.offer.address, weight=kept.offer.weight, max_conns=kept.offer.max_conns)

    def left(self, now: float) -> float:
        """Seconds until it expires; below 0 when it has."""
        return self.heard + self.kept.offer.ttl - now


class Registry:
    """All of them, by backend and name."""

    def __init__(self) -> None:
        self._entries: dict[Name, Entry] = {}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def of(self, name: Name) -> Entry | None:
        """The entry of that server."""
        return self._entries.get(name)

    def count(self, backend: str) -> int:
        """How many servers the backend has got in this way."""
        return sum(known == backend for known, _ in self._entries)

    def put(self, kept: SavedRegistration, now: float) -> bool:
        """A server registers, or is heard of again; True when anything is another than before."""
        entry = self._entries.get((kept.backend, kept.server))
        if entry is None:
            self._entries[kept.backend, kept.server] = Entry(kept, now)
            return True
        changed = entry.leaving != 0.0 or entry.kept.offer != kept.offer
        entry.heard, entry.leaving = now, 0.0
        if changed:
            entry.take(kept)
        return changed

    def load(self, kept: Iterable[SavedRegistration], now: float) -> None:
        """Take over what was kept, each with its full time."""
        self._entries = {(one.backend, one.server): Entry(one, now) for one in kept}

    def remove(self, name: Name) -> None:
        """It is gone."""
        self._entries.pop(name, None)

    def leaving(self, name: Name) -> bool:
        """It drains, and then it goes."""
        entry = self._entries.get(name)
        return entry is not None and entry.leaving != 0.0

    def due(self, now: float) -> list[Name]:
        """Those that were not heard of in time and do not leave yet."""
        return [name for name, entry in self._entries.items() if not entry.leaving and entry.left(now) <= 0.0]

    def unwanted(self, config: Config) -> list[tuple[Name, str]]:
        """Those that the files have no place for, and why."""
        found = []
        for name in self._entries:
            backend = config.backends.get(name[0])
            if backend is None or backend.registration is None:
                found.append((name, "the backend takes no registrations any more"))
            elif name[1] in backend.servers:
                found.append((name, "the configuration has a server of that name now"))
        return found

    def merged(self, config: Config) -> Config:
        """The configuration of the files, and the registered servers besides."""
        more: dict[str, dict[str, ServerConfig]] = {}
        for (backend, name), entry in self._entries.items():
            known = config.backends.get(backend)
            if known is not None and known.registration is not None and name not in known.servers:
                more.setdefault(backend, {})[name] = entry.server
        if not more:
            return config
        backends = {name: replace(backend, servers={**backend.servers, **more[name]}) if name in more else backend
                    for name, backend in config.backends.items()}
        return replace(config, backends=backends)


# Services of clouds that tell a machine its secrets, where they are not link-local (169.254.169.254 and the like).
METADATA = tuple(map(ipaddress.ip_network, (
    "100.100.100.200/32",   # Alibaba
    "168.63.129.16/32",     # Azure
    "192.0.0.192/32",       # Oracle
    "fd00:ec2::/32",        # AWS
    "fd20:ce::254/128",     # Google
    "fd00:42::42/128",      # Scaleway
)))
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")     # RFC 1122 3.2.1.3

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


def refused(policy: Registration, address: Address) -> str:
    """Why a server at this address may not register, "" when it may.

    Without networks in the policy, every unicast address may that is not this machine's own loopback, not link-local,
    not a metadata service of a cloud, and no tunnelled form (6to4, Teredo) of one of these.
    """
    if address.path or not address.literal:
        return "is not an IP address"
    if "%" in address.host:
        return "has a zone"
    ip = unmapped(ipaddress.ip_address(address.host))
    if policy.networks:
        allowed = any(ip in network for network in policy.networks)
        return "" if allowed else "is in none of the `networks` of the backend's `registration`"
    kind = next(filter(None, map(_special, (ip, *_tunnelled(ip)))), "")
    return f"is {kind}, which only `networks` of the backend's `registration` can allow" if kind else ""


def _special(ip: Ip) -> str:
    """The kind of address that nothing is expected to serve at, "" for any other."""
    for kind in ("loopback", "link_local", "multicast", "unspecified", "reserved"):
        if getattr(ip, f"is_{kind}"):
            return kind.replace("_", "-")
    if ip in _THIS_NETWORK:
        return "unspecified"
    return "a metadata service of a cloud" if any(ip in network for network in METADATA) else ""


def _tunnelled(ip: Ip) -> list[Ip]:
    """The IPv4 addresses that a gateway may make of an IPv6 address. NAT64 (RFC 6052, RFC 8215) is in ::/8, which is
    reserved as a whole."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    return list(filter(None, (ip.sixtofour, *(ip.teredo or ()))))
