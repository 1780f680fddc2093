"""The registry: the servers that registered themselves, and how long each of them stays."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import tomli_w

from lbd.backend.state import ServerPath
from lbd.config.runtime import SavedRegistration, to_table
from lbd.schema import Config, ServerConfig

MOST = 20_000   # registered servers of all backends


@dataclass(slots=True)
class RegisteredServer:
    """A registered server. `heard` is when it was last heard of, `leaving` since when it drains (0.0: it stays), both
    of the loop's clock; `save` is the number of the save that keeps it (`StateFile`)."""

    saved: SavedRegistration
    heard: float
    leaving: float = 0.0
    save: int = 0
    config: ServerConfig = field(init=False)
    text: str = field(init=False)   # as it is saved: made once, since all are written whenever one changes

    def __post_init__(self) -> None:
        self.update(self.saved)

    def update(self, saved: SavedRegistration) -> None:
        """Take over another registration of the same server."""
        self.saved = saved
        written = to_table(saved)
        offer = written.pop("offer")
        self.text = f"[[registrations]]\n{tomli_w.dumps(written)}[registrations.offer]\n{tomli_w.dumps(offer)}"
        self.config = ServerConfig(address=saved.offer.address, weight=saved.offer.weight,
                                   max_conns=saved.offer.max_conns)

    def seconds_left(self, now: float) -> float:
        """Seconds until it expires; below 0 when it has."""
        return self.heard + self.saved.offer.ttl - now


class Registry:
    """All registered servers, by backend and name."""

    def __init__(self) -> None:
        self._entries: dict[ServerPath, RegisteredServer] = {}

    def __iter__(self) -> Iterator[RegisteredServer]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def entry_of(self, name: ServerPath) -> RegisteredServer | None:
        """The registered server of that name."""
        return self._entries.get(name)

    def count_of(self, backend: str) -> int:
        """The number of registered servers of the backend."""
        return sum(name == backend for name, _ in self._entries)

    def register(self, saved: SavedRegistration, now: float) -> bool:
        """Add a server, or note that it was heard of; True when anything is another than before."""
        entry = self._entries.get((saved.backend, saved.server))
        if entry is None:
            self._entries[saved.backend, saved.server] = RegisteredServer(saved, now)
            return True
        changed = entry.leaving != 0.0 or entry.saved.offer != saved.offer
        entry.heard, entry.leaving = now, 0.0
        if changed:
            entry.update(saved)
        return changed

    def restore(self, saved: Iterable[SavedRegistration], now: float) -> None:
        """Take over the servers of an earlier life, each with its full time."""
        self._entries = {(item.backend, item.server): RegisteredServer(item, now) for item in saved}

    def remove(self, name: ServerPath) -> None:
        """Remove a server, if it is there."""
        self._entries.pop(name, None)

    def is_leaving(self, name: ServerPath) -> bool:
        """Whether a server drains before it is removed."""
        entry = self._entries.get(name)
        return entry is not None and entry.leaving != 0.0

    def expired(self, now: float) -> list[ServerPath]:
        """Servers that were not heard of in time and do not leave yet."""
        return [name for name, entry in self._entries.items() if not entry.leaving and entry.seconds_left(now) <= 0.0]

    def unwanted(self, config: Config) -> list[tuple[ServerPath, str]]:
        """Servers that the files have no place for, and why."""
        reasons = []
        for name in self._entries:
            backend = config.backends.get(name[0])
            if backend is None or backend.registration is None:
                reasons.append((name, "the backend takes no registrations any more"))
            elif name[1] in backend.servers:
                reasons.append((name, "the configuration has a server of that name now"))
        return reasons

    def merged_into(self, config: Config) -> Config:
        """The configuration of the files, and the registered servers besides."""
        more: dict[str, dict[str, ServerConfig]] = {}
        for (name, server), entry in self._entries.items():
            backend = config.backends.get(name)
            if backend is not None and backend.registration is not None and server not in backend.servers:
                more.setdefault(name, {})[server] = entry.config
        if not more:
            return config
        backends = {name: replace(backend, servers={**backend.servers, **more[name]}) if name in more else backend
                    for name, backend in config.backends.items()}
        return replace(config, backends=backends)
