"""What the admin interface may ask of the daemon: the one thing that the room above has to provide."""

from typing import Any, Protocol


class Daemon(Protocol):
    """The supervisor, as the admin interface sees it."""

    @property
    def ready(self) -> str:
        """Why lbd should get no traffic now ("starting", "stopping"), "" when it should."""

    def status(self) -> dict[str, Any]:
        """Everything that is now, as JSON."""

    async def reload(self, force: bool, confirm: float = 0.0) -> dict[str, Any]:
        """Read the configuration again and put it in force; returns `generation`, `changed` and `plan`.

        With `confirm`, it is taken back unless `confirm()` comes within so many seconds.
        Raises `ConfigError` or `LbdError`, and then nothing has changed.
        """

    def confirm(self) -> dict[str, Any]:
        """Keep what waits to be confirmed; raises `LbdError` when nothing does."""

    async def rollback(self) -> dict[str, Any]:
        """Put the generation before the one in force back; raises `LbdError`, and then nothing has changed."""

    async def plan(self, file: str | None) -> dict[str, Any]:
        """What a reload would do, with the file or with the daemon's own; raises `ConfigError`."""

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """The exposition for Prometheus, and its content type."""
