"""A part of a generation: a resource of the supervisor that follows the configuration in two phases."""

from typing import Protocol

from lbd.schema import Config


class Part(Protocol):
    """Run by `Coordinator`, for one change at a time: `stage`, then `commit` or `rollback`."""

    async def stage(self, old: Config, new: Config) -> None:
        """Prepare everything that can fail. Raises `LbdError`, and then nothing has changed."""

    async def commit(self) -> None:
        """Put what was staged in force; may not fail."""

    async def rollback(self) -> None:
        """Give up what was staged: some part or a worker has refused."""
