"""Reading configurations in a directory of the test's own, with small tables of algorithms and checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lbd import schema
from lbd.config.read import CommandLine, Loaded, read
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


ALGORITHMS: Mapping[str, type | None] = {
    "round-robin": None, "weighted-round-robin": None, "least-connections": None, "consistent-hash": Ring}
CHECKS: Mapping[str, type] = {"http": Http, "tcp": Tcp}

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
    algorithms: Mapping[str, type | None] = field(default_factory=lambda: ALGORITHMS)
    checks: Mapping[str, type] = field(default_factory=lambda: CHECKS)
    whole: str = WHOLE

    def write(self, name: str, text: str | bytes) -> Path:
        """Put a file there."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def read(self, text: str | bytes | None = None, overrides: CommandLine | None = None) -> Loaded:
        """Read lbd.toml, after giving it that content."""
        if text is not None:
            self.write("lbd.toml", text)
        return read("lbd.toml", self.algorithms, self.checks, overrides)

    def errors(self, text: str | bytes | None = None, overrides: CommandLine | None = None) -> list[str]:
        """The errors in lbd.toml, one line each; none is an empty list."""
        try:
            self.read(text, overrides)
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
