"""The protocols that the daemon implements for the admin interface."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lbd.errors import LbdError


class Refused(LbdError):
    """A refused request, with the HTTP status for the reason."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class RuntimeChangesApi(Protocol):
    """The runtime changes.

    Each method raises `ConfigError` for bad values, or an error of `lbd.errors` with a status in `answers.STATUSES`,
    and then nothing has changed. An acknowledged registration is on disk; `unkept` says whether the other changes are.
    `who` names the operator in logs and in the status.
    """

    @property
    def unkept(self) -> str:
        """The reason why changes in force would be lost at a restart, "" when they are on disk."""

    def describe_backends(self) -> dict[str, Any]:
        """Every backend with its servers, as JSON."""

    def describe_backend(self, name: str) -> dict[str, Any]:
        """A backend with its servers, as JSON."""

    def describe_server(self, backend: str, server: str) -> dict[str, Any]:
        """A server, as JSON."""

    async def override(self, backend: str, server: str, fields: Mapping[str, Any], who: str) -> str:
        """Override settings of a server, or (`server` empty) of a whole backend, by the fields of
        `OverrideRequest`; returns a warning or ""."""

    def describe_overrides(self) -> list[dict[str, Any]]:
        """All overrides, as JSON."""

    async def end_overrides(self, backend: str, server: str, who: str) -> int:
        """End the overrides of a server, of a backend with its servers, or (both empty) all; returns their number."""

    async def register(self, backend: str, server: str, fields: Mapping[str, Any], who: str) -> bool:
        """Register a server, or note that it lives, by the fields of `RegistrationRequest`; True when it is new or
        another than before."""

    async def deregister(self, backend: str, server: str, wait: float, who: str) -> bool:
        """Drain a registered server and remove it; True when it is gone within `wait` seconds."""


class DaemonApi(Protocol):
    """The supervisor, as the admin interface sees it."""

    @property
    def ready(self) -> str:
        """The reason why lbd should get no traffic now ("starting", "stopping"), "" when it should."""

    @property
    def runtime_changes(self) -> RuntimeChangesApi:
        """The changes that can be made while it runs."""

    def status(self, history: bool = False) -> dict[str, Any]:
        """The status, as JSON; with `history` the samples of each server from the last two minutes."""

    def explain(self, method: str, url: str, headers: Sequence[str], client: str, listener: str) -> dict[str, Any]:
        """The route and the server of such a request, with reasons; `LbdError` for an invalid request."""

    async def ticket(self) -> dict[str, Any]:
        """A `ticket`, valid for `seconds`: a request with it gets an explanation in its response; `LbdError`."""

    async def events(self, since: int, wait: float) -> dict[str, Any]:
        """`events` after the number `since`, oldest first, and `last`, the number of the newest; waits up to `wait`
        seconds for the first one."""

    def settings(self, secrets: bool = False) -> dict[str, Any]:
        """Every key of the configuration in force with its value and `origin`; secrets only on request."""

    async def reload(self, force: bool, confirm: float = 0.0) -> dict[str, Any]:
        """Read the configuration again and put it in force; returns `generation`, `changed` and `plan`.

        With `confirm`, it is rolled back unless `confirm()` is called within that many seconds.
        Raises `ConfigError` or `LbdError`, and then nothing has changed.
        """

    async def upgrade(self) -> dict[str, Any]:
        """Replace the running program by the installed version; returns `from`, `to` and `upgrades`, the number of
        upgrades before this one.

        Raises `LbdError` when that version does not take the configuration.
        """

    def confirm(self) -> dict[str, Any]:
        """Confirm the generation that waits for it; raises `LbdError` when there is none."""

    async def rollback(self) -> dict[str, Any]:
        """Put the previous generation back in force; raises `LbdError`, and then nothing has changed."""

    async def plan(self, file: str | None) -> dict[str, Any]:
        """The changes that a reload would make, with the file or with the daemon's own; raises `ConfigError`."""

    def metrics(self, accept: str, query: Mapping[str, str]) -> tuple[bytes, str]:
        """The exposition for Prometheus and its content type; ValueError for an invalid query."""
