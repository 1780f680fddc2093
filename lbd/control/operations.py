"""The operations of the daemon: everything that the admin interface can ask for."""

import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lbd import __version__
from lbd.control.daemon_log import DaemonLog
from lbd.control.lifecycle import Lifecycle
from lbd.control.runtime_changes import RuntimeChanges
from lbd.control.upgrade import Upgrade
from lbd.errors import LbdError, NotReady
from lbd.generation.control_plane import ControlPlane
from lbd.log.moment import moment
from lbd.reload.file_watches import FileWatches
from lbd.reload.reload import Reload
from lbd.report import metrics_view, settings, status
from lbd.report.explain import Question, explain
from lbd.report.kernels import build_of_kernels
from lbd.report.trend import Trend

TICKET = 30.0      # seconds in which a request can be explained live


class Operations:
    """Implements `DaemonApi`: reads the state of the control plane, and passes every change on to its owner."""

    def __init__(self, life: Lifecycle, plane: ControlPlane, log: DaemonLog, changes: RuntimeChanges, reload: Reload,
                 upgrade: Upgrade, watches: FileWatches) -> None:
        self._life = life
        self._plane = plane
        self._log = log
        self._changes = changes
        self._reload = reload
        self._upgrade = upgrade
        self._watches = watches
        self._trend = Trend()

    @property
    def ready(self) -> str:
        """The reason why lbd should get no traffic now, "" when it should."""
        return "" if self._life.is_ready else self._life.state

    @property
    def runtime_changes(self) -> RuntimeChanges:
        """The changes that can be made while lbd runs."""
        return self._changes

    def tick(self) -> None:
        """Sample the figures of the trend; called once a second."""
        self._trend.sample(self._plane)

    def status(self, history: bool = False) -> dict[str, Any]:
        """The status; with `history` the samples of each server from the last two minutes."""
        now = status.describe(self._plane, self._trend, history)
        self._changes.annotate(now["backends"])
        return {
            "version": __version__,
            "pid": os.getpid(),
            "state": self._life.state,
            "time": moment(time.time()),
            "started": status.then(self._life.began),
            "uptime_seconds": round(self._life.uptime, 3),
            "upgrades": self._upgrade.before,
            "degraded": self._reload.source.refused,
            "files": list(self._reload.source.loaded.files),
            "watch": self._watches.mode,
            "last_reload": self._reload.describe(),
            "last_change": self._reload.record.change,
            "unkept": self._changes.unkept,
            **now,
        }

    def settings(self, secrets: bool = False) -> dict[str, Any]:
        """Every key of the configuration in force with its value and its origin."""
        return settings.describe(self._plane, self._reload.source.loaded.places, secrets)

    def metrics(self, accept: str, query: Mapping[str, str]) -> tuple[bytes, str]:
        """The exposition for Prometheus; ValueError for an invalid query."""
        from lbd.stats.scrape import scrape  # late: prometheus_client, which only a scrape needs
        loaded = self._reload.source.loaded
        refused = {problem.file for problem in loaded.refused}
        view = metrics_view.make_view(self._plane, self._reload.record, build_of_kernels(), refused,
                                      self._log.output.dropped)
        return scrape(view, self._plane.board, accept, query, loaded.config.metrics.max_series)

    def explain(self, method: str, url: str, headers: Sequence[str], client: str, listener: str) -> dict[str, Any]:
        """The route and the server of such a request now, with reasons; `LbdError` for an invalid request."""
        serving, generation = self._plane.fleet.serving(), self._plane.in_force.generation
        if generation is None or not serving:
            raise LbdError("no worker serves")
        now = replace(generation, endpoints=self._plane.servers.endpoints.by_backend(generation.config))
        return explain(Question(method, url, headers, client, listener), now, self._plane.board, serving[0].lane)

    async def ticket(self) -> dict[str, Any]:
        """A ticket: a request with it gets an explanation in its answer. `LbdError` when the workers do not take it."""
        made = secrets.token_hex(16)
        await self._plane.fleet.explain(made.encode(), TICKET)
        return {"ticket": made, "seconds": TICKET}

    async def events(self, since: int, wait: float) -> dict[str, Any]:
        """The events after that number, waited for within so many seconds."""
        return await self._log.events.wait(since, wait)

    async def reload(self, force: bool, confirm: float = 0.0) -> dict[str, Any]:
        """Read the configuration again and put it in force; raises `NotReady` unless lbd serves."""
        self._require_ready()
        return await self._reload.reload(force, confirm)

    async def plan(self, file: str | None) -> dict[str, Any]:
        """Describe the changes that a reload would make."""
        return await self._reload.plan(file)

    def confirm(self) -> dict[str, Any]:
        """Keep the generation that waits for it."""
        return self._reload.confirm()

    async def rollback(self) -> dict[str, Any]:
        """Go back to the generation before; raises `NotReady` unless lbd serves."""
        self._require_ready()
        return await self._reload.rollback()

    async def upgrade(self) -> dict[str, Any]:
        """Become the version on disk, in place; raises `NotReady` unless lbd serves, and `LbdError` when that version
        does not take the configuration."""
        self._require_ready()
        return await self._upgrade.upgrade()

    def _require_ready(self) -> None:
        if not self._life.is_ready:
            raise NotReady(f"lbd is {self._life.state} and takes no such change now")
