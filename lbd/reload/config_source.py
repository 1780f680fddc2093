"""The source of configurations: reads files off the loop, and remembers what was read of those in force."""

import dataclasses
from collections.abc import Callable

from lbd.config.reader import Loaded
from lbd.errors import ConfigError, LbdError
from lbd.net.offload import Offload

Load = Callable[..., Loaded]   # of the file given, else of lbd's own, with the documents in force as second argument


class ConfigSource:
    """Changed by `Reload` alone: `loaded` is the configuration in force, `files` are those to watch: its own, and those
    that were refused since."""

    def __init__(self, load: Load, loaded: Loaded) -> None:
        self.loaded = loaded
        self.files = loaded.files
        self._load = load
        self._reading = Offload("reading the configuration")
        self._planning = Offload("reading the planned configuration")   # which may be anywhere: no reload waits for it

    @property
    def refused(self) -> list[str]:
        """The errors in included files whose last good version stands in for them."""
        return [str(problem) for problem in self.loaded.refused]

    def require_files(self) -> None:
        """Raise `LbdError` where the configuration in force cannot be read again."""
        if self.loaded.once:
            raise LbdError(self.loaded.once)

    async def read_files(self) -> Loaded:
        """The configuration as the files are now; raises `LbdError`."""
        self.require_files()
        return await self._reading.run(self._load, None, self.loaded.documents)

    async def read_planned(self, file: str | None) -> Loaded:
        """The configuration of a file, else as lbd's own files are now; raises `LbdError`."""
        if file:
            return await self._planning.run(self._load, file)
        self.require_files()
        return await self._planning.run(self._load, None, self.loaded.documents)

    async def read_earlier(self, file: str) -> Loaded:
        """An earlier generation's configuration, kept in a file of lbd's; raises `LbdError`."""
        earlier = await self._reading.run(self._load, file)
        return dataclasses.replace(earlier, files=self.files, once=self.loaded.once)

    def is_in_force(self, loaded: Loaded) -> bool:
        """Whether the configuration says the same as that in force; what is included counts, not how."""
        return dataclasses.replace(loaded.config, include=self.loaded.config.include) == self.loaded.config

    def accept(self, loaded: Loaded) -> None:
        """The configuration is in force now."""
        self.loaded, self.files = loaded, loaded.files

    def watch_refused(self, error: ConfigError) -> None:
        """Watch the refused files too: a change of one may make it good."""
        self.files = tuple(dict.fromkeys((*self.loaded.files, *error.files)))
