"""The watches over files: those of the configuration, as the one in force asks for it, and those of TLS."""

from lbd.generation.control_plane import ControlPlane
from lbd.net.tasks import Tasks
from lbd.reload.config_source import ConfigSource
from lbd.reload.config_watch import ConfigWatch
from lbd.reload.reload import Reload
from lbd.reload.renewal import Renewal
from lbd.schema import Config


class FileWatches:
    """A part of the generation: the watched files follow the configuration."""

    def __init__(self, plane: ControlPlane, reload: Reload, tasks: Tasks) -> None:
        self._reload = reload
        self._source: ConfigSource = reload.source
        self._renewal = Renewal(plane, tasks)
        self._config_watch = ConfigWatch(tasks, lambda: self._source.files, self._on_change,
                                         self._source.loaded.begun)
        self._wanted = False

    @property
    def mode(self) -> str:
        """The way in which changes are noticed: `off`, `events`, or `polling: REASON`."""
        return self._config_watch.mode(self._renewal.polls)

    def start(self, config: Config) -> None:
        """Watch as a first configuration says."""
        self._wanted = config.global_.watch
        self._follow()

    def tick(self) -> None:
        """Warn of certificates near their end, and rotate the keys of session tickets; called once a second."""
        self._renewal.tick()

    async def stage(self, old: Config, new: Config) -> None:
        """Note whether the files of the configuration are to be watched."""
        self._wanted = new.global_.watch

    async def commit(self) -> None:
        """Watch as the configuration in force says."""
        self._follow()

    async def rollback(self) -> None:
        """Nothing to give up: the watches go on, and the next change is staged anew."""

    def _follow(self) -> None:
        self._renewal.follow()
        self._config_watch.follow(self._wanted)

    def _on_change(self) -> None:
        self._reload.start_reload("a changed file", by_watch=True)
