"""Reading configurations in a directory of the test's own, with small tables of algorithms and checks."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lbd import schema
from lbd.config.catalog import Algorithms, Checks
from lbd.config.reader import CommandLine, Loaded, read_file
from lbd.errors import ConfigError
from lbd.schema import REQUIRED
from lbd.schema import units as u


@dataclass(frozen=True, slots=True)
class Ring:
    """Options of an algorithm: one with a default, one that must be given."""

    key: str = schema.key(REQUIRED, u.choice("url", "source"), "what is hashed", example="url")
    factor: float = schema.key(1.25, u.number(1, 10), "how far above the mean")


@dataclass(frozen=True, slots=True)
class Http:
    """Options of a check."""

    path: str = schema.key("/", u.TARGET, "target of the request")
    method: str = schema.key("GET", u.METHOD, "method of the request")
    expect_body: str | None = schema.key(None, u.TEXT, "text in the body", example="ok")


@dataclass(frozen=True, slots=True)
class Tcp:
    """A check without options."""


@dataclass(frozen=True, slots=True)
class Traits:
    """An algorithm, or a kind of check, as the catalog knows it; of a hash the option `key` decides."""

    Options: Any = None
    weighted: bool = True
    hashes: bool = False

    def needs_requests(self, options: Any) -> bool:
        return self.hashes and options.key != "source"


ALGORITHMS: Algorithms = {
    "round-robin": Traits(weighted=False), "weighted-round-robin": Traits(), "least-connections": Traits(),
    "consistent-hash": Traits(Ring, hashes=True)}
CHECKS: Checks = {"http": Traits(Http), "tcp": Traits(Tcp)}

# A configuration without findings, to which tests add.
WHOLE = """\
[listeners.web]
bind = "127.0.0.1:8080"
backend = "app"
[backends.app.servers]
a = "10.0.0.1:80"
"""


def cases(name: str) -> list[tuple[str, str]]:
    """(lines of TOML, the errors they make) from a file here: each error after "=> ", then an empty line."""
    text = (Path(__file__).parent / name).read_text()
    return [(lines, error) for lines, _, error in (case.strip("\n").partition("\n=> ") for case in text.split("\n\n"))]


@dataclass
class Directory:
    """A directory with configuration files; it is the current one, so findings name files without a path."""

    path: Path
    algorithms: Algorithms = field(default_factory=lambda: ALGORITHMS)
    checks: Checks = field(default_factory=lambda: CHECKS)
    whole: str = WHOLE

    def write(self, name: str, text: str | bytes) -> Path:
        """Put a file there."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def read(self, text: str | bytes | None = None, command_line: CommandLine | None = None) -> Loaded:
        """Read lbd.toml, after giving it that content."""
        if text is not None:
            self.write("lbd.toml", text)
        return read_file("lbd.toml", self.algorithms, self.checks, command_line)

    def errors(self, text: str | bytes | None = None, command_line: CommandLine | None = None) -> list[str]:
        """The errors in lbd.toml, one line each; none is an empty list."""
        try:
            self.read(text, command_line)
        except ConfigError as error:
            return [str(problem) for problem in error.problems]
        return []

    def warnings(self, text: str) -> list[str]:
        """The warnings of a configuration that can be used."""
        return [str(problem) for problem in self.read(text).warnings]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Directory:
    monkeypatch.chdir(tmp_path)
    return Directory(tmp_path)
