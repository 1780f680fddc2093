"""The archive of generations for a rollback: the history on the disk, written and read off the loop."""

from collections.abc import Callable
from typing import Any

from lbd.errors import LbdError, NotReady
from lbd.log.logger import logger
from lbd.net.offload import Offload
from lbd.reload.history import History
from lbd.schema import Config

SECONDS = 5.0   # that the disk may take


class GenerationArchive:
    """Empty until `open`. A generation that cannot be kept costs the rollback to it, nothing else."""

    def __init__(self) -> None:
        self._history: History | None = None
        self._working = Offload("keeping the generation for a rollback", SECONDS, 1)

    def open(self, history: History) -> None:
        """Use this history from now on."""
        self._history = history

    def require_rollback(self) -> None:
        """Raise `LbdError` where no generation is ever kept."""
        if self._history is not None:
            self._history.possible()

    async def previous(self) -> str:
        """The file of the generation before the one in force; raises `LbdError`."""
        if self._history is None:
            raise NotReady("lbd is still starting; try again in a moment")
        return await self._working.run(self._history.previous)

    async def keep(self, config: Config) -> None:
        """Keep the configuration in force."""
        if self._history is not None:
            await self._try(self._history.keep, config)

    async def step_back(self) -> None:
        """Forget the newest generation: the one before is in force again."""
        if self._history is not None:
            await self._try(self._history.step_back)

    async def _try(self, work: Callable[..., None], *args: Any) -> None:
        try:
            await self._working.run(work, *args)
        except (LbdError, OSError) as error:
            logger.warning("generation not kept for a rollback", reason=str(error))
