"""Ejection: the supervisor reads the counters of all workers, and leaves out servers that fail real requests."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from lbd.backend.outlier import EJECTED, NOT_ENFORCED, RETURNED, Case, Decision, FailureCounts, Outliers
from lbd.backend.snapshot import Endpoint
from lbd.backend.state import Identity, serves
from lbd.health.schedule import Judgement
from lbd.log.logger import logger
from lbd.net.tasks import Tasks
from lbd.schema import Config
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board, now

INTERVAL = 0.1   # seconds between two judgements


class Ejection:
    """All backends with a table `outlier`. `changed` is called when a server was ejected or returned."""

    def __init__(self, tasks: Tasks, board: Board, changed: Callable[[], None]) -> None:
        self._tasks = tasks
        self._board = board
        self._changed = changed
        self._backends: dict[str, Outliers] = {}
        self._slots: dict[str, dict[Identity, int]] = {}   # of servers that may be ejected
        self._before: dict[Identity, Case] = {}
        self._task: asyncio.Task[None] | None = None

    def follow_config(self, config: Config) -> None:
        """Judge by this configuration from now on; the history of its servers stays."""
        wanted = {name: backend.outlier for name, backend in config.backends.items() if backend.outlier is not None}
        known, self._backends = self._backends, {}
        for name, settings in wanted.items():
            outliers = self._backends[name] = known.get(name) or Outliers(
                settings, {key: case for key, case in self._before.items() if key[0] == name})
            outliers.settings = settings
        self._before = {}
        if wanted and self._task is None:
            self._task = self._tasks.start("ejection", self._run())
        elif not wanted and self._task is not None:
            self._task.cancel()
            self._task = None

    def cases(self) -> dict[Identity, Case]:
        """The case of every server that may be ejected."""
        return {key: case for outliers in self._backends.values() for key, case in outliers.cases.items()}

    def restore_cases(self, cases: Mapping[Identity, Case]) -> None:
        """Take over the cases of an earlier life, before the first configuration."""
        self._before = dict(cases)

    def reason_of(self, key: Identity) -> str:
        """The reason of the server's ejection; "" when it is not ejected."""
        outliers = self._backends.get(key[0])
        if outliers is None or not outliers.ejected(key):
            return ""
        case = outliers.cases[key]
        return f"{case.failures} failures in a row: left out for {case.seconds:g} s"

    def decisions_of(self, key: Identity) -> Mapping[str, int]:
        """The number of decisions about a server, by kind."""
        outliers = self._backends.get(key[0])
        case = outliers.cases.get(key) if outliers is not None else None
        return {kind: count for kind, count in case.counts.items() if kind != RETURNED} if case is not None else {}

    def on_check_passed(self, key: Identity, judgement: Judgement) -> None:
        """A check of the server passed."""
        outliers = self._backends.get(key[0])
        if outliers is not None:
            decision = outliers.passed(key, judgement.streak, judgement.needed, now())
            if decision is not None:
                self._tell(decision, "its checks pass")
                self._changed()

    def follow_endpoints(self, endpoints: Iterable[Endpoint]) -> None:
        """Judge the servers as they are now."""
        groups: dict[str, list[Endpoint]] = {name: [] for name in self._backends}
        for endpoint in endpoints:
            if endpoint.backend in groups:
                groups[endpoint.backend].append(endpoint)
        for name, group in groups.items():
            self._backends[name].keep_only([endpoint.identity for endpoint in group])
            self._slots[name] = {endpoint.identity: endpoint.slot for endpoint in group if serves(endpoint)}

    def judge_servers(self) -> None:
        """Judge all servers by their figures once."""
        moment, moved = now(), False
        for name, outliers in self._backends.items():
            seen = {key: self._figures(slot) for key, slot in self._slots.get(name, {}).items()}
            for decision in outliers.judge(moment, seen):
                self._tell(decision, "its time is over")
                moved = moved or decision.what in (EJECTED, RETURNED)
        if moved:
            self._changed()

    def _figures(self, slot: int) -> FailureCounts:
        each = self._board.each
        return FailureCounts(each(scoreboard.SERVER, slot, fields.SERVER_FAILURES),
                             each(scoreboard.SERVER, slot, fields.SERVER_SUCCEEDED))

    def _tell(self, decision: Decision, why: str) -> None:
        place = dict(zip(("backend", "server", "address"), decision.server, strict=True))
        if decision.what == RETURNED:
            logger.info("server returned from ejection", **place, reason=why)
        elif decision.what == EJECTED:
            logger.warning("server ejected", **place, reason=f"{decision.failures} failures in a row",
                           seconds=decision.seconds)
        else:
            logger.warning("server not ejected", **place, reason=f"{decision.failures} failures in a row, but " + (
                "ejection is not enforced" if decision.what == NOT_ENFORCED
                else "too many of the backend's servers are ejected already"))

    async def _run(self) -> None:
        while True:
            self.judge_servers()
            await asyncio.sleep(INTERVAL)
