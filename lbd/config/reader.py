"""The reader: makes a configuration of files or of command-line options, or reports everything wrong with them."""

import dataclasses
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lbd.config import rules
from lbd.config.bodies import bodies
from lbd.config.catalog import COMMAND_LINE, Algorithms, Catalog, Checks, CommandLine
from lbd.config.document import INPUT, INPUT_NAME, Document
from lbd.config.findings import Findings, Where, dotted
from lbd.config.places import Path
from lbd.config.sources import ConfigSources
from lbd.config.tables import Tables
from lbd.errors import ConfigError, Problem
from lbd.schema import Config

__all__ = ("CommandLine", "Config", "Loaded", "read_file", "read_options")

ONCE = "the configuration came from standard input and cannot be read again: restart lbd with another, or with a file"

FILE_CLOCK = 5      # CLOCK_REALTIME_COARSE (clock_gettime(2)): no file that changes now gets an earlier time


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used.

    `files` are the absolute paths of all files read, those of `[errors]` too, and the patterns of `include`, for
    the watch on files. `places` are the file, line and column of every key that was given. `documents` are
    the files by absolute path, `refused` are the errors for which the last good version of some of them is in force.
    `once` is the reason why it cannot be read again (then there are no `files`), "" where it can. `begun` is the time
    before the first file was read, in nanoseconds since 1970 of the clock by which files get theirs.
    """

    config: Config
    warnings: list[Problem]
    files: tuple[str, ...]
    places: Mapping[Path, Where]
    documents: Mapping[str, Document] = dataclasses.field(default_factory=dict)
    refused: tuple[Problem, ...] = ()
    once: str = ""
    begun: int = 0

    def problem(self, path: Path, message: str, warning: bool) -> Problem:
        """A finding at the place of the key, or of the nearest table around it."""
        places = (self.places.get(path[:end]) for end in range(len(path), 0, -1))
        return Problem(*next(filter(None, places), (self.files[0] if self.files else "the options", 0, 0)),
                       dotted(path), message, warning)


def read_file(path: str, algorithms: Algorithms, checks: Checks, command_line: CommandLine | None = None,
              good: Mapping[str, Document] | None = None) -> Loaded:
    """Read a file (`-`: standard input) and all that it includes; raises ConfigError with every error in them.

    `algorithms` and `checks` are all that exist, by name. `good` are the documents in force, by which included files
    may be replaced with `include_mode = "last-good"`.
    """
    replaced: dict[str, list[Problem]] = {}
    first: ConfigError | None = None
    begun = time.clock_gettime_ns(FILE_CLOCK)
    while True:
        findings = Findings(INPUT_NAME if path == INPUT else path)
        sources = ConfigSources(path, findings, good, replaced)
        try:
            loaded = _load(sources.data, sources.include, tuple(sources.files), findings,
                           Catalog(algorithms, checks, command_line, findings))
        except ConfigError as error:
            first = first or error
            culprits = _culprits(error, sources, os.path.abspath(path), good or {}, replaced)
            if not culprits:
                raise first from None
            replaced |= culprits
            continue
        refused = [*sources.refused, *(problem for problems in replaced.values() for problem in problems)]
        loaded = dataclasses.replace(loaded, documents=sources.documents, refused=tuple(refused), begun=begun)
        return dataclasses.replace(loaded, files=(), once=ONCE) if path == INPUT else loaded


def _culprits(error: ConfigError, sources: ConfigSources, main: str, good: Mapping[str, Document],
              replaced: Mapping[str, list[Problem]]) -> dict[str, list[Problem]]:
    """The included files in which the errors stand; none unless each of them has another version to be tried."""
    found: dict[str, list[Problem]] = {}
    for problem in error.problems:
        found.setdefault(os.path.abspath(problem.file), []).append(problem)
    usable = all(file != main and file in good and file not in replaced for file in found)
    return found if sources.lenient and usable else {}


def _load(data: Mapping[str, Any], include: tuple[str, ...], files: tuple[str, ...], findings: Findings,
          catalog: Catalog) -> Loaded:
    config = Tables(findings, catalog).config(data)
    config = dataclasses.replace(config, include=include, bodies=bodies(config.errors, findings))
    rules.check(config, findings, catalog)
    files = tuple(dict.fromkeys((*files, *config.errors.values())))
    return Loaded(config, findings.settle(files), files, findings.places)


def read_options(listen: Sequence[str], servers: Sequence[str], algorithms: Algorithms, checks: Checks, *,
                 command_line: CommandLine | None = None, metrics: str | None = None, admin: str | None = None,
                 workers: str | int | None = None) -> Loaded:
    """The configuration of a file with one listener `web` and one backend `app` with the servers s1, s2 …

    `health_path` of the command line brings http checks, `health_interval` alone tcp checks. Raises ConfigError, in
    which the options stand for the keys.
    """
    given = command_line or CommandLine()
    app: dict[str, Any] = {"servers": {f"s{number}": address for number, address in enumerate(servers, 1)}}
    if given.health_path is not None or given.health_interval is not None:
        app["health"] = {"type": "http" if given.health_path is not None else "tcp"}
    data: dict[str, Any] = {
        "listeners": {"web": {"bind": list(listen), "backend": "app"}},
        "backends": {"app": app},
    }
    if workers == 0:
        workers = "auto"
    elif isinstance(workers, str) and workers.isdecimal():
        workers = int(workers)
    for table, key, value in (("metrics", "bind", metrics), ("admin", "bind", admin), ("global", "workers", workers)):
        if value is not None:
            data[table] = {key: value}
    findings = Findings(COMMAND_LINE)
    findings.places = dict.fromkeys(_paths(data), (COMMAND_LINE, 0, 0))
    try:
        return _load(data, (), (), findings, Catalog(algorithms, checks, given, findings))
    except ConfigError as error:
        raise ConfigError([_as_option(problem) for problem in error.problems], error.warnings) from None


def _paths(value: Any, path: Path = ()) -> list[Path]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(inner for name, item in items for inner in _paths(item, (*path, name)))]


# The options by the keys that they set; the first that fits.
_OPTIONS = (("listeners.web", "--listen"), ("backends.app", "--server"), ("metrics.bind", "--metrics"),
            ("admin.bind", "--admin"), ("global.workers", "--workers"))
_MISSING = {"backends.app": "at least one server is needed", "listeners.web.bind": "at least one address is needed"}


def _as_option(problem: Problem) -> Problem:
    option = next((option for key, option in _OPTIONS if problem.key.startswith(key)), problem.key)
    return dataclasses.replace(problem, key=option, message=_MISSING.get(problem.key, problem.message))
