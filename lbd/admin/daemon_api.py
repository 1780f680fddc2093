"""What the admin interface may ask of the daemon: the one thing that the room above has to provide."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lbd.errors import LbdError


class Refused(LbdError):
    """Something that is not done, with the status that HTTP has for the reason."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class RuntimeChangesApi(Protocol):
    """What may be changed while lbd runs. Each method raises `ConfigError` for bad values, or an error of `lbd.errors`
    that has a status in `answers.STATUSES`, and then nothing has changed. A registration that is acknowledged is on the
    disk; whether all else is, `unkept` says. `who` is for people.
    """

    @property
    def unkept(self) -> str:
        """Why what is in force would be lost at a restart, "" when it is on the disk."""

    def describe_backends(self) -> dict[str, Any]:
        """Every backend with its servers, as JSON."""

    def describe_backend(self, name: str) -> dict[str, Any]:
        """A backend with its servers, as JSON."""

    def describe_server(self, backend: str, server: str) -> dict[str, Any]:
        """A server, as JSON."""

    async def override(self, backend: str, server: str, fields: Mapping[str, Any], who: str) -> str:
        """Override what the files say of a server, or (`server` empty) of a backend, by the fields of
        `OverrideRequest`; returns a warning or ""."""

    def describe_overrides(self) -> list[dict[str, Any]]:
        """All overrides, as JSON."""

    async def end_overrides(self, backend: str, server: str, who: str) -> int:
        """End the overrides of a server, of a backend with its servers, or (both empty) all; returns how many."""

    async def register(self, backend: str, server: str, fields: Mapping[str, Any], who: str) -> bool:
        """Register a server, or note that it lives, by the fields of `RegistrationRequest`; True when it is new or
        another than before."""

    async def deregister(self, backend: str, server: str, wait: float, who: str) -> bool:
        """Drain a registered server and remove it; True when it is gone within `wait` seconds."""


class DaemonApi(Protocol):
    """The supervisor, as the admin interface sees it."""

    @property
    def ready(self) -> str:
        """Why lbd should get no traffic now ("starting", "stopping"), "" when it should."""

    @property
    def runtime_changes(self) -> RuntimeChangesApi:
        """The changes that can be made while it runs."""

    def status(self, history: bool = False) -> dict[str, Any]:
        """Everything that is now, as JSON; with `history` how each server did in the last two minutes."""

    def explain(self, method: str, url: str, headers: Sequence[str], client: str, listener: str) -> dict[str, Any]:
        """Where such a request would go, and why; `LbdError` for one that is none."""

    async def ticket(self) -> dict[str, Any]:
        """`ticket` for one request, good for `seconds`, whose answer then says how it came about; `LbdError`."""

    async def events(self, since: int, wait: float) -> dict[str, Any]:
        """`events` after the number `since`, oldest first, and `last`, the number of the newest; if there are none yet,
        as soon as there is one, or after so many seconds."""

    def settings(self, secrets: bool = False) -> dict[str, Any]:
        """Every key of the configuration in force with its value and `origin`; secrets only if they are wanted."""

    async def reload(self, force: bool, confirm: float = 0.0) -> dict[str, Any]:
        """Read the configuration again and put it in force; returns `generation`, `changed` and `plan`.

        With `confirm`, it is taken back unless `confirm()` comes within so many seconds.
        Raises `ConfigError` or `LbdError`, and then nothing has changed.
        """

    async def upgrade(self) -> dict[str, Any]:
        """Become the version on disk, in place; returns `from`, `to` and `upgrades`, the number of those before.

        Raises `LbdError` when that version does not take the configuration.
        """

    def confirm(self) -> dict[str, Any]:
        """Keep what waits to be confirmed; raises `LbdError` when nothing does."""

    async def rollback(self) -> dict[str, Any]:
        """Put the generation before the one in force back; raises `LbdError`, and then nothing has changed."""

    async def plan(self, file: str | None) -> dict[str, Any]:
        """What a reload would do, with the file or with the daemon's own; raises `ConfigError`."""

    def metrics(self, accept: str, query: Mapping[str, str]) -> tuple[bytes, str]:
        """The exposition for Prometheus, and its content type; ValueError for a query that means nothing."""
