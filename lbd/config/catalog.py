"""The catalog of algorithms and kinds of check, which callers supply, and the settings of the command line."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lbd.config.findings import Findings
from lbd.schema import AlgorithmConfig, HealthPolicy
from lbd.schema import units as u
from lbd.schema.kinds import ValueKind
from lbd.wording import listed, nearest, shown

COMMAND_LINE = "command line"  # stands for the file in findings
SHORTEST = 0.01                # seconds from one check to the next, as in the table of keys


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Settings of the command line beside a file; they win until the restart.

    `algorithm` is that of every backend that names none, `health_interval` (seconds) that of every policy,
    `health_path` that of every http policy.
    """

    algorithm: str | None = None
    health_interval: float | None = None
    health_path: str | None = None


class AlgorithmTraits(Protocol):
    """Facts of an algorithm on which rules depend: the class attributes of `lbd.backend.algorithm.Algorithm`."""

    @property
    def Options(self) -> type | None: ...
    @property
    def weighted(self) -> bool: ...
    @property
    def hashes(self) -> bool: ...
    def needs_requests(self, options: Any) -> bool: ...


class CheckTraits(Protocol):
    """The class of the options of a kind of check."""

    @property
    def Options(self) -> type: ...


Algorithms = Mapping[str, AlgorithmTraits]
Checks = Mapping[str, CheckTraits]


@dataclass(frozen=True, slots=True)
class PluginTraits:
    """The traits of an algorithm written "package.module:Class", of which nothing is known before it is loaded."""

    Options: type | None = None
    weighted: bool = True
    hashes: bool = False

    def needs_requests(self, options: Any) -> bool:
        """Unknown before it is loaded: it may be used anywhere."""
        return False


PLUGIN = PluginTraits()


class Catalog:
    """The algorithms and the kinds of check by their names, with the settings of the command line for both."""

    ALGORITHM_NAME = ValueKind("algorithm", "the name of an algorithm", u.LINE.parse, u.LINE.schema)

    def __init__(self, algorithms: Algorithms, checks: Checks, command_line: CommandLine | None,
                 findings: Findings) -> None:
        self.algorithms = algorithms
        self.checks = checks
        self.command_line = command_line or CommandLine()
        self.default_algorithm = AlgorithmConfig().name
        self._accept(findings)

    def _accept(self, findings: Findings) -> None:
        """Check the command line itself; a wrong option is a finding, and left out."""
        given = self.command_line
        name, interval, path = given.algorithm, given.health_interval, given.health_path
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
                u.TARGET.parse(path)
            except ValueError as error:
                text = f"{shown(path)} {error}; must be {u.TARGET.allowed}"
                findings.add((COMMAND_LINE, 0, 0), ("--health-path",), text)
                self.command_line = dataclasses.replace(given, health_path=None)

    def algorithm_trouble(self, name: str) -> str:
        """The reason why there is no such algorithm, "" if there is one."""
        return "" if ":" in name else _trouble(name, self.algorithms, "algorithm")

    def check_trouble(self, name: str) -> str:
        """The reason why there is no such kind of check, "" if there is one."""
        return _trouble(name, self.checks, "kind of check")

    def algorithm(self, name: str) -> AlgorithmTraits:
        """The traits of an algorithm; for one that does not exist, traits that trigger no rule."""
        return self.algorithms.get(name, PLUGIN)

    def overridden(self, policy: HealthPolicy) -> HealthPolicy:
        """The policy with the settings of the command line."""
        interval, path = self.command_line.health_interval, self.command_line.health_path
        if interval is not None:
            policy = dataclasses.replace(policy, interval=interval)
        if path is not None and policy.type == "http" and hasattr(policy.options, "path"):
            policy = dataclasses.replace(policy, options=dataclasses.replace(policy.options, path=path))
        return policy


def _trouble(name: str, table: Mapping[str, Any], noun: str) -> str:
    if name in table:
        return ""
    known = listed(map(shown, table)) if table else "none"
    return f"{shown(name)} is no {noun}; must be {known}{nearest(name, table)}"
