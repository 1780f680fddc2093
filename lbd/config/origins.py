"""The origins: every value of a configuration in force, and where it is from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lbd.config.effective import masked, plain, policy_name
from lbd.config.findings import Where, dotted
from lbd.config.places import Path
from lbd.schema import REQUIRED, AlgorithmConfig, Config, HealthPolicy, Key, Timeouts, keys
from lbd.schema import units as u

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Setting:
    """A value as it may be written in a file; `origin` is FILE:LINE or `default`."""

    path: Path
    value: Any
    origin: str

    @property
    def key(self) -> str:
        """The place as TOML writes it."""
        return dotted(self.path)


def settings(config: Config, places: Mapping[Path, Where], secrets: bool = False) -> Iterator[Setting]:
    """All settings, in the order of the reference; `places` are those of the keys that were given. Without `secrets`,
    secrets are masked."""
    return _Walk(config, places, secrets).table(config, ())


class _Walk:
    def __init__(self, config: Config, places: Mapping[Path, Where], secrets: bool) -> None:
        self.config = config
        self.places = places
        self.secrets = secrets

    def table(self, value: Any, path: Path) -> Iterator[Setting]:
        """The keys of one table, and of those in it."""
        cls: type = type(value)
        for name, (attribute, about) in keys(cls).items():
            yield from self.key(about, getattr(value, attribute), (*path, name))
        if isinstance(value, HealthPolicy) and value.options is not None:
            yield from self.table(value.options, path)

    def key(self, about: Key, item: Any, path: Path) -> Iterator[Setting]:
        """The settings of a key: a value, or tables."""
        if isinstance(item, AlgorithmConfig):
            yield self.setting(about, item.name, (*path, "name") if (*path, "name") in self.places else path)
            if item.options is not None:
                yield from self.table(item.options, path)
        elif about.kind is u.HEALTH and isinstance(item, HealthPolicy):
            if name := policy_name(item, self.config):
                yield self.setting(about, name, path)
            else:
                yield from self.table(item, path)
        elif about.kind is not None:
            yield self.setting(about, plain(about, item, self.config), path)
        elif about.named:
            for name, entry in item.items():
                yield from self.table(entry, (*path, name))
        elif about.many:
            for place, entry in enumerate(item):
                yield from self.table(entry, (*path, place))
        elif item is not None:
            yield from self.table(item, path)

    def setting(self, about: Key, value: Any, path: Path) -> Setting:
        """The value with its origin; timeouts that a table leaves out are those of [timeouts]."""
        origin = self.origin(path)
        if not origin and path[-1] in keys(Timeouts) and path[-2:-1] == ("timeouts",):
            origin = self.origin(path[-2:])
        if not origin and about.default is REQUIRED:
            origin = next(filter(None, (self.origin(path[:end]) for end in range(len(path) - 1, 0, -1))), "")
        shown = value if self.secrets else masked(str(path[-1]), value)
        return Setting(path, shown, origin or DEFAULT)

    def origin(self, path: Path) -> str:
        """FILE:LINE of exactly this key, "" if no file has it."""
        if path not in self.places:
            return ""
        file, line, _ = self.places[path]
        return f"{file}:{line}" if line else file
