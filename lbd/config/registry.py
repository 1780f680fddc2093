"""What other rooms plug in: the algorithms and kinds of check that exist, and what the command line overrides."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lbd.config.findings import Findings
from lbd.schema import ALGORITHM_NAMES, CHECK_NAMES, AlgorithmConfig, HealthPolicy
from lbd.schema import units as u
from lbd.schema.kinds import ValueKind, listed, nearest, shown

COMMAND_LINE = "command line"  # stands for the file in findings
SHORTEST = 0.01                # seconds from one check to the next, as in the table of keys


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What the command line says beside a file; it wins until the restart.

    `algorithm` is that of every backend that names none, `health_interval` (seconds) that of every policy,
    `health_path` that of every http policy.
    """

    algorithm: str | None = None
    health_interval: float | None = None
    health_path: str | None = None


class Plugs:
    """`algorithms` maps the name of each algorithm that exists to the class of its options (None: it has none),
    `checks` each kind of check likewise. An entry ":" stands for algorithms written "package.module:Class"."""

    ALGORITHM_NAME = ValueKind("algorithm", "the name of an algorithm", u.LINE.read, u.LINE.schema)

    def __init__(self, algorithms: Mapping[str, type | None], checks: Mapping[str, type],
                 overrides: CommandLine | None, findings: Findings) -> None:
        self.algorithms = algorithms
        self.checks = checks
        self.overrides = overrides or CommandLine()
        self.default_algorithm = AlgorithmConfig().name
        self._accept(findings)

    def _accept(self, findings: Findings) -> None:
        """Check the overrides themselves; a wrong one is a finding, and left out."""
        name, interval, path = self.overrides.algorithm, self.overrides.health_interval, self.overrides.health_path
        if name is not None:
            if trouble := self.algorithm_trouble(name):
                findings.add((COMMAND_LINE, 0, 0), ("--algorithm",), trouble)
            else:
                self.default_algorithm = name
        if interval is not None and interval < SHORTEST:
            text = f"{u.in_seconds(interval)} is too short; must be at least {u.in_seconds(SHORTEST)}"
            findings.add((COMMAND_LINE, 0, 0), ("--health-interval",), text)
        if path is not None:
            try:
                u.TARGET.read(path)
            except ValueError as error:
                text = f"{shown(path)} {error}; must be {u.TARGET.allowed}"
                findings.add((COMMAND_LINE, 0, 0), ("--health-path",), text)
                self.overrides = dataclasses.replace(self.overrides, health_path=None)

    def algorithm_trouble(self, name: str) -> str:
        """Why there is no such algorithm, "" if there is one."""
        return _trouble(name, ":" if ":" in name else name, self.algorithms, ALGORITHM_NAMES, "algorithm")

    def check_trouble(self, name: str) -> str:
        """Why there is no such kind of check, "" if there is one."""
        return _trouble(name, name, self.checks, CHECK_NAMES, "kind of check")

    def algorithm_options(self, name: str) -> type | None:
        """The class of the options of an algorithm that exists."""
        return self.algorithms[":" if ":" in name else name]

    def overridden(self, policy: HealthPolicy) -> HealthPolicy:
        """The policy with what the command line says."""
        interval, path = self.overrides.health_interval, self.overrides.health_path
        if interval is not None:
            policy = dataclasses.replace(policy, interval=interval)
        if path is not None and policy.type == "http" and hasattr(policy.options, "path"):
            policy = dataclasses.replace(policy, options=dataclasses.replace(policy.options, path=path))
        return policy


def _trouble(name: str, entry: str, table: Mapping[str, Any], planned: tuple[str, ...], what: str) -> str:
    if entry in table:
        return ""
    here = listed(shown(known) for known in table if known != ":") if table else "none"
    if entry == ":" or name in planned:
        return f"{shown(name)} is not there yet; this version has {here}"
    return f"{shown(name)} is no {what}; must be {here}{nearest(name, (*table, *planned))}"
